"""Links between people, as files have them."""

from pathlib import Path

import numpy as np
import pytest

from apps.recommendation.friends.links import links_beside, read_links
from apps.recommendation.friends.sample import links_of_taste
from core.data.examples import Examples
from core.errors import UserError


def written(folder: Path, text: str, name: str = "trust.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text", ["a b 1\nb c 1\n", "user,friend\na,b\nb,c\n", "a\tb\n\nb\tc\n", "a::b\nb::c\n"]
)
def test_links_are_read_with_and_without_names_and_weights(text, tmp_path):
    links = read_links(written(tmp_path, text))
    assert list(zip(links.people, links.trusted, strict=True)) == [("a", "b"), ("b", "c")]


def test_links_to_oneself_are_left_out_and_counted(tmp_path):
    links = read_links(written(tmp_path, "a a 1\na b 1\nb b 1\n"))
    assert (len(links), links.notes) == (1, ("2 links to oneself left out",))


def test_a_link_of_weight_0_or_less_is_left_out_and_counted(tmp_path):
    links = read_links(written(tmp_path, "a b 1\na c -1\n"))
    assert (links.trusted.tolist(), links.notes) == (["b"], ("1 link of weight 0 or less left out",))


def test_a_link_that_stands_twice_counts_once(tmp_path):
    assert len(read_links(written(tmp_path, "a b\na b\n"))) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a b 1\na\n", "line 2: a link needs two users"),
        ("a b friend\n", "line 1: a link needs two users"),
        ("a a\n", "no link between two people"),
        ("", "no link between two people"),
    ],
)
def test_what_is_no_link_is_refused_in_one_line(text, says, tmp_path):
    with pytest.raises(UserError, match=says) as refused:
        read_links(written(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_several_files_of_links_beside_the_ratings_are_refused(tmp_path):
    written(tmp_path, "a b\n")
    written(tmp_path, "a b\n", "links.csv")
    with pytest.raises(UserError, match="several files of links"):
        links_beside(tmp_path)


def test_links_of_taste_join_those_who_rate_alike():
    random = np.random.default_rng(0)
    users = np.repeat(np.arange(20), 12)
    items = np.concatenate([random.choice(30, 12, replace=False) for _ in range(20)])
    ratings = np.where(users % 2 == items % 2, 5.0, 1.0).astype(np.float32)
    columns = {"user": users.astype(str).astype(object), "item": items.astype(str).astype(object)}
    links = links_of_taste(Examples({**columns, "rating": ratings}, "made"), num_links=3)
    parities = links.people.astype(int) % 2 == links.trusted.astype(int) % 2
    assert len(links) > 40
    assert parities.mean() > 0.95
    assert (links.people != links.trusted).all()
