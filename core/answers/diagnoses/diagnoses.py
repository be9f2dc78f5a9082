"""Whether somebody has something: what a threshold finds and misses, and whom a decision by it helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.calibration import Calibration
from core.answers.diagnoses.findings import findings
from core.answers.diagnoses.pictures import pictures
from core.answers.kind import Tree
from core.answers.rows import Direction, Figures, Write
from core.answers.significance import proportion_interval
from core.answers.two_classes.two_classes import TwoClasses, written_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.finding import Finding

THRESHOLDS = np.linspace(0.01, 0.99, 99)  # of a decision curve


class Diagnoses(TwoClasses):
    """Answers of two classes, of which the second is what is looked for, such as an illness.

    Args:
        labels: Names of the two classes; what is looked for is the second.
        targets: True class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, 2)`; rows sum to 1.

    Example:

    >>> likely = np.array([0.1, 0.3, 0.4, 0.9])
    >>> answers = Diagnoses(["well", "ill"], np.array([0, 1, 0, 1]), np.stack([1 - likely, likely], axis=1))
    >>> {name: round(value, 2) for name, value in answers.statistics(np.arange(4)).items()}
    {'auc': 0.75, 'accuracy': 0.75, 'log_loss': 0.48, 'calibration_error': 0.32}
    """

    kind: ClassVar[str] = "diagnoses"
    figures: ClassVar[Mapping[str, Direction]] = {
        "auc": "max",
        "accuracy": "max",
        "log_loss": "min",
        "calibration_error": "min",
    }

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices; accuracy is that of the likelier class."""
        accuracy = float((self.answers[rows] == self.targets[rows]).mean())
        statistics = {**super().statistics(rows), "accuracy": accuracy}
        return {name: statistics[name] for name in self.figures}

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the curves and tables of a report, as plain data."""
        chosen = calibration or Calibration()
        tempered = Diagnoses(self.labels, self.targets, chosen.tempered(self.probabilities))
        return {
            **super().details(calibration),
            "decision_curve": tempered.decision_curve(),
            "operating_point": tempered.operating_point(chosen),
        }

    def told_of(
        self, rows: np.ndarray, calibration: Calibration | None = None
    ) -> dict[str, dict[str, float | None]]:
        """Return the area under the curve of a group of people, and what the threshold finds and clears."""
        chosen = calibration or Calibration()
        targets, probabilities = self.targets[rows], self.probabilities[rows]
        group = Diagnoses(self.labels, targets, chosen.tempered(probabilities))
        point, known = group.operating_point(chosen), 0 < targets.sum() < len(rows)
        area = group.statistics(np.arange(len(rows)))["auc"] if known else None
        return {
            "auc": {"value": area, "low": None, "high": None},
            "recall": point["recall"],
            "specificity": point["specificity"],
        }

    def operating_point(self, calibration: Calibration) -> dict[str, Any]:
        """Return what a calibration's decision finds and misses, each share with its interval.

        Args:
            calibration: Has been applied to these probabilities; its threshold has not.
        """
        said = calibration.decided(self.probabilities, self.labels) == 1
        return {
            "threshold": calibration.threshold if calibration.label == self.labels[1] else None,
            "asked_recall": calibration.validation.get("asked", {}).get("recall"),
            **shares_found(self.targets == 1, said),
        }

    def decision_curve(self) -> dict[str, Any]:
        """Return the net benefit of treating from each probability on, beside treating all and nobody.

        Source: Vickers and Elkin, Decision Curve Analysis: A Novel Method for Evaluating Prediction Models
        (2006).
        """
        ill, count, odds = self.targets == 1, len(self), THRESHOLDS / (1 - THRESHOLDS)
        found, alarms = (
            len(likely) - np.searchsorted(np.sort(likely), THRESHOLDS, side="left")
            for likely in (self.likely[ill], self.likely[~ill])
        )
        return {
            "threshold": THRESHOLDS.tolist(),
            "model": ((found - alarms * odds) / count).tolist(),
            "all": ((ill.sum() - (~ill).sum() * odds) / count).tolist(),
        }

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def shares_found(positive: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Return counts, and recall, specificity and predictive values, each with its 95% interval.

    Args:
        positive: Whether each example is of the class, bool, shape `(num_examples,)`.
        said: Whether it is said to be, of the same shape.

    Example:

    >>> found = shares_found(np.array([True, True, False]), np.array([True, False, False]))
    >>> found["recall"]["value"], found["specificity"]["value"]
    (0.5, 1.0)
    """
    parts = {
        "recall": (said & positive, positive),
        "specificity": (~said & ~positive, ~positive),
        "positive_predictive_value": (said & positive, said),
        "negative_predictive_value": (~said & ~positive, ~said),
    }
    shares = {name: _share(int(hits.sum()), int(among.sum())) for name, (hits, among) in parts.items()}
    counts = {
        "found": int((said & positive).sum()),
        "missed": int((~said & positive).sum()),
        "false_alarms": int((said & ~positive).sum()),
        "cleared": int((~said & ~positive).sum()),
    }
    return {**counts, **shares}


def _share(hits: int, among: int) -> dict[str, float | None]:
    low, high = proportion_interval(hits, among) if among else (None, None)
    return {"value": hits / among if among else None, "low": low, "high": high}


def figures_of(
    targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None = None
) -> Figures:
    """Return AUC, accuracy, log loss and calibration error over all examples.

    Args:
        targets: Class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, 2)`; rows sum to 1.
        labels: The names of the columns; what is looked for is the second.
        write: Called with a row an example, as `evaluate` does.
    """
    written_rows(targets, probabilities, labels, write)
    return Diagnoses(labels, targets, probabilities).statistics(np.arange(len(targets)))
