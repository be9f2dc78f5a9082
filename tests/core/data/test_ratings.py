from __future__ import annotations

import gzip
import os
import re

import pytest

from core.data.ratings import read_ratings, read_titles
from core.errors import UserError
from tests.small_data import written


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.csv", "userId,movieId,rating,timestamp\n1,10,4.5,100\n2,20,3,200\n"),
        ("u.data", "1\t10\t4.5\t100\n2\t20\t3\t200\n"),
        ("ratings.dat", "1::10::4.5::100\n2::20::3::200\n"),
        ("ratings.txt", " 1  10 4.5 100\n 2  20 3 200\n"),
        ("ratings.csv", "user_id,user,item,rating,time\n7,1,10,4.5,100\n\n8,2,20,3,200\n"),
        (
            "a.inter",
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t4.5\t100\n2\t20\t3\t200\n",
        ),
    ],
)
def test_ratings_are_read_from_every_format(tmp_path, name, content):
    written(tmp_path / name, content)
    examples, _ = read_ratings(tmp_path)
    assert examples["user"].tolist() == ["1", "2"]
    assert examples["item"].tolist() == ["10", "20"]
    assert examples["rating"].tolist() == [4.5, 3.0]
    assert examples["time"].tolist() == [100, 200]


def test_ratings_without_time_are_read(tmp_path):
    examples, _ = read_ratings(written(tmp_path / "ratings.txt", "1 10 4.5\n2 20 3\n"))
    assert "time" not in examples
    assert len(examples) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(b"user,item,rating\nNA,x,3\n", mtime=0)),
        ("a.jsonl", '{"user": "NA", "item": "x", "rating": 3}\n'),
    ],
)
def test_ratings_are_read_packed_and_from_json_and_na_is_a_name(tmp_path, name, content):
    examples, _ = read_ratings(written(tmp_path / name, content))
    assert [examples[name].tolist() for name in ("user", "item", "rating")] == [["NA"], ["x"], [3.0]]


def test_the_line_of_a_bad_rating_counts_blank_lines_too(tmp_path):
    path = written(tmp_path / "ratings.csv", "user,item,rating\n1,2,3\n\n\n1,3,bad\n")
    with pytest.raises(UserError, match="line 5"):
        read_ratings(path)


def test_fields_too_many_are_refused_and_not_shifted(tmp_path):
    with pytest.raises(UserError, match=r"ratings\.csv can't be read as ratings"):
        read_ratings(written(tmp_path / "ratings.csv", "user,item,rating\n1,2,3,4,5,6\n"))


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("ratings.csv", "user,item,rating\n1,2,3\n1,3,4,5,6\n2,2,bad\n2,3,1\n", 3),
        ("u.data", "1\t2\t3\t4\n1\t3\t4\t5\t6\n2\t3\t1\t4\n", 2),
        ("ratings.dat", "1::2::3::4\n1::3::4::5::6\n2::3::1::4\n", 2),
    ],
)
def test_a_line_of_fields_too_many_is_named_or_left_out_and_counted(tmp_path, name, content, line):
    path = written(tmp_path / name, content)
    with pytest.raises(UserError, match=f"line {line}: .*no more fields"):
        read_ratings(path)
    examples, notes = read_ratings(path, skip_bad=True)
    assert examples["item"].tolist() == ["2", "3"]
    assert re.search(r"1 bad line of|2 bad lines of", notes[0])


def test_a_table_of_titles_without_titles_is_refused(tmp_path):
    written(tmp_path / "movies.csv", "broken\n1\n")
    with pytest.raises(UserError, match=r"movies\.csv can't be read as titles: an id and a title"):
        read_titles(tmp_path / "ratings.csv")


def test_a_time_beyond_all_seconds_is_refused(tmp_path):
    with pytest.raises(UserError, match="line 1"):
        read_ratings(written(tmp_path / "u.data", "1\t2\t3\t1e300\n"))


@pytest.mark.parametrize("value", ["nan", "inf", "1e300", "good", ""])
def test_a_rating_that_is_no_number_is_refused_with_its_line(tmp_path, value):
    path = written(tmp_path / "ratings.csv", f"userId,movieId,rating\n1,10,4\n2,20,{value}\n")
    with pytest.raises(UserError, match="line 3"):
        read_ratings(path)
    assert len(read_ratings(path, skip_bad=True)[0]) == 1


@pytest.mark.parametrize("content", ["", "userId,movieId,stars\n1,2,3\n", os.urandom(2000)])
def test_what_is_no_table_of_ratings_is_refused(tmp_path, content):
    with pytest.raises(UserError, match=r"ratings\.csv"):
        read_ratings(written(tmp_path / "ratings.csv", content))


def test_titles_are_found_beside_the_ratings(tmp_path):
    written(tmp_path / "movies.csv", 'movieId,title,genres\n10,"Heat, 1995",Crime\n')
    assert read_titles(tmp_path / "ratings.csv") == {"10": "Heat, 1995"}
    assert read_titles(tmp_path / "elsewhere" / "ratings.csv") == {}


@pytest.mark.parametrize("content", ["", "movieId\n1\n", b"\xff\xfe\xff"])
def test_titles_that_are_no_table_are_refused_by_name(tmp_path, content):
    written(tmp_path / "movies.csv", content)
    with pytest.raises(UserError, match=r"movies\.csv can't be read as titles"):
        read_titles(tmp_path)


def test_titles_are_found_by_the_names_of_their_columns(tmp_path):
    written(tmp_path / "movies.csv", "title,genres,movieId\nHeat,Crime,10\n")
    assert read_titles(tmp_path) == {"10": "Heat"}


@pytest.mark.parametrize("header", ["movieId,genres", "10,Heat", "title,genres"])
def test_titles_without_a_column_of_titles_or_ids_are_refused(tmp_path, header):
    written(tmp_path / "movies.csv", f"{header}\n20,Alien\n")
    with pytest.raises(UserError, match=r"movies\.csv can't be read as titles: an id and a title"):
        read_titles(tmp_path)


@pytest.mark.parametrize("name", ["NA", "None", "null", "nan", "NaN", "N/A", "n/a", "-", "true"])
def test_ids_and_titles_may_read_like_nothing(tmp_path, name):
    written(tmp_path / "movies.csv", f"movieId,title\n{name},{name}\n")
    assert read_titles(tmp_path) == {name: name}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(("file", "mark"), [("movies.dat", "::"), ("u.item", "|")])
def test_titles_of_movielens_are_read_in_either_of_their_encodings(tmp_path, file, mark, encoding):
    line = f"10{mark}Am\u00e9lie{mark}Comedy\n"
    assert read_titles(written(tmp_path / file, line.encode(encoding)).parent) == {"10": "Am\u00e9lie"}


def test_a_quote_in_a_title_of_movielens_is_a_quote(tmp_path):
    content = '1::"Great" Performances::Drama\n2::"The Cats::Drama\n3::Heat::Crime\n'
    titles = read_titles(written(tmp_path / "movies.dat", content).parent)
    assert titles == {"1": '"Great" Performances', "2": '"The Cats', "3": "Heat"}


def test_a_table_of_items_without_titles_has_none(tmp_path):
    assert read_titles(written(tmp_path / "a.item", "item_id:token\tclass:token\n1\tx\n").parent) == {}


def test_blanks_around_ids_are_no_part_of_them(tmp_path):
    examples, _ = read_ratings(written(tmp_path / "ratings.csv", "user,item,rating\n 1, a ,3\n1,a,4\n"))
    assert set(examples["user"].tolist()) == {"1"}
    assert set(examples["item"].tolist()) == {"a"}


def test_an_id_of_blanks_is_none(tmp_path):
    with pytest.raises(UserError, match="line 2"):
        read_ratings(written(tmp_path / "ratings.csv", "user,item,rating\n  ,a,3\n1,a,4\n"))


def test_lists_of_items_are_no_ratings(tmp_path):
    lines = "\n".join(" ".join(map(str, [70, *range(70)])) for _ in range(3))
    with pytest.raises(UserError, match=r"columns without names.*71 columns"):
        read_ratings(written(tmp_path / "ratings.txt", lines))


@pytest.mark.parametrize(
    ("line", "kind"),
    [("{0},{0},{1},3.0", "times"), ("{0},{0},{2},1605481367", "ids"), ("{0} {0} {2}", "ids")],
)
def test_columns_without_names_of_which_the_third_holds_no_ratings_are_refused(tmp_path, line, kind):
    lines = "\n".join(line.format(row, 1605481367 + row, 7 * row) for row in range(200))
    with pytest.raises(UserError, match=f"third column of .* holds {kind}"):
        read_ratings(written(tmp_path / "ratings.txt", lines))


def test_counts_of_plays_may_be_ratings(tmp_path):
    lines = "\n".join(f"{row % 10} {row} {row % 90 + 1}" for row in range(200))
    assert len(read_ratings(written(tmp_path / "ratings.txt", lines))[0]) == 200


def test_other_files_of_ratings_in_a_folder_are_named(tmp_path):
    for name in ("ratings.csv", "a.inter"):
        written(tmp_path / name, "user,item,rating\n1,2,3\n")
    assert read_ratings(tmp_path)[1] == ("ratings.csv is read, and passed over are a.inter",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-05-31", "2024-06-01"),
        ("2024-05-31T12:00:00", "2024-06-01T12:00:00"),
        ("2024-05-31 12:00:00.5+02:00", "2024-06-01T10:00:00Z"),
    ],
)
def test_iso_dates_are_read_as_seconds(tmp_path, first, second):
    path = tmp_path / "ratings.csv"
    path.write_text(f"userId,movieId,rating,timestamp\n1,2,3,{second}\n1,4,3,{first}\n", "utf-8")
    later, earlier = read_ratings(path)[0]["time"].tolist()
    assert later - earlier == 86_400


def test_a_time_that_is_no_date_is_refused_by_its_line(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating,timestamp\n1,2,3,2024-05-31\n1,4,3,soon\n", "utf-8")
    with pytest.raises(UserError, match=r"line 3: .*ISO date"):
        read_ratings(path)
