"""Calibration: confidence that means what it says, a decision at a stated price, and when to say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.answers.calibration import (
    Calibration,
    fitted_temperature,
    threshold_for_cost,
    threshold_for_recall,
)
from core.answers.significance import proportion_interval
from core.errors import UserError

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples
    from core.run import Run
    from core.task.classification import Classification, LabelEncoder
    from core.task.contract import Encoder


LEAST_DIFFERENCE = 1e-6  # of probabilities: an export computes in single precision, a page shows six digits


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

    run.require("calibrate")
    asked = {"label": label, "recall": recall, "miss_cost": miss_cost, "abstain_below": abstain_below}
    _check_request(cast("LabelEncoder", run.encoder).labels, label, recall, miss_cost)
    validation = reloaded(run).validation
    if not len(validation):
        raise UserError(
            f"{run.folder} has no validation part to calibrate on: train with validation=0.1, for example. "
            "Received: 0 examples."
        )
    return _kept(run, run.model, cast("LabelEncoder", run.encoder), validation, asked)


def calibrated_at_once(run: Run, model: keras.Model, encoder: Encoder, validation: Examples) -> Encoder:
    """Return the encoder of a model just trained with the calibration that its task asks for, and keep that.

    Args:
        run: Where `calibration.json` goes.
        model: The trained model.
        encoder: What the task learnt; it is returned as it is where the task asks for none.
        validation: The examples that are calibrated on; where there are none, neither is calibrated.
    """
    asked = run.experiment.task.calibration_asked(encoder)
    if asked is None or not len(validation):
        return encoder
    request = {"label": None, "recall": None, "miss_cost": None, "abstain_below": None, **asked}
    calibration = _kept(run, model, cast("LabelEncoder", encoder), validation, request)
    return encoder.model_copy(update={"calibration": calibration})


def _kept(
    run: Run, model: keras.Model, encoder: LabelEncoder, validation: Examples, asked: Mapping[str, Any]
) -> Calibration:
    task, labels = cast("Classification", run.experiment.task), encoder.labels
    targets = encoder.ids(validation["label"], validation.source)
    raw = task.probabilities(model, encoder, validation)
    calibration = Calibration(temperature=fitted_temperature(targets, raw))
    tempered = calibration.tempered(raw)
    label, recall = asked["label"], asked["recall"]
    if label is not None:
        positive, probability = targets == labels.index(label), tempered[:, labels.index(label)]
        if recall is not None:
            threshold = threshold_for_recall(positive, probability, recall)
        else:
            threshold = threshold_for_cost(positive, probability, float(asked["miss_cost"] or 1.0))
        threshold = max(threshold - LEAST_DIFFERENCE, 0.0)
        calibration = calibration.model_copy(update={"label": label, "threshold": threshold})
    calibration = calibration.model_copy(update={"abstain_below": asked["abstain_below"]})
    figures = validation_figures(calibration, targets, raw, labels)
    calibration = Calibration(**{**calibration.model_dump(), "validation": {"asked": dict(asked), **figures}})
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
        positive = targets == place
        hits, among = int(((decided == place) & positive).sum()), int(positive.sum())
        low, high = proportion_interval(hits, among) if among else (0.0, 1.0)
        figures["decision"] = {
            "precision": hits / max(int((decided == place).sum()), 1),
            "recall": hits / max(among, 1),
            "recall_low": low,
            "recall_high": high,
            "specificity": float((decided != place)[~positive].mean()) if not positive.all() else 1.0,
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
