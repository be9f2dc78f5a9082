"""Pictures as answers, beside the true ones where there are any: likeness, and the pictures themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers, Tree
from core.answers.pictures.drawing import is_picture, side_by_side
from core.answers.pictures.findings import findings
from core.answers.pictures.histogram import pictures
from core.answers.pictures.likeness import likeness
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

MOST_DECIBELS = 100.0  # what a picture equal to the true one counts as
NUM_BARS = 30
WORST_SHARE = 0.1


class Pictures(Answers):
    """How like the true pictures the answers are; nothing of answers that are samples, without a truth.

    Args:
        measured: `psnr` in decibels and `ssim`, those that there are, each of shape `(num_pictures,)`.
        truth: What tells the true pictures apart, shape `(num_pictures,)`.

    Example:

    >>> answers = Pictures({"psnr": np.array([30.0, 20.0])}, np.array(["a", "b"]))
    >>> answers.statistics(np.arange(2)), answers.mistakes(1).tolist()
    ({'psnr': 25.0}, [1])
    """

    kind: ClassVar[str] = "pictures"
    figures: ClassVar[Mapping[str, Direction]] = {"psnr": "max", "ssim": "max"}
    mistakes_title: ClassVar[str] = "The pictures, the least like the truth first where it is known"

    def __init__(self, measured: Mapping[str, np.ndarray], truth: np.ndarray) -> None:
        self.measured = {name: np.asarray(values, np.float64) for name, values in measured.items()}
        self._truth = truth

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Pictures:
        """Read rows with `predicted` and, where there is a truth, `true` and what `likeness` tells of both.

        Pictures are uint8 arrays, or the paths of the files that a run keeps them in.
        """
        read = [_measured(row) for row in rows]
        names = [name for name in cls.figures if name in read[0]]
        measured = {name: np.array([row[name] for row in read], np.float64) for name in names}
        if all("truth" in row for row in read):
            return cls(measured, np.array([row["truth"] for row in read]))
        # Nothing says that two models were asked for the same pictures: NaN is equal to none.
        return cls(measured, np.full(len(read), np.nan))

    def __len__(self) -> int:
        return len(self._truth)

    @property
    def truth(self) -> np.ndarray:
        """What tells the true pictures apart: two runs can be paired where these are equal."""
        return self._truth

    @property
    def losses(self) -> np.ndarray:
        """How many decibels each picture is from one equal to the true one; 0 without a truth."""
        if "psnr" not in self.measured:
            return np.zeros(len(self))
        return np.maximum(MOST_DECIBELS - self.measured["psnr"], 0.0)

    @staticmethod
    def of_loss(mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return MOST_DECIBELS - mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the pictures at these indices, each as often as it stands there."""
        return {name: float(values[rows].mean()) for name, values in self.measured.items()}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the pictures least like the truth, worst first; without one the first."""
        return np.argsort(-self.losses, kind="stable")[:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        if "psnr" not in self.measured:
            return {"psnr": None, "spread": {}, "worst": None}
        decibels = self.measured["psnr"]
        low, high = float(decibels.min()), float(decibels.max())
        room = 0.0 if high - low > 0.1 else 0.5
        counts, edges = np.histogram(decibels, bins=NUM_BARS, range=(low - room, high + room))
        return {
            "psnr": {"counts": counts.tolist(), "edges": edges.tolist()},
            "spread": {name: _spread(values) for name, values in self.measured.items()},
            "worst": self._worst(),
        }

    def _worst(self) -> dict[str, Any]:
        """Return how much of the squared error is that of the worst tenth."""
        error = np.sort(10 ** (-self.measured["psnr"] / 10))[::-1]
        count = max(round(WORST_SHARE * len(error)), 1)
        return {
            "pictures": count,
            "share_of_error": float(error[:count].sum() / error.sum()),
            "psnr": float(np.sort(self.measured["psnr"])[:count].mean()),
            "rest": float(np.sort(self.measured["psnr"])[count:].mean()) if count < len(error) else None,
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the pictures of the input, the answer and the truth side by side, and what else there is."""
        before = {name: value for name, value in example.items() if is_picture(value)}
        rest = {name: value for name, value in example.items() if name not in before}
        ours = {"answer": row["predicted"], "truth": row.get("true")}
        panels = {**before, **{name: value for name, value in ours.items() if is_picture(value)}}
        strip = [Item(", ".join(panels), "picture", side_by_side(panels), large=True)] if panels else []
        return [*strip, *items_of(rest), Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how like the truth an answer is, in words."""
        told = [f"{name} {row[name]:.4g}" for name in cls.figures if name in row]
        gone = " (its file is gone)" if isinstance(row["predicted"], str) else ""
        return (", ".join(told) or f"sample {row.get('row', '')}".strip()) + gone

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def _measured(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row without its pictures, with its likeness to the truth where there is one."""
    pair = [row["predicted"], row.get("true")]
    told = {name: row[name] for name in ("psnr", "ssim", "truth") if name in row}
    if pair[1] is None or "psnr" in told:
        return told
    if not all(map(is_picture, pair)):
        raise KeyError("psnr")
    return likeness(*pair)


def _spread(values: np.ndarray) -> dict[str, float]:
    shares: Sequence[tuple[str, float]] = (
        ("worst", 0),
        ("low", 0.1),
        ("median", 0.5),
        ("high", 0.9),
        ("best", 1),
    )
    return {name: float(np.quantile(values, share)) for name, share in shares}
