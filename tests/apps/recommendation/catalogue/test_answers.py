from dataclasses import replace

import numpy as np
import pytest

from apps.recommendation.catalogue.answers import Recommender
from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.catalogue.questions import Question, question
from core.errors import UserError


@pytest.fixture
def recommender() -> Recommender:
    """One that scores item `n` with `n`; user `ann` has seen `c`, user `bob` all."""
    encoder = RatingsEncoder(
        users=["ann", "bob"],
        items=["a", "b", "c"],
        user_counts=[1, 3],
        item_counts=[1, 1, 2],
        titles={"b": "The Bee"},
        mean=3.0,
        lowest=1.0,
        highest=5.0,
    )
    users, items = np.array([1, 2, 2, 2]), np.array([3, 1, 2, 3])
    seen = Interactions(users, items, np.ones(4, np.float32), 3, 4).matrix()
    return Recommender(
        encoder,
        user_scores=lambda users: np.tile(np.arange(4.0), (len(users), 1)),
        pair_scores=lambda users, items: users + items / 10,
        taste_scores=lambda tastes: tastes.matrix().toarray() @ np.eye(4)[:, [0, 2, 3, 1]],
        seen=seen,
        top=2,
        score_name="rating",
    )


def test_a_user_gets_the_best_items_that_are_new_to_them(recommender):
    (answer,) = recommender.answers([Question("ann")])
    assert answer == {
        "user": "ann",
        "recommendations": [{"item": "b", "title": "The Bee", "rating": 2.0}, {"item": "a", "rating": 1.0}],
    }


def test_a_list_tells_ratings_as_they_can_be_in_the_order_that_the_model_gives_them(recommender):
    bounded = replace(recommender, bounded=lambda scores: np.clip(scores, 1.0, 1.5))
    (answer,) = bounded.answers([Question("ann")])
    assert [(each["item"], each["rating"]) for each in answer["recommendations"]] == [("b", 1.5), ("a", 1.0)]


def test_a_user_who_has_seen_everything_gets_nothing(recommender):
    assert recommender.answers([Question("bob")]) == [{"user": "bob", "recommendations": []}]


def test_a_taste_gets_what_it_has_not_rated_and_no_user(recommender):
    (answer,) = recommender.answers([Question(ratings={"a": 5.0, "unheard of": 1.0})])
    assert [row["item"] for row in answer["recommendations"]] == ["c", "b"]
    assert "user" not in answer


def test_an_unknown_user_gets_what_is_rated_most_and_is_told_so(recommender):
    (answer,) = recommender.answers([Question("eve")])
    assert "never saw this user" in answer["note"]
    assert [row["item"] for row in answer["recommendations"]] == ["c", "a"]


def test_a_pair_gets_a_rating(recommender):
    (answer,) = recommender.answers([Question("bob", "b")])
    assert answer == {"user": "bob", "item": "b", "title": "The Bee", "rating": 2.2}


def test_a_pair_with_an_unknown_item_is_rated_and_told_so(recommender):
    (answer,) = recommender.answers([Question("ann", "z")])
    assert answer == {"user": "ann", "item": "z", "rating": 1.0, "note": "training never saw this item"}


def test_answers_are_in_the_order_of_the_questions(recommender):
    asked = [Question("eve"), Question("ann", "a"), Question("bob"), Question("ann")]
    assert [answer["user"] for answer in recommender.answers(asked)] == ["eve", "ann", "bob", "ann"]


@pytest.mark.parametrize(
    ("raw", "asked"),
    [
        ("196", Question("196")),
        (196, Question("196")),
        ({"user": 1, "item": "b"}, Question("1", "b")),
        ('{"user": "1", "item": 2}', Question("1", "2")),
        ({"user": "1"}, Question("1")),
        ({"ratings": {"2": 4}}, Question(ratings={"2": 4.0})),
        ('{"ratings": {"2": 4}, "item": 3}', Question(item="3", ratings={"2": 4.0})),
    ],
)
def test_a_question_is_read_from_ids_mappings_and_json(raw, asked):
    assert question(raw) == asked


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        None,
        1.5,
        '{"user": ',
        {"item": "2"},
        {"user": "1", "films": 3},
        {"user": "1", "ratings": {}},
        {"ratings": ["2"]},
        {"ratings": {"2": "much"}},
        {"ratings": {"2": float("inf")}},
    ],
)
def test_what_is_no_question_is_refused(raw):
    with pytest.raises(UserError):
        question(raw)
