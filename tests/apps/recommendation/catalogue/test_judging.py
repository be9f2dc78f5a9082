import numpy as np
import pytest

from apps.recommendation.catalogue import judging
from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.catalogue.judging import ranking_figures, rankings, rating_figures


def interactions(pairs: list[tuple[int, int]], num_users: int, num_items: int) -> Interactions:
    users, items = np.array(pairs, np.int32).T
    return Interactions(users, items, np.ones(len(pairs), np.float32), num_users, num_items)


def test_rating_errors_are_those_worked_out_by_hand():
    data = Interactions(np.array([1, 2]), np.array([1, 1]), np.array([3.0, 5.0], np.float32), 3, 2)
    figures = rating_figures(lambda users, items: np.array([4.0, 2.0])[users - 1], data)
    assert figures == {"rmse": pytest.approx(5**0.5), "mae": pytest.approx(2.0)}


def test_what_a_user_has_seen_and_the_unknown_item_are_not_recommended():
    seen = interactions([(1, 3)], 3, 5).matrix()
    scores = np.array([[9, 1, 2, 8, 4], [9, 4, 3, 2, 1]], np.float32)
    (ranking,) = rankings(lambda users: scores[users - 1], np.array([1, 2]), seen, top=3)
    assert ranking.items.tolist() == [[4, 2, 1], [1, 2, 3]]


def test_a_list_is_no_longer_than_what_is_left():
    seen = interactions([(1, 1), (1, 2)], 2, 4).matrix()
    (ranking,) = rankings(lambda users: np.ones((1, 4)), np.array([1]), seen, top=3)
    assert ranking.items.tolist() == [[3, 0, 0]]


def test_ranking_figures_are_those_worked_out_by_hand():
    # User 1 finds 2 of 3 at places 1 and 3, the third is unknown; user 2 finds nothing; user 0 is not judged.
    seen = interactions([(1, 4)], 3, 15).matrix()
    scores = np.tile(np.arange(15, 0, -1.0), (3, 1))
    data = interactions([(1, 1), (1, 3), (1, 0), (2, 14), (0, 5)], 3, 15)
    figures = ranking_figures(lambda users: scores[users], data, seen)
    gain = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3) + 1 / np.log2(4))
    assert figures["ndcg@10"] == pytest.approx(gain / 2, abs=1e-6)
    assert figures["hit_rate@10"] == pytest.approx(0.5)
    assert figures["mrr@10"] == pytest.approx(0.5)
    assert figures["recall@10"] == pytest.approx(1 / 3, abs=1e-6)
    assert figures["users"] == 2


def test_a_constant_score_finds_nothing():
    data = interactions([(1, 20)], 2, 30)
    seen = interactions([(1, 1)], 2, 30).matrix()
    assert ranking_figures(lambda users: np.zeros((len(users), 30)), data, seen)["hit_rate@10"] == 0


def test_the_size_of_the_blocks_does_not_change_the_figures(monkeypatch):
    random = np.random.default_rng(0)
    scores = random.normal(size=(20, 40)).astype(np.float32)
    held, seen = (np.argwhere(random.random((20, 40)) < 0.1) for _ in range(2))
    data, mask = interactions(held, 20, 40), interactions(seen, 20, 40).matrix()
    whole = ranking_figures(lambda users: scores[users], data, mask)
    monkeypatch.setattr(judging, "SCORES_IN_BLOCK", 100)
    assert ranking_figures(lambda users: scores[users], data, mask) == pytest.approx(whole)


def test_figures_at_other_lengths_stand_beside_those_at_ten():
    seen = interactions([(1, 14)], 2, 15).matrix()
    scores = np.tile(np.arange(15, 0, -1.0), (2, 1))
    figures = ranking_figures(
        lambda users: scores[users], interactions([(1, 7)], 2, 15), seen, cutoffs=(5, 12)
    )
    assert [figures[f"hit_rate@{length}"] for length in (5, 10, 12)] == [0.0, 1.0, 1.0]
    assert figures["ndcg@12"] == pytest.approx(1 / np.log2(8), abs=1e-6)
