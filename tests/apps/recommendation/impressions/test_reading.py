import gzip
import json

import numpy as np
import pytest

from apps.recommendation.impressions.labels import no_click_and_click
from apps.recommendation.impressions.reading import CRITEO, Reading, read_parts
from core.data.examples import Examples
from core.errors import UserError
from tests.small_data import written


def read(path, **how):
    parts, notes = read_parts(str(path), Reading(**how))
    return parts, notes


def test_blanks_about_values_and_signs_of_missing_ones_are_taken_away(tmp_path):
    path = written(tmp_path / "clicks.csv", "price,device,click\n 1.5, phone,1\n?,NA,0\n")
    parts, _ = read(path)
    np.testing.assert_array_equal(parts["train"]["price"], [1.5, np.nan])
    assert parts["train"]["device"].tolist() == ["phone", ""]
    assert parts["train"]["label"].tolist() == ["1", "0"]


def test_a_file_without_a_header_has_its_label_by_position_and_its_names_by_setting(tmp_path):
    path = written(tmp_path / "clicks.csv", "39,Private,<=50K\n50,State,>50K\n")
    parts, _ = read(path, label="2", names=["age", "work", "income"])
    assert list(parts["train"].columns) == ["age", "work", "label", "row"]


def test_labels_of_a_test_part_that_end_in_a_dot_are_those_of_training(tmp_path):
    written(tmp_path / "adult-train.csv", "age,income\n39,low\n50,high\n")
    written(tmp_path / "adult-test.csv", "age,income\n20,low.\n30,high.\n")
    parts, _ = read(tmp_path, label="income")
    assert parts["test"]["label"].tolist() == ["low", "high"]


def test_criteo_is_read_as_published(tmp_path):
    line = ["1", *["5"] * 12, "", *["68fd1e64"] * 25, ""]
    path = written(tmp_path / "train.txt", "\n".join(["\t".join(line), "\t".join(["0", *line[1:]])]) + "\n")
    parts, _ = read(path)
    train = parts["train"]
    assert [name for name in train.columns if name != "row"] == [*CRITEO[1:], "label"]
    assert train["I1"].tolist() == [5.0, 5.0]
    assert np.isnan(train["I13"]).all()
    assert (train["C1"][0], train["C26"][0]) == ("68fd1e64", "")


def test_libsvm_of_as_many_ids_a_row_has_a_column_for_each_place(tmp_path):
    path = tmp_path / "train.libfm.gz"
    path.write_bytes(gzip.compress(b"1 3:1 7:1\n-1 4:1 7:1\n"))
    parts, _ = read(path)
    assert parts["train"]["field_1"].tolist() == ["3", "4"]
    assert parts["train"]["label"].tolist() == ["1", "-1"]


def test_libsvm_of_more_and_fewer_ids_is_one_column_of_several_values(tmp_path):
    parts, _ = read(written(tmp_path / "train.svm", "+1 3:1 7:1\n0 4:1\n"))
    assert parts["train"]["features"].tolist() == ["3|7", "4"]
    assert parts["train"]["label"].tolist() == ["1", "0"]


def test_libsvm_of_amounts_has_a_column_of_numbers_for_each_id(tmp_path):
    parts, _ = read(written(tmp_path / "train.svm", "1 3:0.5 7:1\n0 7:2\n"))
    assert parts["train"]["feature_3"].tolist() == [0.5, 0.0]
    assert parts["train"]["feature_7"].tolist() == [1.0, 2.0]


def test_parquet_keeps_its_types_and_joins_its_lists(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {"code": ["1", None], "price": [2, None], "tags": [["a", "b"], []], "click": [True, False]}
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    parts, _ = read(tmp_path / "train.parquet")
    train = parts["train"]
    assert train["code"].tolist() == ["1", ""]
    np.testing.assert_array_equal(train["price"], [2, np.nan])
    assert train["tags"].tolist() == ["a|b", ""]
    assert train["label"].tolist() == ["true", "false"]


def test_json_lines_may_hold_lists_of_values(tmp_path):
    rows = [{"tags": ["a", "b"], "click": 1}, {"tags": [], "click": 0}]
    path = written(tmp_path / "clicks.jsonl", "\n".join(map(json.dumps, rows)))
    parts, _ = read(path)
    assert parts["train"]["tags"].tolist() == ["a|b", ""]


def test_numbers_that_are_named_as_ids_are_names_unless_it_is_said_otherwise(tmp_path):
    path = written(tmp_path / "clicks.csv", "user_id,price,click\n1,2,1\n2,3,0\n")
    parts, notes = read(path)
    assert parts["train"]["user_id"].tolist() == ["1", "2"]
    assert any("user_id" in note for note in notes)
    parts, notes = read(path, numbers=["user_id"])
    assert parts["train"]["user_id"].tolist() == [1.0, 2.0]
    assert not notes


@pytest.mark.parametrize(
    ("content", "how", "said"),
    [
        ("a,click\n1,1\n2\n", {}, "line 3"),
        ("a,b\n1,1\n", {}, "no column of clicks"),
        ("a,b\n1,1\n", {"label": "bought"}, "'bought'"),
        ("a,click\n1,1\n2,\n", {}, "row 2"),
        ("click\n1\n0\n", {}, "no column beside"),
        ("a,click\n1,1\n", {"names": ["a"]}, "1 names, 2 columns"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_line(tmp_path, content, how, said):
    with pytest.raises(UserError, match=said) as refusal:
        read(written(tmp_path / "clicks.csv", content), **how)
    assert "\n" not in str(refusal.value)


def test_a_line_that_is_no_libsvm_is_refused_by_its_number(tmp_path):
    with pytest.raises(UserError, match="line 2"):
        read(written(tmp_path / "train.libsvm", "1 3:1\n0 x\n"))


def test_a_part_that_lacks_a_column_is_refused(tmp_path):
    written(tmp_path / "train.csv", "a,b,click\n1,x,1\n2,y,0\n")
    written(tmp_path / "test.csv", "a,click\n1,1\n")
    with pytest.raises(UserError, match=r"test.csv lacks a column that train.csv has: b"):
        read(tmp_path)


def test_a_text_among_the_numbers_of_a_test_part_is_refused_by_its_row(tmp_path):
    written(tmp_path / "train.csv", "a,click\n1,1\n2,0\n")
    written(tmp_path / "test.csv", "a,click\n1,1\nmany,0\n")
    with pytest.raises(UserError, match=r"row 2: column 'a'.*'many'"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("labels", "positive", "said"),
    [
        (["0", "1", "2"], None, "two values"),
        (["0", "0"], None, "all are alike"),
        (["a", "b"], "c", "one of the labels"),
    ],
)
def test_labels_that_are_not_two_are_refused(labels, positive, said):
    with pytest.raises(UserError, match=said):
        no_click_and_click(Examples({"label": labels}), positive)


@pytest.mark.parametrize(
    ("labels", "click"),
    [(["-1", "1", "1"], "1"), (["yes", "yes", "no"], "yes"), (["a", "a", "b"], "b"), (["f", "t", "t"], "t")],
)
def test_a_click_is_the_label_that_says_so_or_else_the_rarer_one(labels, click):
    assert no_click_and_click(Examples({"label": labels}))[1] == click
