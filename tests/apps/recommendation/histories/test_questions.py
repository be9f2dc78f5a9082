"""Histories as people give them."""

import pytest

from apps.recommendation.histories.questions import history_of, note_of_unknown
from core.errors import UserError


@pytest.mark.parametrize(
    "value",
    [["50", 172], {"history": [50.0, "172"]}, '{"history": ["50", 172]}', "50 172", "50,172", ("50", "172")],
)
def test_a_history_may_be_given_in_several_ways(value):
    assert history_of(value) == ["50", "172"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "one item at least"),
        ("", "one item at least"),
        ({"items": ["50"]}, "Received the keys: items"),
        ({"history": "50"}, "a list of the ids"),
        (7, "a list of the ids"),
        ([None], "Received: None"),
        ([""], "Received: ''"),
        ("[50", "A history is JSON"),
    ],
)
def test_what_is_no_history_is_reported_in_a_line(value, message):
    with pytest.raises(UserError, match=message) as caught:
        history_of(value)
    assert "\n" not in str(caught.value)


def test_a_history_of_unknown_items_alone_is_refused_and_names_some():
    with pytest.raises(UserError, match=r"Received: a, b, c, \.\.\."):
        note_of_unknown(list("abcd"), list("abcd"))


def test_some_unknown_items_are_counted():
    assert note_of_unknown(["a", "b"], ["b"]) == "training never saw 1 of these 2 items: b"
    assert note_of_unknown(["a"], []) == ""
