from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics

from core.metrics import NDCG, HitRate, MeanReciprocalRank, RecallAtK
from tests.core.metrics.streaming import BATCH_SIZES, figure

RANDOM = np.random.default_rng(0)
RELEVANT = (RANDOM.random((37, 50)) < 0.1).astype("float32")
RELEVANT[3] = 0
GRADES = RELEVANT * RANDOM.integers(1, 4, RELEVANT.shape)
SCORES = RANDOM.normal(size=(37, 50)).astype("float32")
USERS = RELEVANT.any(axis=1)
METRICS = [HitRate, RecallAtK, MeanReciprocalRank, NDCG]


def by_hand(metric, k):
    """The definition, user by user, in plain Python."""
    values = []
    for relevant, scores in zip(RELEVANT[USERS], SCORES[USERS], strict=True):
        hits = [bool(relevant[item]) for item in np.argsort(-scores)[:k]]
        first = next((1 / place for place, hit in enumerate(hits, start=1) if hit), 0.0)
        recall = sum(hits) / relevant.sum()
        values.append({HitRate: any(hits), RecallAtK: recall, MeanReciprocalRank: first}[metric])
    return np.mean(values)


@pytest.mark.parametrize("metric", METRICS[:3])
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_a_ranking_has_the_value_of_the_definition_whatever_the_batch_size(metric, batch_size):
    received = figure(metric(k=5), RELEVANT, SCORES, batch_size)
    assert received == pytest.approx(by_hand(metric, 5), rel=1e-5)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_ndcg_has_scikit_learns_value_whatever_the_batch_size(batch_size):
    expected = sklearn.metrics.ndcg_score(RELEVANT[USERS], SCORES[USERS], k=5)
    assert figure(NDCG(k=5), RELEVANT, SCORES, batch_size) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("k", [5, 60])
def test_ndcg_with_linear_gain_is_scikit_learns_for_grades(k):
    expected = sklearn.metrics.ndcg_score(GRADES[USERS], SCORES[USERS], k=k)
    assert figure(NDCG(k, gain="linear"), GRADES, SCORES, 7) == pytest.approx(expected, rel=1e-5)


def test_ndcg_with_binary_gain_does_not_see_grades():
    assert figure(NDCG(5), GRADES, SCORES, 37) == figure(NDCG(5), RELEVANT, SCORES, 37)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("score", [0.5, np.nan])
def test_a_constant_score_gains_nothing(metric, score):
    judged = metric(k=3)
    judged.update_state([[1, 0, 0, 0, 1]], [[score] * 5])
    assert float(judged.result()) == 0


def test_an_item_stands_behind_the_others_of_its_score():
    metric = MeanReciprocalRank(k=5)
    metric.update_state([[1, 0, 0, 0, 1]], [[0.5, 0.9, 0.5, 0.1, 0.2]])
    assert float(metric.result()) == pytest.approx(1 / 3)


def test_what_is_not_a_number_does_not_hide_the_scores_beside_it():
    metric = MeanReciprocalRank(k=2)
    metric.update_state([[1, 0, 0, 0]], [[0.5, np.nan, np.nan, 0.9]])
    assert float(metric.result()) == 0.5


@pytest.mark.parametrize("metric", METRICS)
def test_an_item_at_minus_infinity_is_not_found_even_where_the_list_is_longer_than_the_catalogue(metric):
    judged = metric(k=10)
    judged.update_state([[1, 0, 0]], [[-np.inf, 0.2, 0.1]])
    assert float(judged.result()) == 0


@pytest.mark.parametrize("metric", METRICS)
def test_the_best_others_stand_for_the_whole_catalogue(metric):
    others = -np.sort(-np.where(RELEVANT > 0, -np.inf, SCORES), axis=1)[:, :5]
    own = np.where(RELEVANT > 0, SCORES, -np.inf)
    labels = np.concatenate([np.zeros_like(others), RELEVANT], axis=1)
    few = figure(metric(5), labels, np.concatenate([others, own], axis=1), 37)
    assert few == figure(metric(5), RELEVANT, SCORES, 37)


def test_a_user_without_relevant_items_does_not_count():
    assert figure(HitRate(1), np.eye(2) * [1, 0], np.eye(2), 2) == 1


def test_users_of_weight_zero_do_not_count():
    weighted = figure(NDCG(5), RELEVANT, SCORES, 7, np.arange(37) < 5)
    assert weighted == pytest.approx(figure(NDCG(5), RELEVANT[:5], SCORES[:5], 5), rel=1e-6)


def test_a_list_of_no_length_is_refused():
    with pytest.raises(ValueError, match="Received: k=0"):
        HitRate(k=0)


def test_a_gain_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"binary, linear.*Received: gain='exponential'"):
        NDCG(gain="exponential")
