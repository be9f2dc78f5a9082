"""Boxes around the objects of pictures beside the true ones: precision, confusions and mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.boxes.detections import AREAS, Objects, objects_of, ranked_detections
from core.answers.boxes.drawing import MOST_DRAWN, drawn, overlaid
from core.answers.boxes.errors import Errors, errors_of
from core.answers.boxes.findings import findings
from core.answers.boxes.pictures import pictures
from core.answers.class_table import weakest_classes
from core.answers.kind import Answers, Table, Tree
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

CURVE_POINTS = 100
MOST_CURVES = 8  # classes with a curve of their own
MOST_PAIRS = 10
WRONG = ("missed", "confused", "duplicates", "misplaced", "background")


class Boxes(Answers):
    """What was found in each picture and what is in it.

    Args:
        labels: Names of the classes.
        truths: True objects of each picture, their classes being places among `labels`.
        predictions: Predicted ones likewise.

    Example:

    >>> row = {"size": [8, 8], "true": [{"label": "cat", "box": [0, 0, 8, 8]}]}
    >>> row["predicted"] = [{"label": "cat", "box": [0, 0, 8, 5], "score": 0.9}]
    >>> answers = Boxes.from_rows([row])
    >>> {name: round(value, 2) for name, value in answers.statistics(np.arange(1)).items()}
    {'ap50': 1.0, 'ap50_95': 0.3, 'picture_f1': 1.0}
    """

    kind: ClassVar[str] = "boxes"
    figures: ClassVar[Mapping[str, Direction]] = {"ap50": "max", "ap50_95": "max", "picture_f1": "max"}
    mistakes_title: ClassVar[str] = "The worst pictures"

    def __init__(
        self, labels: Sequence[str], truths: Sequence[Objects], predictions: Sequence[Objects]
    ) -> None:
        self.labels = list(labels)
        self.truths = list(truths)
        self.predictions = list(predictions)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Boxes:
        """Read rows with `true` and `predicted`, lists of objects with `label`, `box` and `score`.

        A box is `[left, top, right, bottom]` in pixels; `size`, height and width, is that of the picture.
        """
        kept = [(row["true"], row["predicted"]) for row in rows]
        labels = sorted({each["label"] for both in kept for objects in both for each in objects})
        places = {label: place for place, label in enumerate(labels)}
        return cls(
            labels,
            [objects_of(true, places, scored=False) for true, _ in kept],
            [objects_of(predicted, places, scored=True) for _, predicted in kept],
        )

    def __len__(self) -> int:
        return len(self.truths)

    @cached_property
    def truth(self) -> np.ndarray:
        """The true objects of each picture as text: two runs can be paired where these are equal."""
        return np.array(
            [
                json.dumps([[self.labels[place] for place in each.classes], each.boxes.tolist()])
                for each in self.truths
            ]
        )

    @cached_property
    def _ranked(self) -> list[Any]:
        return ranked_detections(self.truths, self.predictions, len(self.labels))

    @cached_property
    def score(self) -> float:
        """The score from which predictions count one by one: that of the best F1 over all of them."""
        if not any(len(each) for each in self.predictions):
            return 1.0
        scores = np.concatenate([each.scores for each in self._ranked])
        hits = np.concatenate([each.hits[0] for each in self._ranked])
        num_true = sum(len(each) for each in self.truths)
        order = np.argsort(-scores, kind="stable")
        f1 = 2 * np.cumsum(hits[order]) / (np.arange(1, len(order) + 1) + num_true)
        # Equal scores are taken together or not at all.
        last = np.append(np.diff(scores[order]) != 0, True)
        return float(scores[order][np.where(last, f1, -1.0).argmax()])

    @cached_property
    def errors(self) -> list[Errors]:
        """What became of the objects of each picture, of predictions of `score` or more."""
        pairs = zip(self.truths, self.predictions, strict=True)
        return [errors_of(true, predicted.at_least(self.score)) for true, predicted in pairs]

    @cached_property
    def picture_f1(self) -> np.ndarray:
        """F1 of each picture at `score` and an overlap of 0.5; 1 where nothing is there or predicted."""
        hits = np.array([len(each.hits) for each in self.errors], np.float64)
        either = np.array(
            [
                len(true) + int((predicted.scores >= self.score).sum())
                for true, predicted in zip(self.truths, self.predictions, strict=True)
            ]
        )
        return np.where(either > 0, 2 * hits / np.maximum(either, 1), 1.0)

    @property
    def losses(self) -> np.ndarray:
        """How far the F1 of each picture is from 1."""
        return 1.0 - self.picture_f1

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return 1.0 - mean_loss

    @classmethod
    def figure(cls) -> str:
        """Return `picture_f1`: an average precision is of many pictures together, and no mean over them."""
        return "picture_f1"

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the pictures at these indices, each as often as it stands there."""
        weights = np.bincount(rows, minlength=len(self))
        precisions = [each.average_precision(weights) for each in self._ranked]
        known = [each for each in precisions if each is not None] or [np.zeros(1)]
        return {
            "ap50": float(np.mean([each[0] for each in known])),
            "ap50_95": float(np.mean([each.mean() for each in known])),
            "picture_f1": float(self.picture_f1[rows].mean()),
        }

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the pictures of the lowest F1, of equal ones those of most mistakes first."""
        wrong = np.array([sum(len(getattr(each, name)) for name in WRONG) for each in self.errors])
        order = np.lexsort((-wrong, self.picture_f1))
        return order[self.losses[order] > 0][:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables and curves of a report, as plain data."""
        per_class = self.per_class()
        return {
            "labels": self.labels,
            "score": self.score,
            "per_class": per_class,
            "sizes": self._sizes(),
            "curves": self._curves(per_class),
            "confusion": self._confusion().tolist(),
            "confused": self._confused(),
            "wrong": {name: sum(len(getattr(each, name)) for each in self.errors) for name in WRONG},
            "hits": sum(len(each.hits) for each in self.errors),
            "loose_hits": sum(each.loose for each in self.errors),
        }

    def per_class(self) -> dict[str, dict[str, Any]]:
        """Return the figures of each class, by label; precision and recall are at `score`."""
        confusion = self._confusion()
        everything = np.ones(len(self), np.int64)
        table = {}
        for place, (label, ranked) in enumerate(zip(self.labels, self._ranked, strict=True)):
            precision = ranked.average_precision(everything)
            hits, true, said = confusion[place, place], int(ranked.num_true.sum()), confusion[:, place].sum()
            table[label] = {
                "ap50": None if precision is None else float(precision[0]),
                "ap75": None if precision is None else float(precision[5]),
                "ap50_95": None if precision is None else float(precision.mean()),
                "precision": float(hits / said) if said else None,
                "recall": float(hits / true) if true else None,
                "true": true,
                "predicted": int(said),
            }
        return table

    def _sizes(self) -> dict[str, dict[str, Any]]:
        """Return the precision on objects of each size, and how many of them are missed."""
        everything = np.ones(len(self), np.int64)
        table = {}
        for name, area in AREAS.items():
            ranked = ranked_detections(self.truths, self.predictions, len(self.labels), area)
            precisions = [each.average_precision(everything) for each in ranked]
            known = [float(each.mean()) for each in precisions if each is not None]
            inside = [(true.areas >= area[0]) & (true.areas <= area[1]) for true in self.truths]
            num_true = int(sum(each.sum() for each in inside))
            hits = sum(int(own[each.hits[:, 0]].sum()) for own, each in zip(inside, self.errors, strict=True))
            table[name] = {
                "ap50_95": float(np.mean(known)) if known else None,
                "true": num_true,
                "missed": num_true - hits,
                "recall": hits / num_true if num_true else None,
            }
        return table

    def _curves(self, per_class: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return precision and recall at an overlap of 0.5, of many classes those of the weakest."""
        known = [label for label, row in per_class.items() if row["ap50"] is not None and row["predicted"]]
        weakest = sorted(known, key=lambda label: per_class[label]["ap50"])[:MOST_CURVES]
        curves = {}
        for label in sorted(weakest):
            recall, precision = self._ranked[self.labels.index(label)].curve()
            shown = np.unique(np.linspace(0, max(len(recall) - 1, 0), CURVE_POINTS).round().astype(int))
            shown = shown[: len(recall)]
            curves[label] = {"recall": recall[shown].tolist(), "precision": precision[shown].tolist()}
        return curves

    def _confusion(self) -> np.ndarray:
        """Return how often each class (rows, background last) is taken for each (columns, nothing last)."""
        nothing = len(self.labels)
        counts = np.zeros((nothing + 1, nothing + 1), np.int64)
        for true, every, errors in zip(self.truths, self.predictions, self.errors, strict=True):
            said = every.at_least(self.score).classes
            pairs = np.concatenate([errors.hits, errors.confused])
            np.add.at(counts, (true.classes[pairs[:, 0]], said[pairs[:, 1]]), 1)
            np.add.at(counts, (true.classes[errors.missed], nothing), 1)
            for name in ("duplicates", "misplaced", "background"):
                np.add.at(counts, (nothing, said[getattr(errors, name)]), 1)
        return counts

    def _confused(self) -> list[dict[str, Any]]:
        """Return the classes that are taken for another most often."""
        inside = self._confusion()[:-1, :-1]
        np.fill_diagonal(inside, 0)
        order = np.argsort(-inside, axis=None, kind="stable")[:MOST_PAIRS]
        pairs = zip(*np.unravel_index(order, inside.shape), strict=True)
        return [
            {"true": self.labels[true], "said": self.labels[said], "count": int(inside[true, said])}
            for true, said in pairs
            if inside[true, said]
        ]

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the picture with both sets of boxes, what else the task shows, and the answer in words."""
        seen = {name: value for name, value in example.items() if _is_picture(value)}
        canvas = next(iter(seen.values()), np.full((*row["size"], 3), 235, np.uint8))
        rest = {name: value for name, value in example.items() if name not in seen}
        picture = Item("boxes", "picture", drawn(canvas, row), large=True)
        return [picture, *items_of(rest), Item("answer", "text", cls.said(row))]

    @classmethod
    def drawn(cls, answer: Mapping[str, Any], value: Any) -> np.ndarray:
        """Return the picture with the boxes that were found in it, each with its label and score."""
        from core.data.images import decoded

        picture = value if isinstance(value, np.ndarray) else decoded([Path(value)], levels=None)[0][0]
        return overlaid(picture, answer["boxes"])

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how many objects there are and were predicted."""
        count = len(row["predicted"])
        surest = f", the {MOST_DRAWN} surest drawn" if count > MOST_DRAWN else ""
        return f"{len(row['true'])} true (solid), {count} predicted (dashed{surest})"

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of classes, of many the weakest."""
        return weakest_classes(figures.get("per_class"), "ap50")

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def _is_picture(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3)
