import numpy as np
import pytest

from apps.recommendation.articles.reading import folders_of_parts, read_impressions, read_parts, read_titles
from core.errors import UserError
from tests.small_data import written

TITLES = {"N1": "Rain in the north", "N2": "A goal at last", "N3": "New law passed"}
GOOD = "1\tU1\t11/15/2019 8:55:22 AM\tN1 N2\tN3-1 N1-0\n"


def part(folder, behaviors=GOOD, titles=TITLES):
    folder.mkdir(parents=True)
    lines = [f"{item}\tnews\tlocal\t{title}\tabstract\turl\t[]\t[]\n" for item, title in titles.items()]
    written(folder / "news.tsv", "".join(lines))
    return written(folder / "behaviors.tsv", behaviors)


def test_impressions_are_read_as_mind_has_them(tmp_path):
    examples, notes = read_impressions(part(tmp_path / "data"), TITLES)
    assert {name: examples[name].tolist() for name in examples.columns} == {
        "user": ["U1"],
        "time": [1_573_808_122],
        "history": ["N1 N2"],
        "candidates": ["N3 N1"],
        "clicked": ["1 0"],
    }
    assert not notes


def test_titles_of_all_parts_are_read(tmp_path):
    part(tmp_path / "MINDsmall_train")
    part(tmp_path / "MINDsmall_dev", titles={"N9": 'A "quoted" title'})
    assert read_titles(tmp_path) == {**TITLES, "N9": 'A "quoted" title'}


def test_the_dev_part_is_the_test_part_where_there_is_no_other(tmp_path):
    part(tmp_path / "MINDsmall_train")
    part(tmp_path / "MINDsmall_dev")
    parts, notes = read_parts(tmp_path, TITLES)
    assert list(parts) == ["train", "test"]
    assert "dev" in notes[0]


def test_folders_named_after_parts_are_the_parts(tmp_path):
    for name in ("train", "dev", "test"):
        part(tmp_path / name)
    assert set(folders_of_parts(tmp_path)) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("N3-1", "N3-0"), "no click"),
        (GOOD.replace("N3-1", "N3"), "N1-1 N2-0"),
        (GOOD.replace("N2\t", "N77\t"), "N77"),
        (GOOD.replace("11/15/2019", "2019-11-15"), "time"),
        ("1\tU1\t11/15/2019 8:55:22 AM\tN3-1 N1-0\n", "4 columns"),
    ],
)
def test_a_bad_impression_is_refused_by_its_line_or_left_out_and_counted(tmp_path, line, said):
    path = part(tmp_path / "data", GOOD + line)
    with pytest.raises(UserError, match="line 2") as refused:
        read_impressions(path, TITLES)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    examples, notes = read_impressions(path, TITLES, skip_bad=True)
    assert len(examples) == 1
    assert "1 bad line" in notes[0]


def test_an_impression_all_of_which_was_clicked_is_left_out_with_a_note(tmp_path):
    path = part(tmp_path / "data", GOOD + GOOD.replace("N1-0", "N1-1"))
    examples, notes = read_impressions(path, TITLES)
    np.testing.assert_array_equal(examples["clicked"], ["1 0"])
    assert "all was clicked" in notes[0]


def test_an_article_without_a_title_column_is_refused_by_its_line(tmp_path):
    part(tmp_path / "data")
    written(tmp_path / "data" / "news.tsv", "N1\tnews\n")
    with pytest.raises(UserError, match=r"news\.tsv, line 1: .*2 columns"):
        read_titles(tmp_path / "data")


def test_impressions_without_titles_beside_them_are_refused(tmp_path):
    part(tmp_path / "data")
    (tmp_path / "data" / "news.tsv").unlink()
    with pytest.raises(UserError, match=r"news\.tsv"):
        read_titles(tmp_path / "data")
