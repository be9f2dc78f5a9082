"""Data sets of tensorflow-datasets as examples."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.folders import PART_NAMES
from core.data.larger_than_memory import Growing
from core.errors import UserError

PREFIX = "tfds:"
RETRIES = 4  # of a download that gets no answer


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
        with _few_retries(), tfds_leaves_nothing(), _without_progress():
            builder = tfds.builder(name)
            builder.download_and_prepare()
    except Exception as error:  # a builder may fail in any way: unknown name, no network, a changed checksum
        raise UserError(
            f"tensorflow-datasets can't give this data set: {_reason(error)} Received: {source}."
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


@contextmanager
def tfds_leaves_nothing() -> Iterator[None]:
    """Delete the temporary folders that tensorflow-datasets makes in the block and forgets.

    It makes one for each builder whose data set is not on disk. None of another process is touched.
    """
    make, made = tempfile.mkdtemp, list[str]()

    def remembered(suffix: Any = None, *rest: Any, **named: Any) -> str:
        folder: str = make(suffix, *rest, **named)
        if suffix == "tfds":
            made.append(folder)
        return folder

    tempfile.mkdtemp = remembered  # type: ignore[assignment]
    try:
        yield
    finally:
        tempfile.mkdtemp = make
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _without_progress() -> Iterator[None]:
    """Keep the bars of tensorflow-datasets, and its talk, out of what a user reads."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()


@contextmanager
def _few_retries() -> Iterator[None]:
    """Give an address up after 3 s without an answer, where the library's own 10 retries wait 200 s."""
    from tensorflow_datasets.core.download import downloader

    before, log = downloader.MAX_RETRIES, logging.getLogger("urllib3.connectionpool")
    level = log.level
    try:
        downloader.MAX_RETRIES = RETRIES
        # It warns at each retry of what the error at the end tells.
        log.setLevel(logging.ERROR)
        yield
    finally:
        downloader.MAX_RETRIES = before
        log.setLevel(level)


def _reason(error: Exception) -> str:
    """Return in a sentence or two why a data set can't be had."""
    import requests

    if isinstance(error, requests.ConnectionError) and error.request is not None:
        host = urlsplit(str(error.request.url)).hostname
        return f"{host} can't be reached. Without a network give a file or folder, or data=sample."
    lines = str(error).strip().splitlines() or [type(error).__name__]
    near = next((line.split(" -> ")[-1] for line in lines if line.startswith("Did you mean")), "")
    hint = f" Did you mean {PREFIX}{near.rstrip(' ?')}?" if near else ""
    return f"{lines[0][:200].rstrip('.')}.{hint}"


def _examples(builder: Any, split: str, columns: Mapping[str, tuple[str, ...]], source: str) -> Examples:
    features = builder.info.features
    feature_of = {}
    for column, spellings in columns.items():
        feature = next((spelling for spelling in spellings if spelling in features), None)
        if feature is not None:
            feature_of[column] = feature
    lacking = [column for column in columns if column not in feature_of]
    if lacking:
        raise UserError(f"{source} has no {lacking[0]}. Received the features: {', '.join(features)}.")
    gathered = {
        column: _Gathered(features[feature], f"{feature} of {source}")
        for column, feature in feature_of.items()
    }
    for example in builder.as_dataset(split=split).as_numpy_iterator():
        for column, feature in feature_of.items():
            gathered[column].append(example[feature])
    return Examples({column: values.column() for column, values in gathered.items()}, source)


class _Gathered:
    """The values of one feature, gathered one by one in bounded memory.

    Args:
        feature: Of tensorflow-datasets.
        name: Of the feature, for messages.
    """

    def __init__(self, feature: Any, name: str) -> None:
        self.names = getattr(feature, "names", None)
        self.is_sound = hasattr(feature, "sample_rate")
        self.name = name
        self.is_text = False
        self.shape: tuple[int, ...] | None = None
        self.lengths = Growing(np.int64)

    def append(self, value: Any) -> None:
        """Add the value of one example: a number, bytes, or an array."""
        row = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.asarray(value)
        # tensorflow-datasets gives sounds as int64, whatever they are.
        dtype = np.dtype(np.int16) if self.is_sound and row.dtype == np.int64 else row.dtype
        if self.shape is None:
            self.shape, self.is_text, self.values = row.shape, isinstance(value, bytes), Growing(dtype)
        if row.ndim != 1 and row.shape != self.shape:
            raise UserError(
                f"The arrays of {self.name} must be of one shape. Received: {self.shape} and {row.shape}."
            )
        if dtype != row.dtype and np.abs(row).max(initial=0) >= 2**15:
            raise UserError(
                f"The sounds of {self.name} must have 16 bits. Received: {np.abs(row).max():,} in a sample."
            )
        self.values.append(row)
        self.lengths.append(np.array(len(row) if row.ndim else 1))

    def column(self) -> np.ndarray | Ragged:
        """Return all values as a column."""
        if self.shape is None:
            return np.zeros(0)
        values = self.values.array()
        if self.names:
            # The test parts of GLUE and others have -1 in place of the label.
            return np.array([*self.names, ""], np.dtypes.StringDType())[values]
        if len(self.shape) != 1:
            return values.reshape(-1, *self.shape)
        rows = Ragged(values, np.concatenate([[0], np.cumsum(self.lengths.array())]))
        if not self.is_text:
            return rows
        texts = np.empty(len(rows), np.dtypes.StringDType())
        for row in range(len(rows)):
            texts[row] = rows[row].tobytes().decode("utf-8", errors="replace")
        return texts


def _without_hidden_labels(parts: dict[str, Examples]) -> dict[str, Examples]:
    """Return the parts without those whose labels are withheld."""
    kept = {name: part for name, part in parts.items() if "label" not in part or (part["label"] != "").all()}
    return kept if "train" in kept else parts
