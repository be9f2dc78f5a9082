"""How tables of ratings are written: their columns, and what several ratings of one pair mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from core.errors import UserError
from core.task.contract import Task
from core.task.tables import FromTables
from core.wording import counted

if TYPE_CHECKING:
    from core.data.examples import Examples
    from core.data.ratings import RatingsForm


class FromChoices(FromTables, Task):
    """A task whose tables say who chose what."""

    user_column: str | None = Field(
        None, description="column of the users, or its position from 0; by default found by usual names"
    )
    item_column: str | None = Field(None, description="column of the items, likewise")
    rating_column: str | None = Field(None, description="column of the ratings, likewise")
    time_column: str | None = Field(None, description="column of the times, likewise")

    @property
    def how(self) -> RatingsForm:
        """How a table is written, as its readers take it."""
        from core.data.ratings import RatingsForm

        columns = {
            "user": self.user_column,
            "item": self.item_column,
            "rating": self.rating_column,
            "time": self.time_column,
        }
        named = {name: column for name, column in columns.items() if column is not None}
        return RatingsForm(self.form, named, self.time_format)


class FromRatings(FromChoices):
    """A task whose tables say who rated what, each pair once or several times."""

    duplicates: Literal["keep", "mean", "last", "refuse"] = Field(
        "keep", description="several ratings of one item by one user: keep all, take their mean or the last"
    )

    def each_pair_once(self, examples: Examples, notes: Sequence[str]) -> tuple[Examples, Sequence[str]]:
        """Return examples with one row for each user and item, if that is asked for, and what was joined.

        Args:
            examples: Columns `user`, `item`, `rating`, and maybe `time`.
            notes: Of the reading so far.

        Raises:
            UserError: A pair stands twice, and `duplicates` is `refuse`.
        """
        first, members, counts = _pairs(examples)
        repeated = int((counts > 1).sum())
        if self.duplicates == "keep" or not repeated:
            return examples, notes
        pairs = counted(repeated, "pair of a user and an item", "pairs of a user and an item")
        if self.duplicates == "refuse":
            row = int(first[np.argmax(counts > 1)])
            raise UserError(
                f"{examples.source} has several ratings of one item by one user: join them by "
                f"duplicates=mean or duplicates=last. Received: {pairs}, such as "
                f"{examples['user'][row]} and {examples['item'][row]}."
            )
        last = _last_rows(examples, members)
        joined = examples.take(last)
        if self.duplicates == "mean":
            mean = np.bincount(members, examples["rating"], len(first)) / counts
            joined = joined.with_columns(rating=mean.astype(np.float32))
        joined = joined.take(np.argsort(last, kind="stable"))
        return joined, (*notes, f"{pairs} of several ratings: {self.duplicates} taken")


def _pairs(examples: Examples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first row of each pair, the number of each row's pair, and how many rows it has."""
    _, users = np.unique(examples["user"], return_inverse=True)
    names, items = np.unique(examples["item"], return_inverse=True)
    pairs = users * len(names) + items
    _, first, members, counts = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    return first, members, counts


def _last_rows(examples: Examples, members: np.ndarray) -> np.ndarray:
    """Return the row of each pair that is the last by time, or by place in the file."""
    time = examples["time"] if "time" in examples else np.zeros(len(members))
    order = np.lexsort((np.arange(len(members)), time, members))
    return order[np.append(np.flatnonzero(np.diff(members[order])), len(members) - 1)]
