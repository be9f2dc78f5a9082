"""Where a recommender's data come from: the sample, tensorflow-datasets, or files, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError

if TYPE_CHECKING:
    from core.data.examples import Examples

TFDS_COLUMNS = {
    "user": ("user_id",),
    "item": ("movie_id", "item_id"),
    "rating": ("user_rating", "rating"),
    "time": ("timestamp",),
}

ReadFile = Callable[[Path], "tuple[Examples, Sequence[str]]"]
"""From a file or folder to what it holds, and notes of the reading."""


def read_parts(
    data: str, read: ReadFile, *, validation_data: str | None = None, test_data: str | None = None
) -> tuple[Mapping[str, Examples], Sequence[str]]:
    """Return the parts that a source names, `train` at least, and notes of the reading.

    Args:
        data: `sample`, a `movielens` of tensorflow-datasets, or the path of a file or folder.
        read: Reads one file or folder.
        validation_data: File of the validation part, where `data` is a file of the training part.
        test_data: File of the test part, likewise.

    Raises:
        UserError: A file is missing or not what it should be.
    """
    from core.data import samples, sources, tables
    from core.data.choices import whole_or_parts

    given = {"validation": validation_data, "test": test_data}
    paths = {part: tables.existing(name) for part, name in given.items() if name}
    if data == "sample" or data.startswith(sources.PREFIX):
        if paths:
            raise UserError(
                f"validation_data and test_data stand beside a file of training data. Received: data={data}."
            )
        if data == "sample":
            return {"train": samples.movielens_100k()[0]}, ()
        return sources.read_tfds(data, TFDS_COLUMNS), ()
    paths = {**whole_or_parts(tables.existing(data)), **paths}
    examples = {part: read(path) for part, path in paths.items()}
    notes = [note for _, said in examples.values() for note in said]
    if len(paths) > 1:
        names = ", ".join(f"{part} from {path.name}" for part, path in paths.items())
        notes.append(f"parts as published: {names}")
    return {part: rows for part, (rows, _) in examples.items()}, notes


def require_times(parts: Mapping[str, Examples], column: str | None) -> None:
    """Refuse a division by a time that the training part lacks, and say what to set.

    Raises:
        UserError: It has no column of that name.
    """
    examples = parts["train"]
    if column is None or column in examples:
        return
    if "time" in examples or "order" in examples:
        advice = f"Set task.split_time={'time' if 'time' in examples else 'order'}"
    else:
        advice = (
            "Where the order of lines is that of events, set task.ordered=true and task.split_time=order; "
            "else task.split_time=null divides at random"
        )
    raise UserError(
        f"{examples.source} has no column {column!r} to divide by. {advice}. "
        f"Received the columns: {', '.join(examples.columns)}."
    )


def read_titles_of(data: str, titles_data: str | None = None) -> dict[str, str]:
    """Return the titles of a source's items by their ids; none where it has none.

    Args:
        data: The source, beside which files of titles are looked for.
        titles_data: A table of titles, which is read instead.
    """
    from core.data import ratings, samples, sources, tables

    if titles_data is not None:
        return ratings.read_title_table(tables.existing(titles_data))
    if data == "sample":
        return samples.movielens_100k()[1]
    return {} if data.startswith(sources.PREFIX) else ratings.read_titles(tables.existing(data))


def titles_of_items(titles: Mapping[str, str], items: Sequence[str], source: str) -> dict[str, str]:
    """Return the titles of these items alone.

    Raises:
        UserError: There are titles, and none is of any of the items.
    """
    if titles and titles.keys().isdisjoint(items):
        raise UserError(
            f"The titles beside {source} are of none of its items: mend or move them. "
            f"Received: titles of {next(iter(titles))}, ..., ratings of {items[0]}, ...."
        )
    return {item: titles[item] for item in items if item in titles}


def in_order(examples: Examples, *, ordered: bool) -> Examples:
    """Return examples with their order, where the order of lines is that of events and they have no times."""
    from core.data.examples import Examples

    if not ordered or "time" in examples or "order" in examples:
        return examples
    return Examples({**examples.columns, "order": np.arange(len(examples))}, examples.source)
