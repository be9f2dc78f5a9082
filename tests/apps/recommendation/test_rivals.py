import numpy as np
import pytest

from apps.recommendation import rivals
from apps.recommendation.catalogue.interactions import Interactions


def interactions(triples: list[tuple[int, int, float]], num_users: int, num_items: int) -> Interactions:
    users, items, ratings = zip(*triples, strict=True)
    return Interactions(np.array(users), np.array(items), np.array(ratings, np.float32), num_users, num_items)


def test_biases_without_a_penalty_explain_what_is_a_sum_of_biases():
    triples = [
        (user, item, 3.0 + above + better)
        for user, above in ((1, 1.0), (2, -1.0))
        for item, better in ((1, 0.5), (2, -0.5))
    ]
    user_bias, item_bias = rivals.fitted_biases(interactions(triples, 3, 3), 3.0, 1e-9, 1e-9)
    np.testing.assert_allclose(user_bias[1:], [1, -1], atol=1e-6)
    np.testing.assert_allclose(item_bias[1:], [0.5, -0.5], atol=1e-6)


def test_the_bias_of_a_user_with_one_rating_is_drawn_to_zero():
    user_bias, _ = rivals.fitted_biases(interactions([(1, 1, 5.0)], 2, 2), 3.0, 3.0, 1e9)
    assert user_bias[1] == pytest.approx(2.0 / (1 + 3.0), abs=1e-6)


def test_neighbours_predict_what_was_said_of_a_twin_item():
    # Items 1 and 2 are always rated alike, above the mean by even users and below it by odd ones.
    triples = [
        (user, item, 4.0 if user % 2 == 0 else 2.0)
        for user in range(1, 21)
        for item in (1, 2)
        if (user, item) != (20, 2)
    ]
    triples += [(user, 3, 2.0 if user % 2 == 0 else 4.0) for user in range(1, 21)]
    score = rivals.item_neighbours(interactions(triples, 21, 4), mean=3.0, num_neighbours=1)
    biases = rivals.biases_only(interactions(triples, 21, 4), mean=3.0)
    user, item = np.array([20]), np.array([2])
    assert score(user, item)[0] > biases(user, item)[0] + 0.3


def test_neighbours_do_not_read_off_the_very_rating():
    data = interactions([(1, 1, 5.0), (2, 1, 1.0), (2, 2, 3.0), (3, 2, 4.0)], 4, 3)
    score, biases = rivals.item_neighbours(data, mean=3.0), rivals.biases_only(data, mean=3.0)
    user, item = np.array([1]), np.array([1])
    np.testing.assert_allclose(score(user, item), biases(user, item))


def test_neighbours_of_many_pairs_are_those_of_each_alone(monkeypatch):
    random = np.random.default_rng(0)
    pairs = np.argwhere(random.random((15, 12)) < 0.5)
    triples = [(user, item, random.integers(1, 6)) for user, item in pairs if user and item]
    score = rivals.item_neighbours(interactions(triples, 15, 12), mean=3.0, num_neighbours=3)
    users, items = random.integers(1, 15, 30), random.integers(1, 12, 30)
    together = score(users, items)
    monkeypatch.setattr(rivals, "BLOCK_ITEMS", 2)
    np.testing.assert_allclose(score(users, items), together, rtol=1e-6)
    alone = [score(users[row : row + 1], items[row : row + 1])[0] for row in range(30)]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_popularity_counts_ratings():
    score = rivals.popularity(interactions([(1, 2, 1), (2, 2, 5), (2, 1, 5)], 3, 3))
    assert score(np.array([1, 2])).tolist() == [[0, 1, 2], [0, 1, 2]]


def test_similar_items_add_up_shrunk_cosines():
    # Items 1 and 2 share user 1; item 1 has 2 users, item 2 one: cosine 1 / (sqrt(2) + shrinkage).
    score = rivals.similar_items(interactions([(1, 1, 1), (1, 2, 1), (2, 1, 1)], 3, 3), 5, shrinkage=1.0)
    expected = 1 / (2**0.5 + 1)
    np.testing.assert_allclose(score(np.array([2])), [[0, 0, expected]], rtol=1e-6)


def test_ease_of_two_items_is_the_case_worked_out_by_hand():
    # Gram matrix [[2, 1], [1, 1]] plus 1 on the diagonal has the inverse [[2, -1], [-1, 3]] / 5, so that the
    # weight from item 1 to item 2 is 1 / 3, and from item 2 to item 1 it is 1 / 2.
    data = interactions([(1, 1, 1), (1, 2, 1), (2, 1, 1)], 3, 3)
    score = rivals.ease(data, [1.0], lambda score: 0.0)(np.array([1, 2]))
    np.testing.assert_allclose(score, [[0, 1 / 2, 1 / 3], [0, 0, 1 / 3]], atol=1e-6)


def test_the_penalty_of_ease_is_that_which_is_judged_best():
    data = interactions([(1, 1, 1), (1, 2, 1), (2, 1, 1)], 3, 3)

    def scores(penalties: list[float], sign: float) -> np.ndarray:
        user = np.array([2])
        return rivals.ease(data, penalties, lambda score: sign * float(score(user).sum()))(user)

    np.testing.assert_allclose(scores([1.0, 9.0], 1.0), scores([1.0], 1.0))
    np.testing.assert_allclose(scores([1.0, 9.0], -1.0), scores([9.0], 1.0))
