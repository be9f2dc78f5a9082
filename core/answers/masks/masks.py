"""Masks as answers, beside the true ones: overlap of regions, edges, and what is taken for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.class_table import weakest_classes
from core.answers.kind import Answers, Table, Tree
from core.answers.masks.drawing import is_mask, panels
from core.answers.masks.findings import findings
from core.answers.masks.pictures import pictures
from core.answers.pictures.drawing import is_picture, side_by_side
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

MOST_PAIRS = 10


class Masks(Answers):
    """How masks agree with the true ones, over all pictures and picture by picture.

    Args:
        labels: Names of the classes.
        judged: Places among them of those that figures are of.
        pixels: How many of each class (rows) are taken for each (columns), int64, shape
            `(num_pictures, num_labels, num_labels)`.
        edges: Of each judged class the pixels of the predicted edge that lie near the true one, all of them,
            and the other way round, int64, shape `(num_pictures, num_judged, 4)`.
        truth: What tells the true masks apart, shape `(num_pictures,)`.

    Example:

    >>> row = {"labels": ["sky", "cat"], "pixels": {"sky": {"sky": 3}, "cat": {"sky": 1}}, "truth": "a"}
    >>> row["edges"] = {"sky": [2, 2, 2, 2], "cat": [0, 0, 0, 1]}
    >>> answers = Masks.from_rows([row])
    >>> {name: round(value, 3) for name, value in answers.statistics(np.arange(1)).items()}
    {'miou': 0.375, 'dice': 0.429, 'boundary_f1': 0.5, 'picture_iou': 0.375}
    """

    kind: ClassVar[str] = "masks"
    figures: ClassVar[Mapping[str, Direction]] = {
        "miou": "max",
        "dice": "max",
        "boundary_f1": "max",
        "picture_iou": "max",
    }
    mistakes_title: ClassVar[str] = "The worst pictures"

    def __init__(
        self,
        labels: Sequence[str],
        judged: Sequence[int],
        pixels: np.ndarray,
        edges: np.ndarray,
        truth: np.ndarray,
    ) -> None:
        self.labels = list(labels)
        self.judged = list(judged)
        self.pixels, self.edges = pixels, edges
        self._truth = truth

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Masks:
        """Read rows as `agreement` makes them; the masks themselves may stand in them too."""
        kept = [(row["labels"], row["pixels"], row["edges"], row["truth"]) for row in rows]
        labels = list(dict.fromkeys(label for names, *_ in kept for label in names))
        judged = [label for label in labels if any(label in edges for _, _, edges, _ in kept)]
        places = {label: place for place, label in enumerate(labels)}
        pixels = np.zeros((len(kept), len(labels), len(labels)), np.int64)
        edges = np.zeros((len(kept), len(judged), 4), np.int64)
        for row, (_, counts, counted_edges, _) in enumerate(kept):
            for label, others in counts.items():
                for other, count in others.items():
                    pixels[row, places[label], places[other]] = count
            for place, label in enumerate(judged):
                edges[row, place] = counted_edges.get(label, (0, 0, 0, 0))
        truth = np.array([truth for *_, truth in kept])
        return cls(labels, [places[label] for label in judged], pixels, edges, truth)

    def __len__(self) -> int:
        return len(self._truth)

    @property
    def truth(self) -> np.ndarray:
        """What tells the true masks apart: two runs can be paired where these are equal."""
        return self._truth

    @cached_property
    def picture_iou(self) -> np.ndarray:
        """Mean intersection over union of the classes of each picture; 1 where none is there or predicted."""
        overlap, either = _overlaps(self.pixels, self.judged)
        known = either > 0
        shares = np.where(known, overlap / np.maximum(either, 1), 0.0)
        return np.where(known.any(axis=1), shares.sum(axis=1) / np.maximum(known.sum(axis=1), 1), 1.0)

    @property
    def losses(self) -> np.ndarray:
        """How far the overlap of each picture is from 1."""
        return 1.0 - self.picture_iou

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return 1.0 - mean_loss

    @classmethod
    def figure(cls) -> str:
        """Return `picture_iou`: the others are of many pictures together, and no means over them."""
        return "picture_iou"

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the pictures at these indices, each as often as it stands there.

        Overlaps and edges are counted over all of them, and averaged over the classes that occur.
        """
        weights = np.bincount(rows, minlength=len(self))
        per_class = self._per_class(weights)
        return {
            **{name: _mean(per_class[name]) for name in ("miou", "dice", "boundary_f1")},
            "picture_iou": float(self.picture_iou[rows].mean()),
        }

    def _per_class(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return the figures of each judged class, NaN where it does not occur."""
        overlap, either = _overlaps(np.tensordot(weights, self.pixels, 1)[None], self.judged)
        near, own, found, true = np.tensordot(weights, self.edges, 1).T
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = overlap[0] / either[0]
            precision, recall = near / own, found / true
            f1 = 2 * precision * recall / (precision + recall)
        # A class whose edge is missing altogether, or found where none is, has none of it right.
        missed = (own + true > 0) & ~((near > 0) & (found > 0))
        return {"miou": iou, "dice": 2 * iou / (1 + iou), "boundary_f1": np.where(missed, 0.0, f1)}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the pictures of the least overlap, worst first."""
        order = np.argsort(self.picture_iou, kind="stable")
        return order[self.losses[order] > 0][:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        return {
            "labels": self.labels,
            "per_class": self.per_class(),
            "confusion": self.pixels.sum(axis=0).tolist(),
            "confused": self._confused(),
            "wrong": self._wrong(),
            "pictures": self._histogram(),
        }

    def per_class(self) -> dict[str, dict[str, Any]]:
        """Return the figures of each judged class, by label."""
        figures = self._per_class(np.ones(len(self), np.int64))
        total = self.pixels.sum(axis=0)
        table = {}
        for place, label in zip(
            range(len(self.judged)), (self.labels[at] for at in self.judged), strict=True
        ):
            at = self.judged[place]
            table[label] = {
                "iou": _known(figures["miou"][place]),
                "dice": _known(figures["dice"][place]),
                "boundary_f1": _known(figures["boundary_f1"][place]),
                "precision": _known(total[at, at] / total[:, at].sum()) if total[:, at].any() else None,
                "recall": _known(total[at, at] / total[at].sum()) if total[at].any() else None,
                "share": float(total[at].sum() / max(total.sum(), 1)),
            }
        return table

    def _confused(self) -> list[dict[str, Any]]:
        """Return the classes that are taken for another most often."""
        total = self.pixels.sum(axis=0)
        np.fill_diagonal(total, 0)
        order = np.argsort(-total, axis=None, kind="stable")[:MOST_PAIRS]
        pairs = zip(*np.unravel_index(order, total.shape), strict=True)
        return [
            {"true": self.labels[true], "said": self.labels[said], "pixels": int(total[true, said])}
            for true, said in pairs
            if total[true, said]
        ]

    def _wrong(self) -> dict[str, int]:
        total = self.pixels.sum(axis=0)
        return {"wrong": int(total.sum() - np.trace(total)), "all": int(total.sum())}

    def _histogram(self) -> dict[str, list[float]]:
        counts, edges = np.histogram(self.picture_iou, bins=20, range=(0, 1))
        return {"counts": counts.tolist(), "edges": edges.tolist()}

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the picture, the answer and the truth over it, and where they differ, side by side."""
        seen = next((value for value in example.values() if is_picture(value)), None)
        rest = {name: value for name, value in example.items() if not is_picture(value)}
        items = [*items_of(rest), Item("answer", "text", cls.said(row))]
        if not (is_mask(row.get("predicted")) and is_mask(row.get("true"))):
            return items
        strip = side_by_side(panels(row, seen), with_detail=True)
        return [Item("picture, answer, truth, mistakes", "picture", strip, large=True), *items]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how many of the pixels are right, in words."""
        counts = row["pixels"]
        right = sum(others.get(label, 0) for label, others in counts.items())
        total = sum(count for others in counts.values() for count in others.values())
        return f"{right / max(total, 1):.1%} of {total:,} pixels right"

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of classes, of many the weakest."""
        return weakest_classes(figures.get("per_class"), "iou")

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def _overlaps(pixels: np.ndarray, judged: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels that both masks give to each judged class, and those that either does."""
    right = np.diagonal(pixels, axis1=1, axis2=2)
    either = pixels.sum(axis=1) + pixels.sum(axis=2) - right
    return right[:, list(judged)], either[:, list(judged)]


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 1.0


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
