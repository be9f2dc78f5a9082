from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.choices import read_choices
from core.data.ratings import RatingsForm, read_ratings
from core.data.tables import Form
from core.errors import UserError
from core.experiment import load_experiment
from tests.small_data import written

TABLE = "userId,movieId,rating,timestamp\n1,10,4.5,100\n2,20,3,200\n"
YELP = RatingsForm(columns={"user": "user_id", "item": "business_id", "rating": "STARS", "time": "date"})


def columns(examples) -> dict[str, list]:
    return {name: column.tolist() for name, column in examples.columns.items()}


def test_columns_of_ratings_may_be_named(tmp_path):
    content = "user_id,business_id,stars,date\nu0,b36,3.0,2020-11-15T23:02:47\n"
    examples, _ = read_ratings(written(tmp_path / "yelp.csv", content), how=YELP)
    assert columns(examples) == {"user": ["u0"], "item": ["b36"], "rating": [3.0], "time": [1605481367]}


def test_a_column_of_ratings_that_is_not_there_is_refused_with_its_setting(tmp_path):
    path = written(tmp_path / "a.csv", "user,item,likes\n1,2,3\n")
    with pytest.raises(UserError, match="name it by rating_column, or rank by choices alone"):
        read_ratings(path)
    with pytest.raises(UserError, match="no column 'stars'"):
        read_ratings(path, how=RatingsForm(columns={"rating": "stars"}))


def test_columns_without_names_may_be_given_by_position(tmp_path):
    path = written(tmp_path / "a.csv", "1605481367,7,9,3.5\n1605481368,8,9,4\n")
    how = RatingsForm(columns={"user": "1", "item": "2", "rating": "3", "time": "0"})
    assert columns(read_ratings(path, how=how)[0])["rating"] == [3.5, 4.0]


def test_decimal_commas_beside_semicolons_are_numbers(tmp_path):
    path = written(tmp_path / "a.csv", "userId;movieId;rating\n0;36;3,5\n0;20;4\n")
    assert read_ratings(path)[0]["rating"].tolist() == [3.5, 4.0]
    path = written(tmp_path / "b.csv", "0;36;3,5\n0;20;4,0\n")
    assert read_ratings(path)[0]["rating"].tolist() == [3.5, 4.0]


@pytest.mark.parametrize(("number", "unit"), [(10**3, "ms"), (10**6, "us"), (10**9, "ns")])
def test_times_in_parts_of_a_second_are_read_as_seconds_and_said(tmp_path, number, unit):
    path = written(tmp_path / "a.csv", f"user,item,rating,timestamp\n1,2,3,{1605481367 * number + 123}\n")
    examples, notes = read_ratings(path)
    assert examples["time"].tolist() == [1605481367]
    assert notes == (f"times of a.csv read as {unit} since 1970",)


def test_dates_that_may_be_read_in_two_ways_are_refused_with_the_setting(tmp_path):
    path = written(tmp_path / "a.csv", "user,item,rating,time\n1,2,3,01/02/2020\n")
    with pytest.raises(UserError, match="time_format"):
        read_ratings(path)
    examples, _ = read_ratings(path, how=RatingsForm(time_format="d/m/y"))
    assert examples["time"].tolist() == [1580515200]


def test_times_without_names_are_never_learnt_as_ratings(tmp_path):
    content = "".join(f"0,{item},{1605481367 + item},3.0\n" for item in range(9))
    with pytest.raises(UserError, match="holds times and no ratings"):
        read_ratings(written(tmp_path / "a.csv", content))


@pytest.mark.parametrize("name", ["a.csv", "utf16.csv", "a.parquet", "a.json", "a.tsv"])
def test_every_kind_of_table_holds_the_same_ratings(tmp_path, name):
    path, rows = tmp_path / name, [line.split(",") for line in TABLE.splitlines()]
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif name == "a.json":
        path.write_text(json.dumps(records))
    else:
        text = TABLE.replace(",", "\t") if name == "a.tsv" else TABLE
        path.write_text(text, encoding="utf-16" if name.startswith("utf16") else "utf-8")
    for read in (read_ratings, read_choices):
        assert columns(read(path)[0]) == {
            "user": ["1", "2"],
            "item": ["10", "20"],
            "rating": [4.5, 3.0],
            "time": [100, 200],
        }


def test_ratings_in_another_encoding_are_read_as_named(tmp_path):
    path = written(tmp_path / "a.csv", "user,item,rating\nJosé,x,3\n".encode("cp1252"))
    with pytest.raises(UserError, match=r"encoding=cp1252.*José"):
        read_ratings(path)
    assert read_ratings(path, how=RatingsForm(Form(encoding="cp1252")))[0]["user"].tolist() == ["José"]


REPEATED = "user,item,rating,time\n1,2,5,300\n1,2,2,100\n1,3,4,50\n" + "".join(
    f"{user},{item},3,{user}\n" for user in range(4, 24) for item in range(5)
)


@pytest.mark.parametrize("task", ["ratings", "rankings"])
@pytest.mark.parametrize(("duplicates", "rating"), [("mean", 3.5), ("last", 5.0), ("keep", None)])
def test_several_ratings_of_a_pair_are_joined_as_asked_and_said(tmp_path, task, duplicates, rating):
    path = written(tmp_path / "a.csv", REPEATED)
    task = load_experiment(f"recommendation/{task}", [f"data={path}", f"duplicates={duplicates}"]).task
    splits = task.load()
    rows = [
        (user, item, value)
        for part in (splits.train, splits.validation, splits.test)
        for user, item, value in zip(
            *(part[name].tolist() for name in ("user", "item", "rating")), strict=True
        )
    ]
    assert len(rows) == (103 if rating is None else 102)
    if rating is not None:
        assert ("1", "2", rating) in rows
        assert any("1 pair of a user and an item of several ratings" in note for note in splits.notes)


def test_several_ratings_of_a_pair_are_refused_on_request(tmp_path):
    path = written(tmp_path / "a.csv", REPEATED)
    task = load_experiment("recommendation/ratings", [f"data={path}", "duplicates=refuse"]).task
    with pytest.raises(UserError, match=r"several ratings of one item by one user.*such as 1 and 2"):
        task.load()
