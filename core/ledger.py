"""What a configuration was measured to reach, from which `quartet list`, README and docs/ are made."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import pydantic
from pydantic import Field

from core.settings import Settings


class Spread(Settings):
    """A figure measured several times, as folds do."""

    mean: Decimal
    std: Decimal = Field(ge=0, description="standard deviation over the folds")

    def __str__(self) -> str:
        return f"{self.mean} ± {self.std}"


class Entry(Settings):
    """One measurement: a command that was run, and what came out of it.

    Figures are decimals and keep the digits they are written with; in a YAML a final zero stays where the
    figure is quoted: `accuracy: '0.810'`.

    Example:

    >>> entry = Entry(
    ...     command="quartet train nlp/sentiment",
    ...     data="reviews, 20% by hash",
    ...     figures={"accuracy": 0.793},
    ...     rivals={"NBSVM": {"accuracy": 0.777}, "logistic regression": {"accuracy": 0.761}},
    ... )
    >>> entry.headline
    ('accuracy', Decimal('0.793'))
    >>> entry.best_rival("max")
    ('NBSVM', Decimal('0.777'))
    """

    command: str = Field(pattern="^quartet ", description="the whole command line that measures it again")
    data: str = Field(min_length=1, description="which data, and which part of it is the test part")
    figures: dict[str, Decimal | Spread] = Field(
        min_length=1, description="as metrics.json names them; the first is the headline"
    )
    rivals: dict[str, dict[str, Decimal | Spread]] = Field(
        {}, description="figures of the rivals in the same run, by the rival's name"
    )
    seconds: Decimal | None = Field(
        None, gt=0, description="of the whole command, by the clock; of several runs, the longest"
    )
    hardware: str | None = Field(None, description="what it ran on")
    date: datetime.date | None = Field(None, description="when it was measured")
    note: str | None = Field(None, description="what else a reader should know, such as other seeds")

    @pydantic.model_validator(mode="after")
    def _comparable(self) -> Entry:
        if self.seconds is not None and self.hardware is None:
            raise ValueError(f"must name its hardware, since seconds mean nothing without: {self.command}")
        for rival, figures in self.rivals.items():
            strange = [name for name in figures if name not in self.figures]
            if strange or not figures:
                raise ValueError(
                    f"must give its rival {rival!r} figures that the model has too "
                    f"({', '.join(self.figures)}), got {', '.join(strange) or 'none'}"
                )
        return self

    def __str__(self) -> str:
        rivals = "; ".join(f"{rival} {_in_words(figures)}" for rival, figures in self.rivals.items())
        took = f"{self.seconds} s on {self.hardware}" if self.seconds else self.hardware
        parts = [self.data, _in_words(self.figures), rivals, took, self.note, self.date and str(self.date)]
        return f"{self.command}: {'; '.join(part for part in parts if part)}"

    @property
    def headline(self) -> tuple[str, Decimal | Spread]:
        """The first figure: its name and value."""
        return next(iter(self.figures.items()))

    def best_rival(self, direction: Literal["min", "max"]) -> tuple[str, Decimal | Spread] | None:
        """Return the rival with the best headline figure, and that figure; nothing where no rival has it.

        Args:
            direction: Whether the headline is better small or large.
        """
        name = self.headline[0]
        values = {rival: figures[name] for rival, figures in self.rivals.items() if name in figures}
        if not values:
            return None
        best = (min if direction == "min" else max)(values, key=lambda rival: middle(values[rival]))
        return best, values[best]

    def best(self, direction: Literal["min", "max"]) -> Decimal:
        """Return the best headline figure among model and rivals; `direction` as for `best_rival`."""
        rival = self.best_rival(direction)
        values = [middle(self.headline[1]), *([middle(rival[1])] if rival else [])]
        return min(values) if direction == "min" else max(values)


def _in_words(figures: Mapping[str, Decimal | Spread]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def middle(figure: Decimal | Spread) -> Decimal:
    """Return the figure, or the mean of one that was measured several times."""
    return figure.mean if isinstance(figure, Spread) else figure


class Ledger(Settings):
    """All that one configuration was measured to reach."""

    entries: list[Entry] = Field(description="the first stands for the configuration where there is one line")
    direction: Literal["min", "max"] = Field(description="whether the headline is better small or large")
