from __future__ import annotations

from typing import Any

import pytest

from core.reporting.findings import findings_of


def tree(**changes: Any) -> dict[str, Any]:
    """Figures of a model with nothing to mend."""
    return {
        "kind": None,
        "figures": [
            {
                "name": "accuracy",
                "value": 0.9,
                "low": 0.89,
                "high": 0.91,
                "confidence": 0.95,
                "lower_is_better": False,
                "rivals": {"popularity": 0.5, "neighbours": 0.7},
                "beside": {},
            }
        ],
        "history": {"loss": [1.0, 0.5, 0.4], "val_loss": [1.0, 0.55, 0.55]},
        "objective": {"name": "val_loss", "direction": "min"},
        "mean_loss": 0.1,
        "worst_slice": None,
        "slice_figure": "accuracy",
        "audit": [],
        "cost": {"data_wait_share": 0.01},
        "data": {"train": 1000, "test": 500},
        "details": {},
        "calibration": None,
        **changes,
    }


def figure(**changes: Any) -> list[dict[str, Any]]:
    return [{**tree()["figures"][0], **changes}]


def titles(**changes: Any) -> list[str]:
    return [finding["title"] for finding in findings_of(tree(**changes))]


def test_a_model_with_nothing_to_mend_has_no_findings():
    assert titles() == []


PAIRED = {"bayes": {"gain": {"value": 0.1, "low": -0.01, "high": 0.2, "significant": False}}}
SLICE = {
    "column": "speaker",
    "value": "ann",
    "figure": 0.6,
    "rest": 0.95,
    "examples": 50,
    "p": 0.001,
    "excess": 0.03,
    "significant": True,
}


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"figures": figure(rivals={"bayes": 0.95})}, "bayes is better than the model"),
        ({"figures": figure(rivals={"bayes": 0.895})}, "No sure gain over bayes"),
        ({"figures": figure(rivals={"bayes": 0.8}, beside=PAIRED)}, "No sure gain over bayes"),
        (
            {"figures": figure(name="rmse", lower_is_better=True, rivals={"biases": 0.8, "mean": 2.0})},
            "biases is better than the model",
        ),
        ({"history": {"val_loss": [1.0, 0.5, 0.9]}}, "The model overfits"),
        (
            {"history": {"accuracy": [0.7, 0.99], "val_accuracy": [0.7, 0.8]}},
            "The model knows its training examples better than new ones",
        ),
        (
            {"history": {"val_loss": [1.0, 0.8, 0.6, 0.5]}},
            "The training stopped while it still gained",
        ),
        ({"worst_slice": SLICE}, "Worse where speaker is ann"),
        (
            {"audit": [{"kind": "examples of test also stand in train", "count": 40, "instances": ["x"]}]},
            "Data: 40 examples of test also stand in train",
        ),
        ({"cost": {"data_wait_share": 0.5}}, "The training waits for its data"),
        ({"figures": figure(low=0.8, high=0.99)}, "Few test examples: small gains can't be told from chance"),
    ],
)
def test_each_flaw_is_found_by_itself(changes, title):
    assert titles(**changes) == [title]


def test_a_slice_that_may_be_chance_is_not_reported():
    assert titles(worst_slice={**SLICE, "significant": False}) == []


def test_the_costliest_comes_first():
    findings = findings_of(
        tree(worst_slice=SLICE, figures=figure(rivals={"bayes": 0.95}), cost={"data_wait_share": 0.5})
    )
    assert [finding["title"] for finding in findings] == [
        "bayes is better than the model",
        "Worse where speaker is ann",
        "The training waits for its data",
    ]
    stakes = [finding["stake"] for finding in findings]
    assert stakes == sorted(stakes, reverse=True)


def test_every_finding_has_evidence_advice_and_a_place_to_look():
    (finding,) = findings_of(tree(worst_slice=SLICE))
    assert "0.600" in finding["evidence"]
    assert "0.950" in finding["evidence"]
    assert finding["advice"]
    assert finding["section"] == "slices"


def test_a_gain_that_is_sure_on_the_same_examples_is_no_finding_though_the_interval_holds_the_rival():
    sure = {"bayes": {"gain": {"value": 0.005, "low": 0.001, "high": 0.01, "significant": True}}}
    assert titles(figures=figure(rivals={"bayes": 0.895}, beside=sure)) == []


def test_a_loss_that_chance_can_make_is_reported_as_no_sure_gain():
    unsure = {"bayes": {"gain": {"value": -0.005, "low": -0.02, "high": 0.01, "significant": False}}}
    assert titles(figures=figure(rivals={"bayes": 0.905}, beside=unsure)) == ["No sure gain over bayes"]
    assert titles(figures=figure(rivals={"bayes": 0.905})) == ["No sure gain over bayes"]


def test_a_loss_that_is_sure_on_the_same_examples_is_reported_though_the_interval_holds_the_rival():
    sure = {"bayes": {"gain": {"value": -0.005, "low": -0.01, "high": -0.001, "significant": True}}}
    assert titles(figures=figure(rivals={"bayes": 0.905}, beside=sure)) == ["bayes is better than the model"]
