"""What classifiers answer and how they are judged, accumulated in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.answers.calibration import Calibration
from core.answers.decisions import answers
from core.answers.rows import Figures, Write

EVALUATION_BATCH = 256


def answers_of(
    probabilities: np.ndarray, labels: Sequence[str], calibration: Calibration | None = None
) -> list[dict[str, Any]]:
    """Return answers as JSON: the label, its probability, those of all labels, and whether it abstains.

    Args:
        probabilities: Of a model, shape `(num_examples, num_labels)`.
        labels: The names of the columns.
        calibration: Changes the probabilities, and can choose another label than the likeliest.
    """
    calibration = calibration or Calibration()
    return answers(
        calibration.tempered(probabilities),
        labels,
        label=calibration.label,
        threshold=calibration.threshold,
        abstain_below=calibration.abstain_below,
    )


class ClassificationFigures:
    """Accuracy, F1, log loss, calibration and the table of classes, accumulated as counts.

    Args:
        labels: The names of the classes, in the order of the columns of probabilities.

    Example:

    >>> judge = ClassificationFigures(["bad", "good"])
    >>> judge.update(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> judge.result()["accuracy"]
    1.0
    """

    def __init__(self, labels: Sequence[str]) -> None:
        from core.metrics import ExpectedCalibrationError, F1Score

        self.labels = labels
        self.f1 = F1Score(len(labels))
        self.accuracy = F1Score(len(labels), average="micro")
        self.calibration = ExpectedCalibrationError()
        self.nats = 0.0
        self.count = 0

    def update(self, targets: np.ndarray, probabilities: np.ndarray) -> None:
        """Count a batch.

        Args:
            targets: Class indices, int, shape `(batch_size,)`.
            probabilities: Shape `(batch_size, num_labels)`; rows sum to 1.
        """
        for metric in (self.f1, self.accuracy, self.calibration):
            metric.update_state(targets, probabilities)
        likelihood = np.take_along_axis(probabilities, targets[:, None], axis=1)
        self.nats -= float(np.log(np.maximum(likelihood, 1e-12)).sum())
        self.count += len(targets)

    def result(self) -> Figures:
        """Return the figures of all that was counted; `per_class` holds the table."""
        columns = self.f1.per_class()
        return {
            "accuracy": float(self.accuracy.result()),
            "macro_f1": float(self.f1.result()),
            "log_loss": self.nats / max(self.count, 1),
            "calibration_error": float(self.calibration.result()),
            "per_class": {
                label: {name: values[place].item() for name, values in columns.items()}
                for place, label in enumerate(self.labels)
            },
        }


def figures_of(
    targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None = None
) -> Figures:
    """Return a rival's figures from its probabilities for the whole test part, without the table.

    Args:
        targets: Class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, num_labels)`; rows sum to 1.
        labels: The names of the columns.
        write: Called with a row an example, as `evaluate` does.
    """
    if write is not None:
        for start in range(0, len(targets), EVALUATION_BATCH):
            said = answers_of(probabilities[start : start + EVALUATION_BATCH], labels)
            for target, answer in zip(targets[start : start + EVALUATION_BATCH], said, strict=True):
                write({"true": labels[target], **answer})
    judge = ClassificationFigures(labels)
    judge.update(targets, probabilities)
    return {name: value for name, value in judge.result().items() if name != "per_class"}
