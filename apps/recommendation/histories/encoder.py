"""What is learnt of histories before any weight: the items, how often each was chosen, and their titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.interactions import UNKNOWN, Interactions, as_matrix, numbered
from apps.recommendation.histories.examples import ids_of
from core.data.examples import Ragged
from core.task.contract import Encoder

if TYPE_CHECKING:
    import pandas as pd

    from core.data.examples import Examples


@dataclass(frozen=True, eq=False)
class Histories:
    """Numbered items that people chose, oldest first, and those that they chose next.

    Args:
        before: int32, a row a person; known items alone.
        after: int32, likewise; `UNKNOWN` where training never saw the item.
        num_items: Of the known items and the unknown one.
    """

    before: Ragged
    after: Ragged
    num_items: int

    def __len__(self) -> int:
        return len(self.before)

    def seen(self, *, masked: bool = True) -> Any:
        """Return a sparse matrix that holds 1 for each item of a history, float32.

        Args:
            masked: Else it is all zeros.

        Returns:
            Shape `(num_people + 1, num_items)`: the person of row 0 of the histories is number 1, since that
            of the unknown is 0.
        """
        offsets = np.concatenate([[0], self.before.offsets if masked else np.zeros(len(self) + 1)])
        values = self.before.values if masked else self.before.values[:0]
        return as_matrix(Ragged(values, offsets), self.num_items)

    def targets(self) -> Interactions:
        """Return what should be found, each with the number of its person, from 1."""
        people = np.repeat(np.arange(1, len(self) + 1, dtype=np.int32), self.after.lengths)
        ones = np.ones(len(people), np.float32)
        return Interactions(people, self.after.values, ones, len(self) + 1, self.num_items)

    def choices(self) -> Interactions:
        """Return all that was chosen, before and next, each with the number of its person, from 1."""
        number = np.arange(1, len(self) + 1, dtype=np.int32)
        people = np.concatenate([np.repeat(number, part.lengths) for part in (self.before, self.after)])
        items = np.concatenate([self.before.values, self.after.values])
        known = items != UNKNOWN
        ones = np.ones(int(known.sum()), np.float32)
        return Interactions(people[known], items[known], ones, len(self) + 1, self.num_items)

    def whole(self) -> Ragged:
        """Return all that each person chose, known items alone, oldest first."""
        people = np.concatenate([np.repeat(np.arange(len(self)), part.lengths) for part in self._parts])
        items = np.concatenate([part.values for part in self._parts])
        known = np.flatnonzero(items != UNKNOWN)
        order = known[np.argsort(people[known], kind="stable")]
        lengths = np.bincount(people[known], minlength=len(self))
        return Ragged(items[order], np.concatenate([[0], np.cumsum(lengths)]))

    @property
    def _parts(self) -> tuple[Ragged, Ragged]:
        return self.before, self.after


class HistoryEncoder(Encoder):
    """The items that training saw."""

    items: list[str] = Field(min_length=1, description="raw ids; the first has number 1")
    item_counts: list[int] = Field(description="how often each was chosen")
    titles: dict[str, str] = Field(description="raw item ids to titles, where the source has them")
    people: int = Field(description="whose choices were learnt from")
    pairs: int = Field(
        0, description="of items of which one has followed the other, where they are remembered"
    )

    @property
    def num_items(self) -> int:
        """Known items and the unknown one, whose number is 0."""
        return len(self.items) + 1

    @cached_property
    def item_index(self) -> pd.Index:
        """The items, in a form that finds their numbers fast."""
        import pandas as pd

        return pd.Index(self.items, dtype=object)

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each item was chosen, float32, by its number; 0 for the unknown one."""
        return np.array([0, *self.item_counts], np.float32)

    @cached_property
    def popular(self) -> np.ndarray:
        """The numbers of the items, most chosen first."""
        return np.argsort(-np.array(self.item_counts), kind="stable") + 1

    def numbers(self, rows: Sequence[Sequence[str]]) -> Ragged:
        """Return the numbers of raw ids, int32; `UNKNOWN` where training never saw one."""
        flat = [item for row in rows for item in row]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        return Ragged(numbered(flat, self.item_index), offsets)

    def before(self, rows: Sequence[Sequence[str]]) -> Histories:
        """Return histories of raw ids, of known items alone, after which nothing was chosen yet."""
        nothing = Ragged(np.zeros(0, np.int32), np.zeros(len(rows) + 1, np.int64))
        return Histories(known(self.numbers(rows)), nothing, self.num_items)

    def histories(self, examples: Examples) -> Histories:
        """Return the numbered items of examples."""
        before, after = (
            self.numbers([ids_of(text) for text in examples[name].tolist()]) for name in ("history", "next")
        )
        return Histories(known(before), after, self.num_items)

    def item_name(self, item: int) -> dict[str, str]:
        """Return the raw id of an item, and its title where there is one."""
        name = self.items[item - 1]
        return {"item": name, "title": self.titles[name]} if name in self.titles else {"item": name}

    def title(self, item: str) -> str:
        """Return the title of a raw item id, or the id itself."""
        return self.titles.get(item, item)


def known(rows: Ragged) -> Ragged:
    """Return rows of numbers without those of unknown items.

    Example:

    >>> known(Ragged.from_rows([[3, 0], [0, 0, 1]])).lengths.tolist()
    [1, 1]
    """
    mask = rows.values != UNKNOWN
    kept = np.concatenate([[0], np.cumsum(mask)])
    return Ragged(rows.values[mask], kept[rows.offsets])


def windows(rows: Ragged, length: int) -> Ragged:
    """Return rows cut from their ends into pieces, such that each pair of neighbours stands in one piece.

    Args:
        rows: Of any lengths; those below 2 hold no pair, and are left out.
        length: Of a piece, at most; at least 2.

    Example:

    >>> pieces = windows(Ragged.from_rows([[1, 2, 3, 4, 5], [6]]), length=3)
    >>> [pieces[row].tolist() for row in range(len(pieces))]
    [[3, 4, 5], [1, 2, 3]]
    """
    starts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    first, end = rows.offsets[:-1], rows.offsets[1:]
    while len(first):
        longer = end - first >= 2
        first, end = first[longer], end[longer]
        starts.append(np.maximum(end - length, first))
        ends.append(end)
        end = starts[-1] + 1  # the first of a piece is the last of the piece before
    start, stop = np.concatenate(starts), np.concatenate(ends)
    offsets = np.concatenate([[0], np.cumsum(stop - start)])
    places = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], stop - start)
    return Ragged(rows.values[places], offsets)
