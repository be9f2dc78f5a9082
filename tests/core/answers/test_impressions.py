import numpy as np
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from core.answers.impressions import Impressions
from core.answers.impressions.figures import figures_of

SCORES = np.array([0.3, 0.9, 0.1, 0.7, 0.5, 0.2, 0.4])
CLICKED = np.array([True, False, False, True, False, False, False])


def test_auc_is_that_of_scikit_learn_with_equal_scores_too():
    for scores in (SCORES, SCORES.round()):
        assert figures_of(scores, CLICKED)["auc"] == pytest.approx(roc_auc_score(CLICKED, scores))


@pytest.mark.parametrize("cutoff", [5, 10])
def test_ndcg_is_that_of_scikit_learn(cutoff):
    expected = ndcg_score(CLICKED[None].astype(float), SCORES[None], k=cutoff)
    assert figures_of(SCORES, CLICKED)[f"ndcg@{cutoff}"] == pytest.approx(expected)


def test_mrr_is_the_mean_over_all_clicks():
    assert figures_of(SCORES, CLICKED)["mrr"] == pytest.approx((1 / 2 + 1 / 5) / 2)


def test_equal_scores_put_the_clicked_candidate_last():
    assert figures_of(np.zeros(4), np.array([True, False, False, False]))["mrr"] == 0.25


def test_the_worst_mistake_is_the_impression_of_the_lowest_auc():
    rows = [
        {"user": "a", "scores": [1, 0, 0], "clicked": [1, 0, 0]},
        {"user": "b", "scores": [0, 1, 1], "clicked": [1, 0, 0]},
    ]
    answers = Impressions.from_rows(rows)
    assert answers.mistakes(1).tolist() == [1]
    assert answers.details()["places"][:3] == [1, 0, 1]
