from __future__ import annotations

import numpy as np
import pytest

from apps.medicine.risk import Risk
from apps.medicine.rows.loader import Predictor
from apps.medicine.rows.values import Scaled, numbers_of_rows, require_known
from core.data.examples import Examples
from core.errors import UserError
from core.inputs.row import Column

AGE = Scaled("age", [], 50.0, 10.0, can_miss=True)
PAIN = Scaled("pain", ["1", "3"], 0.0, 1.0, can_miss=False)


def encoder(task: Risk, **columns: list):
    known = {"label": ["no", "yes"] * 3, "row": list("abcdef")}
    return task.encode(Examples({**known, **columns}, "people.csv"))


def test_a_number_is_its_distance_from_the_mean_cut_off_far_out():
    rows = numbers_of_rows([AGE], {"age": ["60", 45, "?", 1000]})
    assert rows.tolist() == [[1.0, 0.0], [-0.5, 0.0], [0.0, 1.0], [4.0, 0.0]]


def test_a_choice_is_a_one_in_its_place_however_its_number_is_written():
    rows = numbers_of_rows([PAIN], {"pain": ["3.0", 1, None, "7"]})
    assert rows.tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_what_is_no_number_is_refused_by_its_column():
    with pytest.raises(UserError, match="age is a number, or empty"):
        numbers_of_rows([AGE], {"age": ["old"]})


@pytest.mark.parametrize(
    ("row", "said"), [({"age": 3}, "pain missing"), ({"age": 3, "pain": "2"}, "pain must be one of 1, 3")]
)
def test_a_row_of_something_else_is_refused(row, said):
    with pytest.raises(UserError, match=said):
        require_known([AGE, PAIN], row)


def test_categories_are_choices_though_they_are_numbers():
    task = Risk(categories=["pain"])
    learnt = encoder(task, pain=["1.0", "3.0"] * 3, age=["30", "40", "?", "60", "70", "80"])
    assert [(column.name, column.kind, column.choices) for column in learnt.columns] == [
        ("pain", "choice", ["1", "3"]),
        ("age", "number", []),
    ]
    assert learnt.labels == ["no", "yes"]
    assert learnt.masks().astype(int).tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    with pytest.raises(UserError, match="categories must be columns"):
        encoder(Risk(categories=["pane"]), pain=["1"] * 6)


def test_ignored_columns_and_those_of_one_value_or_of_free_text_are_not_read():
    texts = [f"note {row}" for row in range(60)]
    columns = {"a": ["1", "2"] * 30, "b": ["5"] * 60, "c": texts, "d": ["3", "4"] * 30}
    train = Examples({**columns, "label": ["no", "yes"] * 30, "row": texts}, "people.csv")
    assert [column.name for column in Risk(ignored=["d"]).encode(train).columns] == ["a"]


def test_several_labels_may_mean_the_same(tmp_path):
    path = tmp_path / "heart.csv"
    path.write_text("age,num\n" + "".join(f"{30 + row},{row % 3}\n" for row in range(30)))
    task = Risk(
        data=str(path), label_column="num", label_names={"0": "absent", "1": "present", "2": "present"}
    )
    splits = task.load()
    assert task.encode(splits.train).labels == ["absent", "present"]
    plain = Risk(data=str(path), label_column="num")
    with pytest.raises(UserError, match="more than two labels"):
        plain.encode(plain.load().train)


def test_a_table_without_a_header_is_read_by_the_place_of_its_label(tmp_path):
    path = tmp_path / "heart.csv"
    path.write_text("".join(f"{30 + row},{row % 2}\n" for row in range(30)))
    splits = Risk(data=str(path), label_column="1").load()
    assert set(splits.train.columns) == {"0", "label", "row"}


def test_a_table_without_a_column_of_labels_is_refused(tmp_path):
    path = tmp_path / "heart.csv"
    path.write_text("age,sex\n3,f\n")
    with pytest.raises(UserError, match=r"no column of labels.*age, sex"):
        Risk(data=str(path)).load()


def test_the_sample_is_of_masses_that_are_benign_or_malignant():
    splits = Risk().load()
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 569
    assert Risk().encode(splits.train).labels == ["benign", "malignant"]


def test_an_export_reads_rows_as_the_task_does():
    task = Risk(categories=["pain"])
    learnt = encoder(task, pain=["1", "3"] * 3, age=["30", "40", "?", "60", "70", "80"])
    loader = Predictor.__new__(Predictor)
    loader.settings = {"columns": [list(column) for column in learnt.scaled]}
    read = loader.features(["age=44 pain=3", '{"age": null, "pain": 1.0}'])["row"]
    own = task.features(task.read([{"age": 44.0, "pain": "3"}, {"age": None, "pain": "1"}]), learnt)
    np.testing.assert_array_equal(read, own)


def test_a_choice_that_is_a_number_may_be_written_with_a_point():
    column = Column(name="pain", kind="choice", choices=["1", "3"])
    assert column.value("3.0") == column.value(3) == "3"
    with pytest.raises(UserError, match="pain"):
        column.value("2.0")
