import numpy as np
import pytest

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.linear.ease import Ease
from apps.recommendation.linear.neighbours import ItemNeighbours
from apps.recommendation.linear.weights import strongest_rows, unexplained

EVERY_ITEM = np.arange(6)


@pytest.fixture
def data() -> Interactions:
    """What 40 users chose of 5 items; nobody has number 0, nor has any item."""
    random = np.random.default_rng(0)
    users, items = np.nonzero(random.random((40, 5)) < 0.4)
    ones = np.ones(len(users), np.float32)
    return Interactions(users.astype(np.int32) + 1, items.astype(np.int32) + 1, ones, 41, 6)


def test_ease_solves_the_ridge_regression_of_each_item_on_the_others(data):
    seen = data.matrix().toarray().astype(np.float64)
    rows = Ease(data, penalty=3.0).rows(EVERY_ITEM)
    for item in range(1, 6):
        others = [other for other in range(6) if other != item]
        features = seen[:, others]
        expected = np.linalg.solve(features.T @ features + 3 * np.eye(5), features.T @ seen[:, item])
        np.testing.assert_allclose(rows[item, others], expected, atol=1e-5)
        assert rows[item, item] == 0


def test_ease_of_a_large_catalogue_predicts_every_item_from_those_chosen_most(data):
    counts = np.bincount(data.items, minlength=6)
    rows = Ease(data, penalty=3.0, most_items=3).rows(EVERY_ITEM)
    most = np.sort(np.argsort(-counts, kind="stable")[:3])
    seen = data.matrix().toarray().astype(np.float64)
    for item in range(1, 6):
        others = [other for other in most if other != item]
        features = seen[:, others]
        expected = np.zeros(6)
        squares = features.T @ features + 3 * np.eye(len(others))
        expected[others] = np.linalg.solve(squares, features.T @ seen[:, item])
        np.testing.assert_allclose(rows[item], expected, atol=1e-5)


@pytest.mark.parametrize("most_items", [3, 100])
def test_scores_of_ease_are_the_sums_of_its_weights(data, most_items):
    ease, seen = Ease(data, penalty=3.0, most_items=most_items), data.matrix()
    np.testing.assert_allclose(ease.scores(seen), seen @ ease.rows(EVERY_ITEM).T, atol=1e-5)


@pytest.mark.parametrize("shrinkage", [0.0, 7.0])
def test_cosine_is_that_of_the_columns_of_choices_drawn_towards_zero(data, shrinkage):
    seen = data.matrix().toarray()
    rows = ItemNeighbours(data, "cosine", shrinkage).rows(np.array([2]))
    for item in (1, 3, 4, 5):
        lengths = np.linalg.norm(seen[:, 2]) * np.linalg.norm(seen[:, item])
        assert rows[0, item] == pytest.approx(seen[:, 2] @ seen[:, item] / (lengths + shrinkage))


def test_tf_idf_counts_those_less_who_chose_much():
    # Items 1 and 2 share a user who chose nothing else, items 3 and 4 one who chose all.
    users = np.array([1, 1, 2, 2, 2, 2], np.int32)
    items = np.array([1, 2, 1, 2, 3, 4], np.int32)
    rows = ItemNeighbours(Interactions(users, items, np.ones(6, np.float32), 3, 9), "tf_idf", 1.0).rows(
        np.array([1])
    )
    cosine = ItemNeighbours(Interactions(users, items, np.ones(6, np.float32), 3, 9), "cosine", 1.0).rows(
        np.array([1])
    )
    assert rows[0, 3] / rows[0, 2] < cosine[0, 3] / cosine[0, 2]


def test_bm25_is_a_product_of_choices_that_count_less_of_a_popular_item(data):
    seen = data.matrix().toarray().astype(np.float64)
    chosen = seen.sum(axis=1)
    rarity = np.log(6 / np.maximum(chosen, 1))
    rarity /= np.sqrt((chosen * rarity**2).sum() / chosen.sum())
    share = seen.sum(axis=0) / seen.sum(axis=0)[1:].mean()
    weighted = seen * rarity[:, None] * 2.2 / (1.2 * (0.25 + 0.75 * share) + 1)
    rows = ItemNeighbours(data, "bm25", shrinkage=2.0).rows(np.array([2]))
    for item in (1, 3, 4, 5):
        common = seen[:, 2] @ seen[:, item]
        assert rows[0, item] == pytest.approx(weighted[:, 2] @ weighted[:, item] * common / (common + 2))


def test_the_strongest_weights_of_each_item_are_kept_whatever_their_sign():
    class Known:
        def rows(self, items):
            return np.array([[0, 0, 0.1, -0.9, 0.5], [0, 0.2, 0, 0.3, -0.1]], np.float32)

    rows = strongest_rows(Known(), np.array([1, 4]), num_items=5, num_kept=2).toarray()
    expected = np.zeros((5, 5), np.float32)
    expected[1, [3, 4]] = -0.9, 0.5
    expected[4, [1, 3]] = 0.2, 0.3
    np.testing.assert_array_equal(rows, expected)


def test_what_is_unexplained_is_the_error_of_scores_at_their_best_scale(data):
    seen = data.matrix()
    rows = strongest_rows(Ease(data, 3.0), np.array([1, 2]), 6, 6)
    shares = unexplained(seen, rows, np.array([1, 2, 3]))
    for item, share in ((1, shares[0]), (2, shares[1])):
        chosen, scores = seen.toarray()[:, item], (seen @ rows.T).toarray()[:, item]
        scale = max(chosen @ scores / (scores @ scores), 0)
        expected = np.sum((chosen - scale * scores) ** 2) / chosen.sum()
        assert share == pytest.approx(expected, abs=1e-5)
    assert shares[2] == 1
