"""Generated pictures: whether each lies among real ones, and how far they all are from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.pictures.drawing import is_picture, side_by_side
from core.answers.pictures.pictures import Pictures
from core.answers.rows import Direction
from core.answers.samples.findings import findings
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding
    from core.answers.kind import Tree


class Samples(Pictures):
    """Pictures without a true one each, which are judged as a whole beside real ones.

    Rows tell `precision`, whether the picture lies among real ones, 0 or 1, and `kid`, what it adds to the
    kernel distance (`core.metrics.kernel_shares`). `asked` and `named` may be the class that was asked for
    and the class that a classifier sees, and `nearest` the training picture that is most like it.

    Args:
        measured: `precision` and `kid`, each of shape `(num_pictures,)`.
        truth: NaN: nobody else's sample answers the same.

    Example:

    >>> answers = Samples.from_rows([{"predicted": None, "precision": 1, "kid": 0.5},
    ...                              {"predicted": None, "precision": 0, "kid": 2.5}])
    >>> answers.statistics(np.arange(2)), answers.mistakes(1).tolist()
    ({'kid': 1.5, 'precision': 0.5}, [1])
    """

    kind: ClassVar[str] = "samples"
    figures: ClassVar[Mapping[str, Direction]] = {"kid": "min", "precision": "max"}
    mistakes_title: ClassVar[str] = "Generated pictures, the least like real ones first"

    @classmethod
    def figure(cls) -> str:
        """Return the precision: the distance of a few pictures is no loss of theirs."""
        return "precision"

    @property
    def losses(self) -> np.ndarray:
        """1 for a picture that lies among no real ones, 0 for others."""
        return 1.0 - self.measured["precision"]

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the precision from the mean of `losses`."""
        return 1.0 - mean_loss

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the pictures that add most to the distance."""
        return np.argsort(-self.measured["kid"], kind="stable")[:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return how many pictures there are, and how they spread."""
        return {"pictures": len(self), "spread": self.spread()}

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the picture beside the training picture that is most like it, and what was asked."""
        panels = {"generated": row["predicted"], "nearest in training": row.get("nearest")}
        panels = {name: value for name, value in panels.items() if is_picture(value)}
        items = [*items_of(example), Item("answer", "text", cls.said(row))]
        if not panels:
            return items
        return [Item(", ".join(panels), "picture", side_by_side(panels), large=True), *items]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return what was asked, what a classifier sees, and whether it lies among real pictures."""
        asked = f"asked for {row['asked']}, seen as {row['named']}" if "asked" in row else ""
        among = "among real pictures" if row["precision"] else "among no real pictures"
        return ", ".join(part for part in (asked, among, f"kid {row['kid']:.4g}") if part)

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return nothing: what there is to see are the pictures themselves."""
        return {}

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)
