"""Error rates of transcripts: edits by the length of the references, over all of them."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.accumulators import CompensatedSum, weights_like


@keras.saving.register_keras_serializable(package="quartet")
def plain_words(text: str) -> str:
    """Return a text in lower case, its words alone, one blank between them; a normalizer for error rates.

    Compatibility forms are unified (NFKC); punctuation and symbols separate words, but for the apostrophe
    within one. Nothing is spelt out: `2` and `two` remain different.

    Args:
        text: As it was written.

    Example:

    >>> plain_words("Don’t stop -- go LEFT, please!")
    "don't stop go left please"
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join(filter(None, (word.strip("'") for word in "".join(kept).split())))


def edit_distance(reference: Sequence, hypothesis: Sequence) -> int:
    """Return the fewest insertions, deletions and substitutions that turn one sequence into the other.

    Source: Levenshtein (1966); row by row after Wagner and Fischer (1974), each row in NumPy.

    Args:
        reference: Items that can be compared, such as words or characters.
        hypothesis: Likewise.

    Example:

    >>> edit_distance("kitten", "sitting")
    3
    """
    ids = {item: place for place, item in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    columns = np.array([ids[item] for item in hypothesis], np.int64)
    offsets = np.arange(len(columns) + 1)
    row = offsets.copy()
    for count, item in enumerate(reference, start=1):
        without_insertion = np.minimum(row[1:] + 1, row[:-1] + (columns != ids[item]))
        # An insertion costs 1 a step to the right: a running minimum of what is left when that is taken off.
        row = np.minimum.accumulate(np.concatenate([[count], without_insertion]) - offsets) + offsets
    return int(row[-1])


class _ErrorRate(keras.metrics.Metric):
    """Sums edits and reference lengths."""

    def __init__(self, name: str, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.edits = CompensatedSum(name="edits", dtype="float32")
        self.length = CompensatedSum(name="length", dtype="float32")

    def result(self) -> Any:
        """Return the edits by the length of the references; at least 0, above 1 where much is inserted.

        Where all references are empty it is the number of edits, as in jiwer.
        """
        edits, length = self.edits.result(), self.length.result()
        return ops.cast(edits / ops.where(length > 0, length, 1.0), self.dtype)


class _TextErrorRate(_ErrorRate, ABC):
    """Reads strings."""

    def __init__(self, normalizer: Callable[[str], str] | None, name: str, dtype: str | None) -> None:
        super().__init__(name, dtype)
        self.normalizer = normalizer

    @abstractmethod
    def _units(self, text: str) -> Sequence:
        """Return what edits are counted in, such as words."""

    def update_state(self, y_true: Sequence[str], y_pred: Sequence[str], sample_weight: Any = None) -> None:
        """Count a batch of transcripts.

        Args:
            y_true: Reference strings, as UTF-8 if in bytes.
            y_pred: As many recognised strings.
            sample_weight: Of each transcript.

        Raises:
            ValueError: There are not as many of one as of the other.
        """
        if len(y_true) != len(y_pred):
            raise ValueError(
                "There must be a recognised string for each reference. "
                f"Received: {len(y_true)} references, {len(y_pred)} recognised."
            )
        weights = np.ones(len(y_true)) if sample_weight is None else np.reshape(sample_weight, -1)
        edits = length = 0.0
        for reference, hypothesis, weight in zip(y_true, y_pred, weights, strict=True):
            expected, received = (self._units(self._normalized(text)) for text in (reference, hypothesis))
            edits += float(weight) * edit_distance(expected, received)
            length += float(weight) * len(expected)
        self.edits.update_state(edits)
        self.length.update_state(length)

    def _normalized(self, text: str | bytes) -> str:
        text = text.decode("utf-8") if isinstance(text, bytes) else str(text)
        return self.normalizer(text) if self.normalizer else text

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        normalizer = self.normalizer and keras.saving.serialize_keras_object(self.normalizer)
        return {**super().get_config(), "normalizer": normalizer}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _TextErrorRate:
        """Return the metric that `get_config` describes."""
        normalizer = config["normalizer"] and keras.saving.deserialize_keras_object(config["normalizer"])
        return cls(**{**config, "normalizer": normalizer})


@keras.saving.register_keras_serializable(package="quartet")
class WordErrorRate(_TextErrorRate):
    """Word edits by words of reference, over all transcripts: not a mean of rates.

    It reads strings, so it can't be compiled into a model: update it outside the graph, on any backend; for
    ids, see `TokenErrorRate`. What counts as the same word is decided by `normalizer` alone: nothing is
    folded without it.

    Args:
        normalizer: Applied to reference and recognised strings, such as `plain_words`; to be saved it must be
            registered with Keras.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Morris, Maier and Green, From WER and RIL to MER and WIL (2004), equation 1.

    Example:

    >>> metric = WordErrorRate()
    >>> metric.update_state(["the cat sat"], ["the cat sat down"])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self,
        normalizer: Callable[[str], str] | None = None,
        name: str = "word_error_rate",
        dtype: str | None = None,
    ) -> None:
        super().__init__(normalizer, name, dtype)

    def _units(self, text: str) -> Sequence:
        return text.split()


@keras.saving.register_keras_serializable(package="quartet")
class CharacterErrorRate(_TextErrorRate):
    """Character edits by characters of reference, blanks between words included, over all transcripts.

    It reads strings, so it can't be compiled into a model: update it outside the graph, on any backend; for
    ids, see `TokenErrorRate`.

    Args:
        normalizer: Applied to reference and recognised strings, such as `plain_words`; to be saved it must be
            registered with Keras.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Morris, Maier and Green, From WER and RIL to MER and WIL (2004), equation 1, on characters.

    Example:

    >>> metric = CharacterErrorRate()
    >>> metric.update_state(["kitten"], ["sitting"])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        normalizer: Callable[[str], str] | None = None,
        name: str = "character_error_rate",
        dtype: str | None = None,
    ) -> None:
        super().__init__(normalizer, name, dtype)

    def _units(self, text: str) -> Sequence:
        return text.strip()


@keras.saving.register_keras_serializable(package="quartet")
class TokenErrorRate(_ErrorRate):
    """Token edits by tokens of reference, over all sequences of ids, in the graph and on any backend.

    `keras_hub.metrics.EditDistance` reads ragged tokens through TensorFlow, outside of the graph of other
    backends, and can't mask.

    Args:
        padding_id: Fills both kinds of sequences at their ends; -1, as `keras.ops.ctc_decode` does.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: as `edit_distance`, one diagonal of the table after the other, because the cells of a diagonal do
    not need each other.

    Example:

    >>> metric = TokenErrorRate()
    >>> metric.update_state([[5, 6, 7, -1]], [[5, 7, -1]])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self, padding_id: int = -1, name: str = "token_error_rate", dtype: str | None = None
    ) -> None:
        super().__init__(name, dtype)
        self.padding_id = padding_id

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of sequences.

        Args:
            y_true: Reference ids, int, shape `(batch_size, reference_length)`.
            y_pred: Recognised ids, int, shape `(batch_size, recognised_length)`.
            sample_weight: Of each sequence, shape `(batch_size,)`.
        """
        references, recognised = ops.cast(y_true, "int32"), ops.cast(y_pred, "int32")
        lengths, recognised_lengths = (
            ops.sum(ops.cast(ids != self.padding_id, "int32"), axis=-1) for ids in (references, recognised)
        )
        edits = _edit_distances(references, lengths, recognised, recognised_lengths)
        weights = weights_like(lengths, sample_weight)
        self.edits.update_state(ops.sum(weights * ops.cast(edits, "float32")))
        self.length.update_state(ops.sum(weights * ops.cast(lengths, "float32")))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "padding_id": self.padding_id}


def _edit_distances(references: Any, lengths: Any, recognised: Any, recognised_lengths: Any) -> Any:
    """Return the edit distance of each pair of rows, int32, shape `(batch_size,)`."""
    num_rows, num_columns = ops.shape(references)[1], ops.shape(recognised)[1]
    front = ((0, 0), (1, 0))
    references, recognised = ops.pad(references, front), ops.pad(recognised, front)
    rows = ops.arange(num_rows + 1, dtype="int32")
    unreached = num_rows + num_columns + 1

    def below(diagonal: Any) -> Any:
        return ops.pad(diagonal[:, :-1], front, constant_values=unreached)

    def next_diagonal(number: Any, state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        before_last, last, distances = state
        columns = number - rows
        facing = ops.take(recognised, ops.clip(columns, 0, num_columns), axis=1)
        substituted = below(before_last) + ops.cast(references != facing, "int32")
        edited = ops.minimum(ops.minimum(last, below(last)) + 1, substituted)
        diagonal = ops.where(rows * columns == 0, number, edited)
        reached = ops.take_along_axis(diagonal, lengths[:, None], axis=1)[:, 0]
        return last, diagonal, ops.where(lengths + recognised_lengths == number, reached, distances)

    first = ops.where(rows == 0, 0, unreached) + ops.zeros_like(references)
    state = (ops.full_like(first, unreached), first, ops.zeros_like(lengths))
    return ops.fori_loop(1, num_rows + num_columns + 1, next_diagonal, state)[2]
