from __future__ import annotations

import json

import numpy as np
import pytest

from apps.nlp.sentiment import Sentiment
from core.data.class_names import with_one_name_a_class
from core.data.examples import Examples, Ragged
from core.errors import UserError
from core.task.classification import LabelEncoder


def named(*labels: str) -> list[str]:
    parts, _ = with_one_name_a_class({"train": Examples({"label": list(labels)})}, "label")
    return parts["train"]["label"].tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["pos", "pos ", " pos", "neg"], ["pos", "pos", "pos", "neg"]),
        (["pos\u00a0", "pos\t"], ["pos", "pos"]),
        (["caf\u00e9", "cafe\u0301"], ["caf\u00e9", "caf\u00e9"]),
        (["1", "1.0", "0.0", "0"], ["1", "1", "0", "0"]),
        (["1.5", "1.50", "-1", "-1."], ["1.5", "1.5", "-1", "-1"]),
        (["1.0", "2.0"], ["1.0", "2.0"]),
        (["01", "1"], ["01", "1"]),
        (["1.1", "1.10.2"], ["1.1", "1.10.2"]),
    ],
)
def test_a_class_has_one_name_however_it_is_spelt(labels, expected):
    assert named(*labels) == expected


def test_the_parts_of_a_source_share_the_names():
    parts = {"train": Examples({"label": ["1", "0"]}), "test": Examples({"label": ["1.0", "0 "]})}
    parts, notes = with_one_name_a_class(parts, "label")
    assert parts["test"]["label"].tolist() == ["1", "0"]
    assert notes == ("'0 ' is read as the class '0'", "'1.0' is read as the class '1'")


def test_ragged_labels_have_one_name_too():
    tags = Ragged.from_rows([["X ", "O"], ["X"]], np.dtypes.StringDType())
    parts, _ = with_one_name_a_class({"train": Examples({"label": tags})}, "label")
    assert parts["train"].ragged("label").values.tolist() == ["X", "O", "X"]


def test_a_model_knows_a_class_of_other_data_by_another_spelling():
    names = np.array(["1.0", "0 ", "1"], np.dtypes.StringDType())
    assert LabelEncoder(labels=["0", "1"]).ids(names, "a.csv").tolist() == [1, 0, 1]


def written(tmp_path, rows: list[dict]):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", ["neg"]), ("label", {"name": "neg"}), ("text", ["a"]), ("text", {"en": "a"}), ("label", [])],
)
def test_a_list_or_a_mapping_is_no_text_and_no_label(tmp_path, column, value):
    good = [{"text": f"text {row}", "label": str(row % 2)} for row in range(9)]
    path = written(tmp_path, [*good, {"text": "last", "label": "1", column: value}])
    with pytest.raises(
        UserError, match=rf"a\.jsonl, line 10: a {column} must be a text or a number"
    ) as caught:
        Sentiment(data=str(path)).load()
    assert len(str(caught.value).splitlines()) == 1


def test_a_nested_column_that_is_not_used_does_no_harm(tmp_path):
    path = written(
        tmp_path, [{"text": f"t {row}", "label": row % 2, "meta": {"id": row}} for row in range(20)]
    )
    assert len(Sentiment(data=str(path)).load().train)


def test_numbers_as_labels_are_one_class_however_they_are_written(tmp_path):
    values = (1, 1.0, 0, 0.0)
    path = written(tmp_path, [{"text": f"text {row}", "label": values[row % 4]} for row in range(40)])
    splits = Sentiment(data=str(path)).load()
    assert set(splits.train["label"].tolist()) == {"0", "1"}
    assert "'1.0' is read as the class '1'" in splits.notes


def test_blanks_are_no_label(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,x\nb,  \n", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.csv, line 3"):
        Sentiment(data=str(path)).load()
