"""What a task gives: a kind of answers, which knows how they are judged, drawn, and shown to a person."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table that a console prints below the figures.

    Args:
        title: What it shows; may be empty.
        header: Names of the columns.
        rows: Cells as text, as many a row as there are columns.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Answers(ABC):
    """The answers to a test part beside the truth: figures, statistics, mistakes, pictures and findings.

    A kind of answers is one subclass. Beside its module may lie `report.html`, the section of a report that
    is its own, and `page.js`, which shows one answer on the page; without them a report has no such section,
    and the page shows an answer as text.

    Raises:
        KeyError: A row lacks what the kind needs.
    """

    kind: ClassVar[str]
    """The name by which `metrics.json`, reports and the page know it."""
    figures: ClassVar[Mapping[str, Direction]]
    """What `statistics` returns, and which way each is better. Slices are compared by the first."""
    mistakes_title: ClassVar[str] = "The worst mistakes"

    @classmethod
    @abstractmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Read the rows that `evaluate` wrote, one an example, at least one."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many examples were answered."""

    @property
    @abstractmethod
    def truth(self) -> np.ndarray:
        """What is true of each example: two runs can be paired where these are equal."""

    @property
    @abstractmethod
    def losses(self) -> np.ndarray:
        """How bad each answer is, at least 0, shape `(num_examples,)`."""

    @classmethod
    @abstractmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure that slices are compared by, from the mean of `losses`."""

    @abstractmethod
    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices, each as often as it stands there."""

    @abstractmethod
    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the worst answers, worst first, `count` at most."""

    @property
    def right(self) -> np.ndarray | None:
        """Whether each answer is right, bool, where answers are right or wrong."""
        return None

    def told_of(
        self, rows: np.ndarray, calibration: Calibration | None = None
    ) -> dict[str, dict[str, float | None]]:
        """Return what a report tells of a slice beside the figure that slices are compared by.

        Args:
            rows: Indices of the examples of the slice.
            calibration: Of the run, where it is calibrated.

        Returns:
            Name to `value`, `low` and `high`, the same names for every slice.
        """
        return {}

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables and curves of a report, as plain data.

        Args:
            calibration: Of the run, where it is calibrated.
        """
        return {}

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report; nothing for one that does not apply."""
        return {}

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return iter(())

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return what a report shows of one answer and its input, in order.

        Args:
            row: As `evaluate` wrote it.
            example: What `Task.shown` says of the input; empty where its data are gone.
        """
        return [*items_of(example), Item("answer", "text", cls.said(row))]

    @classmethod
    def drawn(cls, answer: Mapping[str, Any], value: Any) -> np.ndarray | None:
        """Return an answer drawn over its input, for those who ask for files of their answers.

        Args:
            answer: As `predict` returns it.
            value: The raw input that it answers.

        Returns:
            uint8, shape `(height, width, 3)`; nothing where an answer of the kind is no drawing.
        """
        return None

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return one answer beside the truth, in words."""
        return ", ".join(f"{name} {value}" for name, value in row.items() if name != "row")

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table that a console prints below the figures of `evaluate`, if any."""
        return None

    @classmethod
    def figure(cls) -> str:
        """Return the name of the figure that slices are compared by."""
        return next(iter(cls.figures))

    @classmethod
    def lower_is_better(cls) -> bool:
        """Return whether that figure is better small."""
        return cls.figures[cls.figure()] == "min"

    @classmethod
    def file(cls, name: str) -> Path | None:
        """Return a file beside the module of the kind or, where it has none, of the kind that it refines.

        Args:
            name: Such as `report.html`.
        """
        kinds = (each for each in cls.__mro__ if issubclass(each, Answers))
        paths = (Path(inspect.getfile(each)).with_name(name) for each in kinds)
        return next((path for path in paths if path.is_file()), None)
