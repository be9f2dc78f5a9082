from __future__ import annotations

import numpy as np
import pytest

from core.answers.rankings import Rankings
from core.metrics import NDCG, HitRate, MeanReciprocalRank, RecallAtK


def rows() -> list[dict]:
    random = np.random.default_rng(0)
    items = [str(item) for item in range(40)]
    return [
        {
            "user": str(user),
            "recommended": random.choice(items, 10, replace=False).tolist(),
            "chosen": random.choice(items, random.integers(1, 14), replace=False).tolist(),
        }
        for user in range(60)
    ]


@pytest.mark.parametrize("metric", [NDCG(10), HitRate(10), MeanReciprocalRank(10), RecallAtK(10)])
def test_the_figures_are_those_of_the_metrics_over_the_whole_catalogue(metric):
    for row in rows():
        scores, chosen = np.zeros((1, 40), np.float32), np.zeros((1, 40), np.float32)
        scores[0, [int(item) for item in row["recommended"]]] = np.arange(20, 10, -1)
        chosen[0, [int(item) for item in row["chosen"]]] = 1
        # What is not in the list was not found at any place.
        scores[0, scores[0] == 0] = -np.inf
        metric.update_state(chosen, scores)
    answers = Rankings.from_rows(rows())
    statistic = answers.statistics(np.arange(len(answers)))[metric.name]
    assert statistic == pytest.approx(float(metric.result()), abs=1e-6)


def test_a_short_list_and_one_that_misses_are_judged():
    answers = Rankings.from_rows(
        [
            {"user": "1", "recommended": ["x"], "chosen": ["x"]},
            {"user": "2", "recommended": ["x", "y"], "chosen": ["z"]},
        ]
    )
    assert answers.gains["ndcg@10"].tolist() == [1.0, 0.0]
    assert answers.mistakes(3).tolist() == [1]
    assert answers.details()["distinct_recommended"] == 2


def test_the_share_of_the_most_recommended_is_counted():
    listed = [{"user": str(user), "recommended": ["x", str(user)], "chosen": ["x"]} for user in range(30)]
    details = Rankings.from_rows(listed).details()
    assert details["share_of_most"] == pytest.approx((30 + 9) / 60)
    assert details["places"] == [30, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert details["often_recommended"][0] == {"item": "x", "users": 30}


def test_items_that_everybody_gets_are_named():
    listed = [{"user": str(user), "recommended": ["x", str(user)], "chosen": ["x"]} for user in range(30)]
    tree = {"details": Rankings.from_rows(listed).details()}
    assert [finding.title for finding in Rankings.findings(tree)] == ["Few items are recommended to many"]
