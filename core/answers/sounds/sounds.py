"""Sounds as answers, beside the true ones where there are any: likeness, and the sounds themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.compared import Compared
from core.answers.kind import Tree
from core.answers.rows import Direction
from core.answers.sounds.findings import findings
from core.answers.sounds.likeness import likeness
from core.answers.sounds.pictures import pictures, spectrograms
from core.shown import Item, Sound, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding


class Sounds(Compared):
    """How like the true sounds the answers are; nothing of answers that are samples, without a truth.

    Args:
        measured: `mel_cepstral_distortion` and `log_spectral_distance` in decibels, and `length_ratio`, those
            that there are, each of shape `(num_sounds,)`.
        truth: What tells the true sounds apart, shape `(num_sounds,)`.

    Example:

    >>> answers = Sounds({"mel_cepstral_distortion": np.array([4.0, 6.0])}, np.array(["a", "b"]))
    >>> answers.statistics(np.arange(2)), answers.mistakes(1).tolist()
    ({'mel_cepstral_distortion': 5.0}, [1])
    """

    kind: ClassVar[str] = "sounds"
    figures: ClassVar[Mapping[str, Direction]] = {
        "mel_cepstral_distortion": "min",
        "log_spectral_distance": "min",
    }
    beside: ClassVar[tuple[str, ...]] = ("length_ratio",)
    mistakes_title: ClassVar[str] = "The sounds, the least like the truth first where it is known"

    @classmethod
    def likeness_of(cls, predicted: Any, true: Any) -> dict[str, Any]:
        """Return `likeness` of two sounds."""
        if not (isinstance(predicted, Sound) and isinstance(true, Sound)):
            raise KeyError(cls.figure())
        return likeness(predicted, true)

    @property
    def losses(self) -> np.ndarray:
        """The mel-cepstral distortion of each sound; 0 without a truth."""
        return self.measured.get(self.figure(), np.zeros(len(self)))

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return mean_loss

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        ratios = self.measured.get("length_ratio")
        return {
            "distortion": self.histogram(),
            "spread": self.spread(),
            "length_ratio": None if ratios is None else float(np.median(ratios)),
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the spectrograms of answer and truth, both to listen to, and what else there is."""
        ours = {"answer": row["predicted"], "truth": row.get("true")}
        sounds = {name: value for name, value in ours.items() if isinstance(value, Sound)}
        picture = [Item("spectrograms", "picture", spectrograms(sounds), large=True)] if sounds else []
        # What the row tells of the text stands in the example too, unless its data are gone.
        text = {"text": row["text"]} if "text" in row and "text" not in example else {}
        items = items_of({**text, **example, **{f"{name} (sound)": each for name, each in sounds.items()}})
        return [*picture, *items, Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how like the truth an answer is, in words."""
        figure_texts = [f"{name.replace('_', ' ')} {row[name]:.4g}" for name in cls.figures if name in row]
        gone = " (its file is gone)" if isinstance(row["predicted"], str) else ""
        return (", ".join(figure_texts) or f"sample {row.get('row', '')}".strip()) + gone

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)
