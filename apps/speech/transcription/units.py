"""What transcripts are made of: characters, word pieces or words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

BLANK = " "
MARK = "▁"  # begins the pieces that begin a word
Kind = Literal["characters", "pieces", "words"]


@dataclass(frozen=True, eq=False)
class Units:
    """The units of transcripts, each a number from 0; the blank of CTC is the number after the last.

    Args:
        kind: What they are.
        names: Of the units.
        tokenizer: Of pieces: what `tokenizers` calls its JSON.

    Example:

    >>> units = Units("characters", [" ", "a", "c", "t"])
    >>> units.ids("a cat"), units.text([2, 1, 3])
    ([1, 0, 2, 1, 3], 'cat')
    """

    kind: Kind
    names: Sequence[str]
    tokenizer: str | None = None

    @property
    def blank(self) -> int:
        """The number of the blank."""
        return len(self.names)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.tokenizer or "")

    def pieces(self, text: str) -> list[str]:
        """Return the units of a text by name, the unknown ones too."""
        if self.kind == "words":
            return text.split()
        if self.kind == "pieces":
            return self._tokenizer.encode(text).tokens
        return list(text)

    def ids(self, text: str) -> list[int]:
        """Return the numbers of the units of a text; unknown ones are passed over."""
        return [self._numbers[piece] for piece in self.pieces(text) if piece in self._numbers]

    def unknown(self, text: str) -> list[str]:
        """Return the units of a text that have no number."""
        return [piece for piece in self.pieces(text) if piece not in self._numbers]

    def text(self, ids: Iterable[int]) -> str:
        """Return the text of units by number, one blank between words."""
        names = [self.names[number] for number in ids]
        if self.kind == "words":
            return " ".join(names)
        joined = "".join(names)
        return " ".join(joined.replace(MARK, BLANK).split())

    def words(self, ids: Sequence[int]) -> list[tuple[str, int, int]]:
        """Return the words of units by number: each with the places of its first unit and after its last.

        Example:

        >>> Units("characters", [" ", "a", "c", "t"]).words([1, 0, 2, 1, 3])
        [('a', 0, 1), ('cat', 2, 5)]
        """
        words: list[tuple[str, int, int]] = []
        begins = True
        for place, number in enumerate(ids):
            name = self.names[number]
            if self.kind == "words":
                words.append((name, place, place + 1))
                continue
            if name == BLANK:
                begins = True
                continue
            if begins or name.startswith(MARK):
                words.append((name.removeprefix(MARK), place, place + 1))
            else:
                word, start, _ = words[-1]
                words[-1] = (word + name, start, place + 1)
            begins = name == MARK
        return [word for word in words if word[0]]


def learnt_units(texts: Sequence[str], kind: Kind, num_pieces: int) -> Units:
    """Return the units of training texts, in the order of their names.

    Args:
        texts: Of the training part.
        kind: What units are.
        num_pieces: How many word pieces are made at most.
    """
    if kind == "pieces":
        return _word_pieces(texts, num_pieces)
    counts = Counter(piece for text in texts for piece in (text.split() if kind == "words" else text))
    return Units(kind, sorted(counts))


def _word_pieces(texts: Sequence[str], num_pieces: int) -> Units:
    """Return pieces by joining what stands side by side most often (Sennrich et al., 2016)."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK)
    trainer = trainers.BpeTrainer(vocab_size=num_pieces, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    names = sorted(tokenizer.get_vocab())
    return Units("pieces", names, tokenizer.to_str())
