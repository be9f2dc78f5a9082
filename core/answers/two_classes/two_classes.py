"""Whether something happens, beside how likely it was said to be: figures, curves, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.calibration import LEAST_PROBABILITY, Calibration
from core.answers.classes.classes import Classes
from core.answers.classes.figures import EVALUATION_BATCH, answers_of
from core.answers.kind import Table, Tree
from core.answers.rows import Direction, Figures, Write
from core.answers.two_classes.findings import findings
from core.answers.two_classes.pictures import pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.finding import Finding

NUM_BINS = 15  # of calibration, each with about as many examples
CURVE_POINTS = 100
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of examples, the likeliest first, whose gain is told


class TwoClasses(Classes):
    """Answers of two classes, of which the second is the one that is asked about, however rare.

    Examples are judged by the probability of the second class, and not by which class is the likelier: of
    what happens once in a hundred times, that is always the first.

    Args:
        labels: Names of the two classes; what is asked about is the second.
        targets: True class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, 2)`; rows sum to 1.

    Example:

    >>> likely = np.array([0.1, 0.3, 0.4])
    >>> answers = TwoClasses(["no", "click"], np.array([0, 1, 0]), np.stack([1 - likely, likely], axis=1))
    >>> answers.statistics(np.arange(3))["auc"]
    0.5
    """

    kind: ClassVar[str] = "two_classes"
    figures: ClassVar[Mapping[str, Direction]] = {
        "auc": "max",
        "log_loss": "min",
        "normalised_entropy": "min",
        "calibration_error": "min",
    }
    mistakes_title: ClassVar[str] = "The answers of most loss"

    def __init__(self, labels: Sequence[str], targets: np.ndarray, probabilities: np.ndarray) -> None:
        if len(labels) != 2:
            raise KeyError(f"two classes; received {', '.join(labels)}")
        super().__init__(labels, targets, probabilities)
        self.likely = probabilities[:, 1]

    @property
    def right(self) -> np.ndarray | None:  # type: ignore[override]
        """Nothing: a probability is neither right nor wrong."""
        return None

    @classmethod
    def figure(cls) -> str:
        """Return the log loss, by which slices are compared: unlike an area, it is a mean over examples."""
        return "log_loss"

    @cached_property
    def losses(self) -> np.ndarray:
        """The log loss of each answer."""
        own = np.where(self.targets == 1, self.likely, self.probabilities[:, 0])
        return -np.log(np.maximum(own, LEAST_PROBABILITY))

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the mean log loss itself."""
        return mean_loss

    @cached_property
    def _ties(self) -> np.ndarray:
        """Which different probability each example has, counted from the least."""
        return np.unique(self.likely, return_inverse=True)[1]

    @cached_property
    def _bins(self) -> np.ndarray:
        """Which bin of about as many examples each example falls into; equal probabilities share one."""
        ranks = np.searchsorted(np.sort(self.likely), self.likely, side="right") - 1
        return ranks * NUM_BINS // max(len(self), 1)

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices, each as often as it stands there.

        Of examples that are all of one class, the area and the normalised entropy say nothing: they are 0.5
        and 1.
        """
        happened, likely, bins = self.targets[rows], self.likely[rows], self._bins[rows]
        log_loss = float(self.losses[rows].mean())
        rate = float(happened.mean())
        gaps = np.bincount(bins, weights=happened - likely, minlength=NUM_BINS)
        return {
            "auc": self._area(rows, happened),
            "log_loss": log_loss,
            "normalised_entropy": log_loss / _entropy(rate) if 0 < rate < 1 else 1.0,
            "calibration_error": float(np.abs(gaps).sum() / len(rows)),
        }

    def _area(self, rows: np.ndarray, happened: np.ndarray) -> float:
        """Return how often what happened was said to be likelier than what did not; equal ones count half."""
        ties, size = self._ties[rows], int(self._ties.max(initial=0)) + 1
        positive = np.bincount(ties, weights=happened, minlength=size)
        negative = np.bincount(ties, minlength=size) - positive
        pairs = positive.sum() * negative.sum()
        if not pairs:
            return 0.5
        below = np.cumsum(negative) - negative
        return float(np.sum(positive * (below + 0.5 * negative)) / pairs)

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the answers of most loss, worst first."""
        return np.argsort(-self.losses, kind="stable")[:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the curves and tables of a report, as plain data."""
        tempered = None
        if calibration is not None:
            tempered = TwoClasses(self.labels, self.targets, calibration.tempered(self.probabilities))
        return {
            "labels": self.labels,
            "rate": float(self.targets.mean()),
            "curves": self._curves(),
            "per_class": {self.labels[1]: self._areas()},
            "gain": self.gain(),
            "reliability": self.reliability(),
            "reliability_calibrated": tempered.reliability() if tempered else None,
            "decided": tempered.decided(calibration) if tempered and calibration else None,
        }

    def _curved(self) -> list[int]:
        return [1] if 0 < self.targets.sum() < len(self) else []

    def _areas(self) -> dict[str, float | None]:
        from sklearn.metrics import average_precision_score

        statistics = self.statistics(np.arange(len(self)))
        precision = float(average_precision_score(self.targets, self.likely)) if self._curved() else None
        return {"auc": statistics["auc"], "average_precision": precision}

    def reliability(self) -> dict[str, Any]:
        """Return how often it happened in each bin of about as many examples, beside how likely it was said.

        `expected_by_chance` is about the error that so few answers of a calibrated model would show.
        """
        count = np.bincount(self._bins, minlength=NUM_BINS)
        filled = count > 0
        happened = np.bincount(self._bins, weights=self.targets, minlength=NUM_BINS)[filled] / count[filled]
        likely = np.bincount(self._bins, weights=self.likely, minlength=NUM_BINS)[filled] / count[filled]
        # What a mean of so many answers strays by from its true value: of a normal, sqrt(2 / pi) deviations.
        strays = np.sqrt(2 / np.pi * likely * (1 - likely) / count[filled])
        return {
            "said": likely.tolist(),
            "happened": happened.tolist(),
            "count": count[filled].tolist(),
            "calibration_error": float(np.sum(count[filled] * np.abs(happened - likely)) / len(self)),
            "expected_by_chance": float(np.sum(count[filled] * strays) / len(self)),
            "mean_said": float(self.likely.mean()),
            "rate": float(self.targets.mean()),
            "log_loss": float(self.losses.mean()),
        }

    def gain(self) -> dict[str, Any]:
        """Return which share of all that happened lies among the examples that were said to be likeliest."""
        order = np.argsort(-self.likely, kind="stable")
        hits = np.cumsum(self.targets[order]) / max(self.targets.sum(), 1)
        shares = np.arange(1, len(self) + 1) / len(self)
        places = np.unique(np.linspace(0, len(self) - 1, CURVE_POINTS).round().astype(int))
        told = {share: float(hits[max(round(share * len(self)) - 1, 0)]) for share in SHARES}
        return {
            "x": shares[places].tolist(),
            "y": hits[places].tolist(),
            "told": [{"share": share, "hits": value, "lift": value / share} for share, value in told.items()],
        }

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how likely it was said to be, beside what was true."""
        place = f", row {row['row']} of test" if "row" in row else ""
        name, probability = list(row["probabilities"].items())[1]
        return f"true {row['true']}; {name} said with probability {probability:.4f}{place}"

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return none: there is one row of figures."""
        return None

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def _entropy(rate: float) -> float:
    return float(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate))


def figures_of(
    targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None = None
) -> Figures:
    """Return AUC, log loss, normalised entropy and calibration error over all examples.

    Args:
        targets: Class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, 2)`; rows sum to 1.
        labels: The names of the columns; what is asked about is the second.
        write: Called with a row an example, as `evaluate` does.

    Reference:
        Normalised entropy: He et al., Practical Lessons from Predicting Clicks on Ads at Facebook (2014),
        equation 1
    """
    written_rows(targets, probabilities, labels, write)
    return TwoClasses(labels, targets, probabilities).statistics(np.arange(len(targets)))


def written_rows(
    targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None
) -> None:
    """Write a row an example, in order, as `from_rows` reads them; nothing where there is no `write`."""
    if write is None:
        return
    for start in range(0, len(targets), EVALUATION_BATCH):
        block = slice(start, start + EVALUATION_BATCH)
        said = answers_of(probabilities[block], labels)
        for offset, (target, answer) in enumerate(zip(targets[block], said, strict=True)):
            write({"row": start + offset, "true": labels[target], **answer})
