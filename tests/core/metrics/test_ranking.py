from __future__ import annotations

import keras
import numpy as np
import pytest
import sklearn.metrics

from core.metrics import NDCG, HitRate, MeanReciprocalRank, RecallAtK

RANDOM = np.random.default_rng(0)
RELEVANT = (RANDOM.random((37, 50)) < 0.1).astype("float32")
RELEVANT[3] = 0
SCORES = RANDOM.normal(size=(37, 50)).astype("float32")
METRICS = [HitRate, RecallAtK, MeanReciprocalRank, NDCG]


def counted(metric, batch_size, weights=None):
    for start in range(0, 37, batch_size):
        rows = slice(start, start + batch_size)
        metric.update_state(RELEVANT[rows], SCORES[rows], None if weights is None else weights[rows])
    return float(metric.result())


def by_hand(name, k):
    """The definition, user by user, in plain Python."""
    values = []
    for relevant, scores in zip(RELEVANT, SCORES, strict=True):
        if relevant.any():
            hits = [bool(relevant[item]) for item in np.argsort(-scores)[:k]]
            first = next((1 / place for place, hit in enumerate(hits, start=1) if hit), 0.0)
            values.append(
                {"HitRate": any(hits), "RecallAtK": sum(hits) / relevant.sum(), "MeanReciprocalRank": first}[
                    name
                ]
            )
    return np.mean(values)


@pytest.mark.parametrize("metric", METRICS[:3])
@pytest.mark.parametrize("batch_size", [7, 37])
def test_value_is_the_definitions_whatever_the_batch_size(metric, batch_size):
    assert counted(metric(k=5), batch_size) == pytest.approx(by_hand(metric.__name__, 5), rel=1e-5)


@pytest.mark.parametrize("batch_size", [7, 37])
def test_ndcg_value_is_scikit_learns(batch_size):
    users = RELEVANT.any(axis=1)
    expected = sklearn.metrics.ndcg_score(RELEVANT[users], SCORES[users], k=5)
    assert counted(NDCG(k=5), batch_size) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_a_constant_score_has_no_value(metric):
    judged = metric(k=3)
    judged.update_state([[1, 0, 0, 0, 1]], [[0.5] * 5])
    assert float(judged.result()) == 0


@pytest.mark.parametrize("metric", METRICS)
def test_an_item_at_minus_infinity_is_of_no_value_even_where_the_list_is_longer_than_the_catalogue(metric):
    judged = metric(k=10)
    judged.update_state([[1, 0, 0]], [[-np.inf, 0.2, 0.1]])
    assert float(judged.result()) == 0


def test_a_user_without_relevant_items_does_not_change_the_value():
    with_user, without = HitRate(5), HitRate(5)
    with_user.update_state(RELEVANT[:5], SCORES[:5])
    without.update_state(np.delete(RELEVANT[:5], 3, 0), np.delete(SCORES[:5], 3, 0))
    assert float(with_user.result()) == float(without.result())


def test_users_of_weight_zero_do_not_change_the_value():
    weights = np.arange(37) < 5
    few = NDCG(5)
    few.update_state(RELEVANT[:5], SCORES[:5])
    assert counted(NDCG(5), 7, weights) == pytest.approx(float(few.result()), rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_comes_back_from_its_configuration(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric(k=7)))
    assert (again.k, again.name) == (7, metric(k=7).name)


def test_a_list_of_no_length_is_refused():
    with pytest.raises(ValueError, match="Received: k=0"):
        HitRate(k=0)
