"""Texts as ids of sub-words and back, without loss; needs NumPy, and `tokenizers` for BPE and unigram."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

Kind = Literal["characters", "bytes", "bpe", "unigram"]
PADDING, END, UNKNOWN = range(3)
"""The first ids: filling, the end of a text, which also begins one, and what is unknown."""
NUM_FIRST = 3
NATS_OF_UNKNOWN = math.log(0x110000)
"""What it costs to say which of all characters of Unicode an unknown one is."""
REPLACEMENT = "\ufffd"


class Subwords:
    """A vocabulary of sub-words.

    What is not known of bytes, BPE and unigram is nothing: any text is a run of bytes. A character that the
    training texts lack is unknown to `characters`.

    Args:
        kind: Characters, bytes, or runs of bytes that are learnt: `bpe`, `unigram`.
        pieces: The characters, or the learnt runs with their bytes as GPT-2 writes them; none of bytes.
        scores: Of unigram: the logarithm of each piece's probability.
        merges: Of BPE: pairs of pieces with a blank between, in the order in which they are joined.
        special: Names of further ids that no text holds, such as the beginning of an answer.

    Example:

    >>> letters = Subwords("characters", ["a", "b", "é"])
    >>> letters.ids("bé?").tolist(), letters.text([4, 5, 1])
    ([4, 5, 2], 'bé')
    >>> Subwords("bytes").num_bytes(Subwords("bytes").ids("é"), "é").tolist()
    [1, 1]
    """

    def __init__(
        self,
        kind: Kind,
        pieces: Sequence[str] = (),
        scores: Sequence[float] = (),
        merges: Sequence[str] = (),
        special: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        self.pieces = list(pieces)
        self.scores = list(scores)
        self.merges = list(merges)
        self.special = {name: NUM_FIRST + place for place, name in enumerate(special)}
        self.first = NUM_FIRST + len(self.special)

    @property
    def size(self) -> int:
        """How many ids there are."""
        return self.first + (256 if self.kind == "bytes" else len(self.pieces))

    @property
    def nats_of_unknown(self) -> float:
        """What an unknown piece costs beside its probability, for a code that loses nothing."""
        return NATS_OF_UNKNOWN if self.kind == "characters" else 0.0

    def ids(self, text: str) -> np.ndarray:
        """Return the ids of a text, int32, without its end.

        Args:
            text: Valid Unicode: no half of a surrogate pair.
        """
        if self.kind == "characters":
            codes = _codes(text)
            known, ids = self._table
            places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
            return np.where(known[places] == codes, ids[places], UNKNOWN).astype(np.int32)
        if self.kind == "bytes":
            return np.frombuffer(text.encode(), np.uint8).astype(np.int32) + self.first
        return np.asarray(self._tokenizer.encode(text).ids, np.int32) + self.first

    def num_bytes(self, ids: np.ndarray, text: str) -> np.ndarray:
        """Return how many bytes of UTF-8 each id of a text stands for, int32.

        Args:
            ids: What `ids` made of the text.
            text: The text, which says what an unknown character is.
        """
        if self.kind != "characters":
            return self._lengths[ids]
        codes = _codes(text)
        return (1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)).astype(np.int32)

    def text(self, ids: Iterable[int]) -> str:
        """Return the text of ids; those of padding, ends and special ids are left out."""
        held = [self._bytes[place - self.first] for place in map(int, ids) if place >= self.first]
        return b"".join(held).decode("utf-8", errors="replace")

    def begun_text(self, ids: Iterable[int]) -> str:
        """Return the text of ids of which more are to come: without a character that is not complete."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        held = [self._bytes[place - self.first] for place in map(int, ids) if place >= self.first]
        return decoder.decode(b"".join(held))

    def name(self, id_: int) -> str:
        """Return what people may call an id: its text, with what is no whole character as bytes."""
        if id_ < self.first:
            return ["padding", "end", "unknown", *self.special][id_]
        held = self._bytes[id_ - self.first]
        try:
            return held.decode()
        except UnicodeDecodeError:
            return " ".join(f"<{byte:02x}>" for byte in held)

    def held(self, id_: int) -> bytes:
        """Return the bytes that an id stands for; none of padding, ends, what is unknown and special ids."""
        return self._bytes[id_ - self.first] if id_ >= self.first else b""

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the constructor, as plain data."""
        names = ("kind", "pieces", "scores", "merges")
        return {**{name: getattr(self, name) for name in names}, "special": list(self.special)}

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        codes = _codes("".join(self.pieces)) if self.pieces else np.zeros(1, np.uint32)
        order = np.argsort(codes)
        return codes[order], (order + self.first).astype(np.int32)

    @cached_property
    def _bytes(self) -> list[bytes]:
        if self.kind == "bytes":
            return [bytes([byte]) for byte in range(256)]
        if self.kind == "characters":
            return [piece.encode() for piece in self.pieces]
        written = {letter: byte for byte, letter in enumerate(byte_letters())}
        return [bytes(written[letter] for letter in piece) for piece in self.pieces]

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([0] * self.first + [len(each) for each in self._bytes], np.int32)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer, models, pre_tokenizers

        if self.kind == "bpe":
            places = {piece: place for place, piece in enumerate(self.pieces)}
            pairs = [(first, last) for first, last in (pair.split(" ") for pair in self.merges)]
            tokenizer = Tokenizer(models.BPE(vocab=places, merges=pairs))
        else:
            tokenizer = Tokenizer(models.Unigram(list(zip(self.pieces, self.scores, strict=True))))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte in pieces, as GPT-2 writes them.

    Example:

    >>> letters = byte_letters()
    >>> letters[ord("a")], letters[ord(" ")], len(set(letters))
    ('a', 'Ġ', 256)
    """
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in shown else chr(next(others)) for byte in range(256)]


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)
