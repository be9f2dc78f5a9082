"""Error rates of transcripts, accumulated as edits and lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


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
    """Sums edits and reference lengths over strings."""

    def __init__(self, normalizer: Callable[[str], str] | None, name: str, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.normalizer = normalizer
        self.edits = self.add_variable((), "zeros", dtype="int32", name="edits")
        self.length = self.add_variable((), "zeros", dtype="int32", name="length")

    def _units(self, text: str) -> Sequence:
        raise NotImplementedError

    def update_state(self, y_true: Sequence[str], y_pred: Sequence[str], sample_weight: Any = None) -> None:
        """Count a batch of transcripts.

        Args:
            y_true: Reference strings.
            y_pred: As many recognised strings.
            sample_weight: Transcripts with weight 0 are left out, all others count once.

        Raises:
            ValueError: There are not as many of one as of the other.
        """
        if len(y_true) != len(y_pred):
            raise ValueError(
                "There must be a recognised string for each reference. "
                f"Received: {len(y_true)} references, {len(y_pred)} recognised."
            )
        kept = np.ones(len(y_true), bool) if sample_weight is None else np.asarray(sample_weight) != 0
        edits = length = 0
        for reference, hypothesis in (
            pair for pair, keep in zip(zip(y_true, y_pred, strict=True), kept, strict=True) if keep
        ):
            expected, received = (self._units(self._normalised(text)) for text in (reference, hypothesis))
            edits += edit_distance(expected, received)
            length += len(expected)
        self.edits.assign_add(edits)
        self.length.assign_add(length)

    def _normalised(self, text: str | bytes) -> str:
        text = text.decode("utf-8") if isinstance(text, bytes) else str(text)
        return self.normalizer(text) if self.normalizer else text

    def result(self) -> Any:
        """Return the edits by the length of the references; at least 0, above 1 where much is inserted."""
        return ops.divide_no_nan(ops.cast(self.edits, "float32"), ops.cast(self.length, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        normalizer = self.normalizer and keras.saving.serialize_keras_object(self.normalizer)
        return {**super().get_config(), "normalizer": normalizer}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _ErrorRate:
        """Return the metric that `get_config` describes."""
        normalizer = config.pop("normalizer")
        return cls(normalizer=normalizer and keras.saving.deserialize_keras_object(normalizer), **config)


@keras.saving.register_keras_serializable(package="quartet")
class WordErrorRate(_ErrorRate):
    """Word edits by words of reference, over all transcripts: not a mean of rates.

    It reads strings, so it can't be compiled into a model: update it outside the graph, on any backend. What
    counts as the same word is decided by `normalizer` alone; nothing is folded without it.

    Args:
        normalizer: Applied to reference and recognised strings, such as `str.lower`; to be saved it must be
            registered with Keras.
        name: Of the metric.
        dtype: Of the result.

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
class CharacterErrorRate(_ErrorRate):
    """Character edits by characters of reference, blanks between words included, over all transcripts.

    It reads strings, so it can't be compiled into a model: update it outside the graph, on any backend.

    Args:
        normalizer: Applied to reference and recognised strings, such as `str.lower`; to be saved it must be
            registered with Keras.
        name: Of the metric.
        dtype: Of the result.

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
