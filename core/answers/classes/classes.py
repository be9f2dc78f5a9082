"""The answers of a classifier beside the truth: figures, curves, confusions and mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.calibration import LEAST_PROBABILITY, Calibration
from core.answers.class_table import weakest_classes
from core.answers.classes.figures import answers_of
from core.answers.classes.findings import findings
from core.answers.classes.pictures import pictures
from core.answers.kind import Answers, Table, Tree
from core.answers.rows import Direction
from core.answers.significance import difference_p

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.finding import Finding

CURVE_POINTS = 100
NUM_BINS = 15  # of the calibration error, as in core.metrics
CONFIDENT = 0.9
MOST_CURVES = 10  # classes with a curve of their own
MOST_PAIRS = 10
MANY_CLASSES = 200  # more have no areas under curves of their own, nor a whole matrix of confusions


class Classes(Answers):
    """What a classifier said of each example and what is true.

    Args:
        labels: Names of the classes, in the order of the columns of probabilities.
        targets: True class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, num_classes)`; rows sum to 1.

    Example:

    >>> answers = Classes(["bad", "good"], np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> round(answers.statistics(np.arange(2))["accuracy"], 2)
    0.5
    """

    kind: ClassVar[str] = "classes"
    figures: ClassVar[Mapping[str, Direction]] = {
        "accuracy": "max",
        "macro_f1": "max",
        "log_loss": "min",
        "calibration_error": "min",
    }

    def __init__(self, labels: Sequence[str], targets: np.ndarray, probabilities: np.ndarray) -> None:
        self.labels = list(labels)
        self.targets = targets
        self.probabilities = probabilities
        self.answers = probabilities.argmax(axis=1)
        self.confidence = probabilities.max(axis=1)
        self._right = self.answers == targets

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Classes:
        """Read what `Classification.evaluate` writes, one row an example."""
        rows = iter(rows)
        first = next(rows)
        labels = list(first["probabilities"])
        place = {label: index for index, label in enumerate(labels)}

        def numbers() -> Iterable[tuple[int, list[float]]]:
            yield place[first["true"]], list(first["probabilities"].values())
            for row in rows:
                yield place[row["true"]], list(row["probabilities"].values())

        table = np.fromiter(
            ((target, tuple(shares)) for target, shares in numbers()),
            dtype=[("target", np.int64), ("shares", np.float64, (len(labels),))],
        )
        shares = table["shares"] / table["shares"].sum(axis=1, keepdims=True)
        return cls(labels, table["target"], shares)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def truth(self) -> np.ndarray:
        """The true class of each example: two runs can be paired where these are equal."""
        return np.asarray(self.labels)[self.targets]

    @property
    def right(self) -> np.ndarray:
        """Whether each example is answered rightly, bool."""
        return self._right

    @cached_property
    def losses(self) -> np.ndarray:
        """1 for each example that is answered wrongly, else 0."""
        return 1.0 - self.right

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return 1.0 - mean_loss

    @cached_property
    def _log_losses(self) -> np.ndarray:
        own = np.take_along_axis(self.probabilities, self.targets[:, None], axis=1)[:, 0]
        return -np.log(np.maximum(own, LEAST_PROBABILITY))

    @cached_property
    def _bins(self) -> np.ndarray:
        return np.searchsorted(np.linspace(0, 1, NUM_BINS + 1)[1:-1], self.confidence, side="left")

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices, each as often as it stands there."""
        right, bins = self.right[rows], self._bins[rows]
        gaps = np.bincount(bins, weights=right - self.confidence[rows], minlength=NUM_BINS)
        confusion = self._counted(rows)
        support = confusion.sum(axis=0) + confusion.sum(axis=1)
        return {
            "accuracy": float(right.mean()),
            "macro_f1": float(np.mean(2 * confusion.diagonal() / np.maximum(support, 1))),
            "log_loss": float(self._log_losses[rows].mean()),
            "calibration_error": float(np.abs(gaps).sum() / len(rows)),
        }

    def _counted(self, rows: np.ndarray | slice) -> np.ndarray:
        size = len(self.labels)
        cells = self.targets[rows] * size + self.answers[rows]
        return np.bincount(cells, minlength=size**2).reshape(size, size)

    def row(self, place: int) -> dict[str, Any]:
        """Return one answer as a run's `predictions.jsonl` has it."""
        (answer,) = answers_of(self.probabilities[place : place + 1], self.labels)
        return {"row": place, "true": self.labels[self.targets[place]], **answer}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the wrong answers of most confidence, worst first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")[:count]]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables and curves of a report, as plain data."""
        confusion = self._counted(slice(None))
        tempered = None
        if calibration is not None:
            tempered = Classes(self.labels, self.targets, calibration.tempered(self.probabilities))
        return {
            "labels": self.labels,
            "confusion": confusion.tolist() if len(self.labels) <= MANY_CLASSES else None,
            "confused": self._confused(confusion),
            "per_class": self._per_class(confusion),
            "curves": self._curves(),
            "reliability": self.reliability(),
            "reliability_calibrated": tempered.reliability() if tempered else None,
            "risk_coverage": (tempered or self).risk_coverage(),
            "decided": tempered.decided(calibration) if tempered and calibration else None,
            "confident_mistakes": int((~self.right & (self.confidence >= CONFIDENT)).sum()),
            "mistakes": int((~self.right).sum()),
        }

    def _confused(self, confusion: np.ndarray) -> list[dict[str, Any]]:
        """Return the pairs of classes that are taken for each other most often, either way."""
        either = np.triu(confusion + confusion.T, k=1)
        order = np.argsort(-either, axis=None, kind="stable")[:MOST_PAIRS]
        pairs = zip(*np.unravel_index(order, either.shape), strict=True)
        return [
            {
                "first": self.labels[first],
                "second": self.labels[second],
                "first_as_second": int(confusion[first, second]),
                "second_as_first": int(confusion[second, first]),
                "count": int(either[first, second]),
            }
            for first, second in pairs
            if either[first, second]
        ]

    def _per_class(self, confusion: np.ndarray) -> dict[str, dict[str, Any]]:
        from scipy.stats import binomtest, false_discovery_control
        from sklearn.metrics import average_precision_score, roc_auc_score

        table: dict[str, dict[str, Any]] = {}
        for place, label in enumerate(self.labels):
            hits, support, said = (
                int(confusion[place, place]),
                int(confusion[place].sum()),
                int(confusion[:, place].sum()),
            )
            own, share = self.targets == place, self.probabilities[:, place]
            told_apart = 0 < support < len(self)
            has_areas = told_apart and len(self.labels) <= MANY_CLASSES
            bounds = binomtest(hits, support).proportion_ci(method="wilson") if support else None
            table[label] = {
                "precision": hits / said if said else None,
                "recall": hits / support if support else None,
                "recall_low": float(bounds.low) if bounds else None,
                "recall_high": float(bounds.high) if bounds else None,
                "f1": 2 * hits / max(support + said, 1),
                "auc": float(roc_auc_score(own, share)) if has_areas else None,
                "average_precision": float(average_precision_score(own, share)) if has_areas else None,
                "support": support,
                "said": said,
                "mostly_taken_for": self._mostly_taken_for(confusion[place], place),
                "p": difference_p(self.losses[own], self.losses[~own]) if told_apart else 1.0,
            }
        # How likely a class is as far from the others by chance, corrected for looking at all of them.
        for row, p in zip(
            table.values(), false_discovery_control([row["p"] for row in table.values()]), strict=True
        ):
            row["p"] = float(p)
        return table

    def _mostly_taken_for(self, row: np.ndarray, place: int) -> str | None:
        others = row.copy()
        others[place] = 0
        return self.labels[int(others.argmax())] if others.any() else None

    def _curves(self) -> dict[str, Any]:
        """Return ROC and precision-recall curves of one class against the rest; of two, the last alone."""
        from sklearn.metrics import precision_recall_curve, roc_curve

        curves = {}
        for place in self._curved():
            own, share = self.targets == place, self.probabilities[:, place]
            false_positive_rate, true_positive_rate, _ = roc_curve(own, share)
            precision, recall, _ = precision_recall_curve(own, share)
            curves[self.labels[place]] = {
                "roc": _thinned(false_positive_rate, true_positive_rate),
                "precision_recall": _thinned(recall[::-1], precision[::-1]),
            }
        return curves

    def _curved(self) -> list[int]:
        """Return the classes with curves: those most often mistaken, where there are many."""
        support = np.bincount(self.targets, minlength=len(self.labels))
        known = [place for place in range(len(self.labels)) if 0 < support[place] < len(self)]
        if len(self.labels) == 2:
            return known[-1:]
        recall = {place: self.right[self.targets == place].mean() for place in known}
        return sorted(sorted(known, key=recall.__getitem__)[:MOST_CURVES])

    def reliability(self) -> dict[str, Any]:
        """Return the accuracy of each bin of confidence, and the expected calibration error.

        `expected_by_chance` is about the error that so few answers of a calibrated model would show.
        """
        count = np.bincount(self._bins, minlength=NUM_BINS)
        filled = count > 0
        accuracy = np.bincount(self._bins, weights=self.right, minlength=NUM_BINS)[filled] / count[filled]
        confidence = (
            np.bincount(self._bins, weights=self.confidence, minlength=NUM_BINS)[filled] / count[filled]
        )
        # What a mean of so many answers strays by from its true value: of a normal, sqrt(2 / pi) deviations.
        strays = np.sqrt(2 / np.pi * confidence * (1 - confidence) / count[filled])
        return {
            "confidence": confidence.tolist(),
            "accuracy": accuracy.tolist(),
            "count": count[filled].tolist(),
            "calibration_error": float(np.sum(count[filled] * np.abs(accuracy - confidence)) / len(self)),
            "expected_by_chance": float(np.sum(count[filled] * strays) / len(self)),
            "mean_confidence": float(self.confidence.mean()),
            "log_loss": float(self._log_losses.mean()),
        }

    def risk_coverage(self) -> dict[str, Any]:
        """Return the error rate among the most confident answers, by how many are answered.

        Source: El-Yaniv and Wiener, On the Foundations of Noise-free Selective Classification (2010).
        """
        order = np.argsort(-self.confidence, kind="stable")
        counts = np.arange(1, len(self) + 1)
        risk = np.cumsum(~self.right[order]) / counts
        shown = np.unique(np.linspace(0, len(self) - 1, CURVE_POINTS).round().astype(int))
        return {
            "coverage": (counts[shown] / len(self)).tolist(),
            "risk": risk[shown].tolist(),
            "confidence": self.confidence[order][shown].tolist(),
            "area": float(risk.mean()),
        }

    def decided(self, calibration: Calibration) -> dict[str, Any]:
        """Return what threshold and abstention do to these answers, which are tempered already."""
        said = calibration.decided(self.probabilities, self.labels)
        kept = ~calibration.abstains(self.probabilities)
        right = said == self.targets
        figures: dict[str, Any] = {
            "answered": float(kept.mean()),
            "accuracy": float(right.mean()),
            "accuracy_of_answered": float(right[kept].mean()) if kept.any() else None,
        }
        if calibration.label in self.labels:
            place = self.labels.index(str(calibration.label))
            hits = int(((said == place) & (self.targets == place)).sum())
            figures["precision"] = hits / max(int((said == place).sum()), 1)
            figures["recall"] = hits / max(int((self.targets == place).sum()), 1)
        return figures

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return the class that was answered beside the true one, and how sure the answer was."""
        place = f", row {row['row']} of test" if "row" in row else ""
        confidence = f"confidence {row['probability']:.3f}"
        return f"true {row['true']}, answered {row['label']} ({confidence}{place})"

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of classes, of many the weakest."""
        return weakest_classes(figures.get("per_class"), "f1")

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


class EqualClasses(Classes):
    """The answers of a classifier whose classes count alike, however rare: by the mean of their recalls.

    Example:

    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> answers = EqualClasses(["calm", "angry"], np.array([0, 0, 0, 1]), probabilities)
    >>> answers.statistics(np.array([0, 0, 1, 3]))["unweighted_average_recall"]
    1.0
    """

    figures: ClassVar[Mapping[str, Direction]] = {"unweighted_average_recall": "max", **Classes.figures}

    @classmethod
    def figure(cls) -> str:
        """Return the figure of slices, which may lack a class."""
        return "accuracy"

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices, each as often as it stands there."""
        confusion = self._counted(rows)
        support = confusion.sum(axis=1)
        recall = confusion.diagonal()[support > 0] / support[support > 0]
        return {"unweighted_average_recall": float(recall.mean()), **super().statistics(rows)}


def _thinned(x: np.ndarray, y: np.ndarray) -> dict[str, list[float]]:
    """Return at most so many points of a curve as a picture can show, the ends among them."""
    places = np.unique(np.linspace(0, len(x) - 1, CURVE_POINTS).round().astype(int))
    return {"x": x[places].tolist(), "y": y[places].tolist()}
