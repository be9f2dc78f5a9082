"""Calibration: confidence that means what it says, a decision at a stated price, and when to say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from core.answers.decisions import decided
from core.errors import UserError
from core.settings import Settings

LEAST_PROBABILITY = 1e-12  # keeps logarithms finite
TEMPERATURES = (0.05, 20.0)  # that are searched


class Calibration(Settings):
    """What is done to a classifier's probabilities before they are answered; a run's `calibration.json`.

    Example:

    >>> Calibration(temperature=2.0).tempered(np.array([[0.9, 0.1]])).round(2).tolist()
    [[0.75, 0.25]]
    """

    temperature: float = Field(1.0, gt=0, description="logits are divided by it; above 1 makes less sure")
    label: str | None = Field(None, description="class that has a threshold of its own")
    threshold: float | None = Field(
        None, ge=0, le=1, description="predict that class from this probability, else the likeliest other"
    )
    abstain_below: float | None = Field(
        None, ge=0, le=1, description="mark an answer whose highest probability is below this as abstained"
    )
    validation: dict[str, Any] = Field({}, description="what was asked for, and the figures it was chosen by")

    @model_validator(mode="after")
    def _threshold_has_a_label(self) -> Calibration:
        if (self.label is None) != (self.threshold is None):
            raise ValueError("label and threshold belong together")
        return self

    def tempered(self, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities at this temperature, of the same shape; the order of classes stays.

        Source: Guo et al., On Calibration of Modern Neural Networks (2017), equation 9.
        """
        if self.temperature == 1.0:
            return probabilities
        from scipy.special import softmax

        return softmax(np.log(np.maximum(probabilities, LEAST_PROBABILITY)) / self.temperature, axis=-1)

    def decided(self, probabilities: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        """Return the index of the class that each row of tempered probabilities is answered with."""
        return decided(probabilities, labels, self.label, self.threshold)

    def abstains(self, probabilities: np.ndarray) -> np.ndarray:
        """Return whether each row of tempered probabilities is too unsure to be answered, bool."""
        return probabilities.max(axis=-1) < (self.abstain_below or 0.0)


def fitted_temperature(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature of least log loss.

    Args:
        targets: Class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, num_classes)`, of examples that the model did not learn from.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017), section 4.2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    own = np.take_along_axis(logits, targets[:, None], axis=1)[:, 0]

    def log_loss(log_temperature: float) -> float:
        coldness = np.exp(-log_temperature)
        return float(np.mean(logsumexp(coldness * logits, axis=1) - coldness * own))

    minimum = minimize_scalar(log_loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.exp(minimum.x))


def threshold_for_recall(positive: np.ndarray, probability: np.ndarray, recall: float) -> float:
    """Return the highest threshold at which at least this share of the positive examples is found.

    Args:
        positive: Whether each example is of the class, bool, shape `(num_examples,)`.
        probability: Of the class, of the same shape.
        recall: Above 0, at most 1.

    Raises:
        UserError: There is no positive example.

    Example:

    >>> threshold_for_recall(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), recall=1.0)
    0.4
    """
    sorted_probabilities = np.sort(probability[positive])[::-1]
    if not len(sorted_probabilities):
        raise UserError("A threshold needs examples of its class in the validation part. Received: none.")
    return float(sorted_probabilities[int(np.ceil(recall * len(sorted_probabilities) - 1e-9)) - 1])


def threshold_for_cost(positive: np.ndarray, probability: np.ndarray, miss_cost: float) -> float:
    """Return the threshold of least cost, where a false alarm costs 1.

    Args:
        positive: Whether each example is of the class, bool, shape `(num_examples,)`.
        probability: Of the class, of the same shape.
        miss_cost: What it costs not to find a positive example, above 0.

    Source: the choice by counts; with true probabilities it tends to `1 / (1 + miss_cost)`, Elkan, The
    Foundations of Cost-Sensitive Learning (2001), equation 2.

    Example:

    >>> threshold_for_cost(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), miss_cost=5)
    0.4
    """
    candidates = np.append(np.unique(probability), 1.0)
    place = np.searchsorted(candidates, probability)
    hits = np.bincount(place[positive], minlength=len(candidates))
    alarms = np.bincount(place[~positive], minlength=len(candidates))
    missed = np.cumsum(hits) - hits
    false_alarms = np.cumsum(alarms[::-1])[::-1]
    return float(candidates[np.argmin(miss_cost * missed + false_alarms)])
