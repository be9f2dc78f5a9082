"""From texts to numbers: pieces of text, the vocabulary of a training part, and ids."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.data.examples import Ragged
from core.data.letters import BLANKS, JOINERS, UNSEEN, Reading, folded, lowered

if TYPE_CHECKING:
    import tensorflow as tf

# Ids that a model sees before those of the vocabulary.
PADDING, UNKNOWN = 0, 1
CHUNK = 2048
EMPTY = "\u2400"
# Letters of a word that are read, so that a stretch of 100,000 letters costs no more than a sentence.
LONGEST_WORD = 64
# Before a run of characters, which else would be mistaken for a word; no word has it beside other characters.
INNER = "#"

# What is set apart as a word of its own, and, for characters, what begins a new one.
_PARTED: dict[Reading, tuple[str, str]] = {
    "folded": (rf"([^\pL\pN\pM\s'{JOINERS}]\pM*)", rf"([^\pM{JOINERS}])"),
    "lowered": (r"([^\pL\pN\s'])", ""),
}

Split = Literal["words", "characters"]


class Pieces:
    """Cuts texts into words or characters, and these into n-grams, by operations of TensorFlow.

    Texts are read blind to case; a character that is no letter, digit or mark of one is a word of its own. An
    empty text becomes one unknown piece, so that no model meets a text of no length.

    Args:
        split: Words, or single characters for languages that write no blanks.
        max_length: Words or characters that are read of each text, at least 1; the rest is left out.
        ngrams: Longest run of words that is a piece, at least 1.
        character_ngrams: Shortest and longest run of characters within a word that is a piece, or nothing.
        reading: How letters are read; `lowered` is for runs that were trained so.

    Example:

    >>> Pieces(ngrams=2)(np.array(["Not bad!"])).to_list()
    [[b'not', b'bad', b'!', b'not bad', b'bad !']]
    """

    def __init__(
        self,
        split: Split = "words",
        max_length: int = 256,
        ngrams: int = 1,
        character_ngrams: tuple[int, int] | None = None,
        reading: Reading = "folded",
    ) -> None:
        self.split = split
        self.max_length = max_length
        self.ngrams = ngrams
        self.character_ngrams = character_ngrams
        self.reading = reading

    def __call__(self, texts: np.ndarray) -> tf.RaggedTensor:
        """Return the pieces of each text, `tf.string`, shape `(num_texts, None)`."""
        import tensorflow as tf

        cut = _graph(self.split, self.max_length, self.ngrams, self.character_ngrams, self.reading)
        # Python's small letters are the same on every machine; TensorFlow's are those of its language.
        small = folded if self.reading == "folded" else lowered
        return cut(tf.constant([small(text) for text in texts.tolist()], tf.string))

    def cut(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the same of texts that are a tensor, operation by operation.

        No operation composes letters and marks (NFC): of texts that are `folded` give composed ones.
        """
        import tensorflow as tf

        if self.reading == "lowered":
            whole = tf.strings.regex_replace(texts, r"\x00", " ")  # at which TensorFlow ends a text it lowers
            return self.cut_small(tf.strings.lower(whole, encoding="utf-8"))
        from core.data.small_letters import in_small_letters

        shown = tf.strings.regex_replace(in_small_letters(texts), f"[{UNSEEN}]", "")
        return self.cut_small(tf.strings.regex_replace(shown, f"[{BLANKS}]", " "))

    def cut_small(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the pieces of texts in small letters."""
        import tensorflow as tf

        whole = tf.strings.regex_replace(texts, r"\x00", " ")
        whole = tf.where(tf.strings.strip(whole) == "", EMPTY, whole)
        apart, alone = _PARTED[self.reading]
        if self.split == "words":
            words = tf.strings.split(tf.strings.regex_replace(whole, apart, r" \1 "))
        elif self.reading == "folded":
            dense = tf.strings.regex_replace(whole, r"[\s\v]+", "")
            words = tf.strings.split(tf.strings.regex_replace(dense, alone, r" \1"))
        else:
            words = tf.strings.unicode_split(tf.strings.regex_replace(whole, r"\s+", ""), "UTF-8")
        words = tf.strings.substr(words[:, : self.max_length], 0, LONGEST_WORD, unit="UTF8_CHAR")
        pieces = words
        if self.ngrams > 1:
            pieces = tf.strings.ngrams(words, list(range(1, self.ngrams + 1)), separator=" ")
        if self.character_ngrams is not None:
            shortest, longest = self.character_ngrams
            letters = tf.strings.unicode_split(tf.strings.join(["<", words, ">"]), "UTF-8")
            runs = tf.strings.ngrams(letters, list(range(shortest, longest + 1)), separator="")
            pieces = tf.concat([pieces, tf.strings.join([INNER, runs.merge_dims(1, 2)])], axis=1)
        return pieces

    def owners(self, text: str) -> tuple[list[str], np.ndarray]:
        """Return the words or characters that are read of a text, and which of its pieces each is part of.

        Args:
            text: One text.

        Returns:
            The words, and bool, shape `(num_words, num_pieces)`, pieces in the order of a call.

        Example:

        >>> words, parts = Pieces(ngrams=2).owners("Not bad")
        >>> words, parts.tolist()
        (['not', 'bad'], [[True, False, True], [False, True, True]])
        """
        alone = Pieces(self.split, self.max_length, reading=self.reading)(np.array([text]))[0].numpy()
        words = [word.decode("utf-8", errors="replace") for word in alone]
        spans = [
            range(start, start + length)
            for length in range(1, self.ngrams + 1)
            for start in range(len(words) - length + 1)
        ]
        if self.character_ngrams is not None:
            shortest, longest = self.character_ngrams
            spans += [
                range(place, place + 1)
                for place, word in enumerate(words)
                for length in range(shortest, longest + 1)
                for _ in range(len(word) + 2 - length + 1)
            ]
        return words, np.array([[place in span for span in spans] for place in range(len(words))])

    def cut_off(self, texts: np.ndarray) -> np.ndarray:
        """Return which texts are longer than what is read of them, bool, shape `(num_texts,)`."""
        longer = Pieces(self.split, self.max_length + 1, reading=self.reading)
        # Every word has a character at the least, so shorter texts need not be cut.
        rows = np.flatnonzero(np.strings.str_len(texts) > self.max_length)
        is_cut = np.zeros(len(texts), bool)
        for start in range(0, len(rows), CHUNK):
            block = rows[start : start + CHUNK]
            is_cut[block] = longer(texts[block]).row_lengths().numpy() > self.max_length
        return is_cut

    def vocabulary(self, texts: np.ndarray, size: int, min_count: int = 1) -> list[str]:
        """Return the most frequent pieces of the texts, by the number of texts that hold them.

        Args:
            texts: Of the training part.
            size: How many pieces at most.
            min_count: Pieces in fewer texts are left out.
        """
        import tensorflow as tf

        counts: Counter[bytes] = Counter()
        for start in range(0, len(texts), CHUNK):
            pieces = self(texts[start : start + CHUNK])
            names, numbers = tf.unique(pieces.flat_values)
            rows = pieces.value_rowids().numpy()
            held = _distinct(rows * len(names) + numbers.numpy()) % len(names)
            counts.update(dict(zip(names.numpy().tolist(), np.bincount(held).tolist(), strict=True)))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        kept = (
            piece.decode("utf-8", errors="replace") for piece, count in ranked[:size] if count >= min_count
        )
        return [piece for piece in dict.fromkeys(kept) if piece]

    def ids(self, texts: np.ndarray, vocabulary: Sequence[str] | tf.lookup.StaticHashTable) -> Ragged:
        """Return the pieces of each text as ids, int32: 1 is unknown, 2 the first of the vocabulary.

        Args:
            texts: Any number of texts.
            vocabulary: What `vocabulary` returned; or the `id_table` of it, made once for many calls.
        """
        table = id_table(vocabulary) if isinstance(vocabulary, Sequence) else vocabulary
        parts = []
        for start in range(0, len(texts), CHUNK):
            pieces = self(texts[start : start + CHUNK])
            numbers = table.lookup(pieces.flat_values).numpy()
            parts.append(Ragged(numbers, pieces.with_flat_values(numbers).row_splits.numpy()))
        return Ragged.concatenate(parts)


@functools.lru_cache(maxsize=16)
def _graph(
    split: Split,
    max_length: int,
    ngrams: int,
    character_ngrams: tuple[int, int] | None,
    reading: Reading,
) -> Callable[[tf.Tensor], tf.RaggedTensor]:
    """Return what cuts texts as one graph, which for few texts is ten times as fast as its operations."""
    import tensorflow as tf

    pieces = Pieces(split, max_length, ngrams, character_ngrams, reading)
    return tf.function(pieces.cut_small, input_signature=[tf.TensorSpec([None], tf.string)])


def id_table(vocabulary: Sequence[str]) -> tf.lookup.StaticHashTable:
    """Return the table from pieces of text, in the order of their ids, to these ids."""
    import tensorflow as tf

    values = tf.range(UNKNOWN + 1, len(vocabulary) + UNKNOWN + 1)
    pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(vocabulary), values)
    return tf.lookup.StaticHashTable(pairs, default_value=UNKNOWN)


def class_counts(ids: Ragged, classes: np.ndarray, num_classes: int, num_ids: int) -> np.ndarray:
    """Return how many texts of each class hold each id, int64, shape `(num_classes, num_ids)`.

    Args:
        ids: The ids of each text, from 0 to `num_ids - 1`.
        classes: The class of each text, int, shape `(num_texts,)`.
        num_classes: How many classes there are.
        num_ids: How many ids there are.

    Example:

    >>> class_counts(Ragged.from_rows([[1, 1, 2], [2]]), np.array([0, 1]), num_classes=2, num_ids=3).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    counts = np.zeros(num_classes * num_ids, np.int64)
    for start in range(0, len(ids), CHUNK):
        part = ids.take(np.arange(start, min(start + CHUNK, len(ids))))
        rows = np.repeat(np.arange(len(part)), part.lengths)
        row, held = np.divmod(_distinct(rows * num_ids + part.values), num_ids)
        counts += np.bincount(classes[start + row] * num_ids + held, minlength=len(counts))
    return counts.reshape(num_classes, num_ids)


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """Return the sorted numbers that occur, twenty times as fast as `np.unique` where most differ."""
    ranked = np.sort(numbers)
    return ranked[np.append(True, ranked[1:] != ranked[:-1])[: len(ranked)]]
