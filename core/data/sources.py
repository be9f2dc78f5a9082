"""Data sets of tensorflow-datasets as examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.folders import PART_NAMES
from core.errors import UserError

PREFIX = "tfds:"


def read_tfds(source: str, columns: Mapping[str, tuple[str, ...]]) -> dict[str, Examples]:
    """Read a data set of tensorflow-datasets by its parts.

    Args:
        source: `tfds:NAME[/CONFIG]`. A data set that is on disk already is read without a network; its folder
            is the environment's `TFDS_DATA_DIR`, or the library's own default.
        columns: The name a column gets to the names that the feature may have.

    Returns:
        The parts that the data set names, each with the columns that were found; class numbers become their
        names, sequences become ragged columns.

    Raises:
        UserError: There is no such data set, it can't be fetched, or it lacks a feature.
    """
    import tensorflow_datasets as tfds

    name = source.removeprefix(PREFIX)
    try:
        builder = tfds.builder(name)
        builder.download_and_prepare()
    except Exception as error:  # a builder may fail in any way: unknown name, no network, a changed checksum
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"tensorflow-datasets can't give this data set: {told[:200]}. Received: {source}."
        ) from None
    parts = {}
    for part, spellings in PART_NAMES.items():
        split = next((split for split in builder.info.splits if split in spellings), None)
        if split is not None:
            parts[part] = _examples(builder, split, columns, source)
    if "train" not in parts:
        raise UserError(
            f"{source} has no training part. Received the splits: {', '.join(builder.info.splits)}."
        )
    return _without_hidden_labels(parts)


def _examples(builder: Any, split: str, columns: Mapping[str, tuple[str, ...]], source: str) -> Examples:
    features = builder.info.features
    found = {}
    for column, spellings in columns.items():
        feature = next((spelling for spelling in spellings if spelling in features), None)
        if feature is not None:
            found[column] = feature
    lacking = [column for column in columns if column not in found]
    if lacking:
        raise UserError(f"{source} has no {lacking[0]}. Received the features: {', '.join(features)}.")
    gathered: dict[str, list] = {column: [] for column in found}
    for example in builder.as_dataset(split=split).as_numpy_iterator():
        for column, feature in found.items():
            gathered[column].append(_compact(example[feature]))
    return Examples(
        {column: _column(gathered[column], features[feature]) for column, feature in found.items()}, source
    )


def _compact(value: Any) -> Any:
    """Return a sound, which tensorflow-datasets gives as int64, in the 16 bits that it has."""
    if np.ndim(value) == 1 and value.dtype == np.int64 and np.abs(value).max(initial=0) < 2**15:
        return value.astype(np.int16)
    return value


def _column(values: list, feature: Any) -> np.ndarray | Ragged:
    names = getattr(feature, "names", None)
    if names:
        # The test parts of GLUE and others have -1 in place of the label.
        return np.array([names[value] if value >= 0 else "" for value in values])
    if values and isinstance(values[0], bytes):
        return np.array([value.decode("utf-8", errors="replace") for value in values])
    if values and np.ndim(values[0]) == 1:
        return Ragged.from_rows(values)
    return np.stack(values)


def _without_hidden_labels(parts: dict[str, Examples]) -> dict[str, Examples]:
    """Return the parts without those whose labels are withheld."""
    kept = {name: part for name, part in parts.items() if "label" not in part or (part["label"] != "").all()}
    return kept if "train" in kept else parts
