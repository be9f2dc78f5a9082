"""Calibration: confidence that means what it says, a decision at a stated price, and when to say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.answers.calibration import (
    Calibration,
    fitted_temperature,
    threshold_for_cost,
    threshold_for_recall,
)
from core.errors import UserError

if TYPE_CHECKING:
    from core.run import Run


def calibrated(
    run: Run,
    *,
    label: str | None = None,
    recall: float | None = None,
    miss_cost: float | None = None,
    abstain_below: float | None = None,
) -> Calibration:
    """Fit a run's calibration on its validation part and keep it as `calibration.json`, which `predict` uses.

    Args:
        run: A finished run of a classification.
        label: The class whose threshold is chosen, by `recall` or by `miss_cost`.
        recall: Share of its examples that are to be found, above 0, at most 1.
        miss_cost: What it costs to miss one, where a false alarm costs 1.
        abstain_below: Mark answers of less confidence as abstained, 0 to 1.

    Raises:
        UserError: The task can't be calibrated, there is no validation part, or the request is contradictory.
    """
    from core.run_data import reloaded
    from core.task.classification import Classification, LabelEncoder

    run.require("calibrate")
    task, encoder = cast(Classification, run.experiment.task), cast(LabelEncoder, run.encoder)
    labels = encoder.labels
    _check_request(labels, label, recall, miss_cost)
    validation = reloaded(run).validation
    if not len(validation):
        raise UserError(
            f"{run.folder} has no validation part to calibrate on: train with validation=0.1, for example. "
            "Received: 0 examples."
        )
    targets = encoder.ids(validation["label"], validation.source)
    raw = task.probabilities(run.model, encoder, validation)
    calibration = Calibration(temperature=fitted_temperature(targets, raw))
    tempered = calibration.tempered(raw)
    if label is not None:
        positive, probability = targets == labels.index(label), tempered[:, labels.index(label)]
        if recall is not None:
            threshold = threshold_for_recall(positive, probability, recall)
        else:
            threshold = threshold_for_cost(positive, probability, float(miss_cost or 1.0))
        calibration = calibration.model_copy(update={"label": label, "threshold": threshold})
    calibration = calibration.model_copy(update={"abstain_below": abstain_below})
    asked = {"label": label, "recall": recall, "miss_cost": miss_cost, "abstain_below": abstain_below}
    figures = validation_figures(calibration, targets, raw, labels)
    calibration = Calibration(**{**calibration.model_dump(), "validation": {"asked": asked, **figures}})
    run.write_json("calibration.json", calibration.model_dump())
    return calibration


def validation_figures(
    calibration: Calibration, targets: np.ndarray, raw: np.ndarray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return what a calibration does to the figures of the examples it is judged on, before and after."""
    from core.answers.classes.figures import figures_of

    tempered = calibration.tempered(raw)
    before, after = (figures_of(targets, each, labels) for each in (raw, tempered))
    names = ("log_loss", "calibration_error")
    figures: dict[str, Any] = {
        "examples": len(targets),
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
    }
    decided = calibration.decided(tempered, labels)
    if calibration.label is not None:
        place = list(labels).index(calibration.label)
        hits = int(((decided == place) & (targets == place)).sum())
        figures["decision"] = {
            "precision": hits / max(int((decided == place).sum()), 1),
            "recall": hits / max(int((targets == place).sum()), 1),
            "said": float((decided == place).mean()),
            "accuracy": float((decided == targets).mean()),
        }
    if calibration.abstain_below is not None:
        kept = ~calibration.abstains(tempered)
        right = (decided == targets)[kept]
        figures["abstention"] = {
            "answered": float(kept.mean()),
            "accuracy_of_answered": float(right.mean()) if len(right) else None,
        }
    return figures


def _check_request(
    labels: Sequence[str], label: str | None, recall: float | None, miss_cost: float | None
) -> None:
    if label is None and (recall is not None or miss_cost is not None):
        raise UserError("A threshold is of one class: add --label. Received: no --label.")
    if label is not None and label not in labels:
        raise UserError(f"--label must be one of {', '.join(labels[:20])}. Received: {label}.")
    if label is not None and (recall is None) == (miss_cost is None):
        raise UserError("With --label give either --recall or --miss-cost. Received: both or neither.")
    if recall is not None and not 0 < recall <= 1:
        raise UserError(f"--recall must be above 0 and at most 1. Received: {recall}.")
    if miss_cost is not None and not 0 < miss_cost < np.inf:
        raise UserError(f"--miss-cost must be above 0. Received: {miss_cost}.")
