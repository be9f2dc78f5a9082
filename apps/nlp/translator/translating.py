"""From texts, and what is asked of their translations, to answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from apps.nlp.decoder.weighed import Beams
from apps.nlp.subwords.subwords import END, PADDING, Subwords
from apps.nlp.translator.documents import Piece, pieces_of, scripts_of
from apps.nlp.translator.lengths import bucket, ids_of
from core.errors import UserError
from core.wording import counted

TOGETHER = 64  # texts that are searched at once, with one beam; of more beams, fewer
AT_A_STATE = 4  # tokens between two looks at a translation that is streamed
CHARACTERS_A_TOKEN = 3  # of a line that is read whole, at the most
ROOM = 8  # tokens that a translation may have beyond twice those of its text


@dataclass(frozen=True)
class Asked:
    """What is asked of a translation, where nobody says; `asked.Searched` says what may be.

    Args:
        beams: Texts that are weighed at once.
        length_penalty: How far long texts are made up for their length.
        alternatives: Other texts to tell.
    """

    beams: int = 4
    length_penalty: float = 0.6
    alternatives: int = 0


class Search(Protocol):
    """Searches texts; `decoder.beams.BeamSearch` says how."""

    def states(
        self,
        given: np.ndarray,
        *,
        beams: int,
        length: int,
        length_penalty: float,
        at_a_call: int | None = None,
    ) -> Iterator[Beams]:
        """Yield the texts as they grow; the last are what was searched."""


@dataclass(frozen=True)
class Found:
    """What was searched of one text: the likeliest first.

    Args:
        ids: Of the translations, without their ends.
        texts: Translations; the first is the answer.
        scores: Of each: the logarithm of its probability by the penalty of its length.
        ended: Whether each is whole.
    """

    ids: Sequence[Sequence[int]]
    texts: Sequence[str]
    scores: Sequence[float]
    ended: Sequence[bool]


class Translator:
    """Translates texts.

    Args:
        search: Searches translations by a model.
        subwords: What cuts texts of both sides.
        max_length: Tokens that are read and written of a text at most, the end among them.
        scripts: Those of the texts that were trained on.
    """

    def __init__(self, search: Search, subwords: Subwords, max_length: int, scripts: Sequence[str]) -> None:
        self.search = search
        self.subwords = subwords
        self.max_length = max_length
        self.scripts = frozenset(scripts)

    def sentences(self, texts: Sequence[str], asked: Any) -> list[Found]:
        """Return the translations of texts that are each read at once, cut where they are too long."""
        ids = [self.ids(text) for text in texts]
        found: list[Found | None] = [None] * len(texts)
        for places, length in _batches([len(each) for each in ids], asked.beams):
            given = filled([ids[place] for place in places], length)
            *_, beams = self._states(given, asked)
            for row, place in enumerate(places):
                found[place] = self._found(beams, row)
        return [each for each in found if each is not None]

    def ids(self, text: str) -> np.ndarray:
        """Return the ids of a text that are read, int32, with its end."""
        return np.append(ids_of(text, self.subwords)[: self.max_length - 1], END).astype(np.int32)

    def given(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of a text, and those that are given of its translation.

        Args:
            value: Both; or a text, of which those that are given are its own, for want of any other.
        """
        if isinstance(value, str):
            ids = self.ids(value)
            return ids, ids[:-1]
        source, target = value
        return np.asarray(source, np.int32), np.asarray(target, np.int32)

    def answers(self, texts: Sequence[str], asked: Any) -> list[dict[str, Any]]:
        """Return the translations of documents."""
        documents = [self._pieces(text) for text in texts]
        sentences = [piece.text for pieces in documents for piece in pieces if piece.translates]
        found = iter(self.sentences(sentences, asked))
        return [
            self._answer(text, pieces, [next(found) for piece in pieces if piece.translates], asked)
            for text, pieces in zip(texts, documents, strict=True)
        ]

    def states(self, text: str, asked: Any) -> Iterator[dict[str, Any]]:
        """Yield the translation of a document as it grows, and then its answer."""
        pieces, whole = self._pieces(text), list[Found]()
        for number, piece in enumerate(pieces):
            if not piece.translates:
                continue
            before = _joined(pieces[:number], whole)
            beams: Beams | None = None
            ids = self.ids(piece.text)
            for beams in self._states(filled([ids], bucket(len(ids))), asked, AT_A_STATE):
                begun = self.subwords.begun_text(beams.ids(0)).strip()
                yield {"text": before + begun, "finished": False}
            if beams is not None:
                whole.append(self._found(beams, 0))
        yield self._answer(text, pieces, whole, asked)

    def only_sentence(self, text: str) -> str:
        """Return the one sentence of a text that is translated.

        Raises:
            UserError: There are several, or none.
        """
        sentences = [piece.text for piece in self._pieces(text) if piece.translates]
        if len(sentences) != 1:
            raise UserError(
                "One line is explained at a time, with letters to translate. "
                f"Received: {counted(len(sentences), 'line')} of such."
            )
        return sentences[0][: CHARACTERS_A_TOKEN * self.max_length]

    def _pieces(self, text: str) -> list[Piece]:
        return pieces_of(text, CHARACTERS_A_TOKEN * self.max_length)

    def _states(self, given: np.ndarray, asked: Any, at_a_call: int | None = None) -> Iterator[Beams]:
        length = min(bucket(2 * given.shape[1] + ROOM), bucket(self.max_length))
        return self.search.states(
            given,
            beams=asked.beams,
            length=length,
            length_penalty=asked.length_penalty,
            at_a_call=at_a_call,
        )

    def _found(self, beams: Beams, row: int) -> Found:
        order = [0, *(beam for beam in range(1, beams.tokens.shape[1]) if beams.ended[row, beam])]
        ids = [beams.ids(row, beam) for beam in order]
        return Found(
            ids,
            [self.subwords.text(each).strip() for each in ids],
            [round(float(beams.scores[row, beam]), 4) for beam in order],
            [bool(beams.ended[row, beam]) for beam in order],
        )

    def _answer(
        self, text: str, pieces: Sequence[Piece], found: Sequence[Found], asked: Any
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {"text": _joined(pieces, found)}
        if len(found) == 1 and asked.alternatives:
            others = list(zip(found[0].texts, found[0].scores, strict=True))[1 : asked.alternatives + 1]
            answer["score"] = found[0].scores[0]
            answer["alternatives"] = [{"text": other, "score": score} for other, score in others]
        notes = self._notes(text, pieces, found)
        return answer | ({"notes": notes} if notes else {})

    def _notes(self, text: str, pieces: Sequence[Piece], found: Sequence[Found]) -> list[str]:
        """Return what a reader of the translation should know."""
        notes = []
        strange = sorted(scripts_of([text]) - self.scripts)
        if strange:
            notes.append(f"no training text had letters of this script: {', '.join(strange)}")
        lengths = [len(ids_of(piece.text, self.subwords)) for piece in pieces if piece.translates]
        cut = sum(length >= self.max_length for length in lengths)
        if cut:
            notes.append(f"sentences longer than {self.max_length - 1} tokens were cut: {cut}")
        unfinished = sum(not each.ended[0] for each in found)
        if unfinished:
            notes.append(f"sentences whose translation did not come to an end: {unfinished}")
        return notes


def _joined(pieces: Sequence[Piece], found: Sequence[Found]) -> str:
    """Return the pieces of a document with their translations, as far as there are any."""
    translations = iter(found)
    return "".join(next(translations).texts[0] if piece.translates else piece.text for piece in pieces)


def filled(rows: Sequence[np.ndarray], length: int | None = None) -> np.ndarray:
    """Return ids as one array, int32, padded at the right and below to a power of two; rows below are ends.

    Args:
        rows: Ids, at least one row.
        length: To which they are padded; by default the least of the few that holds them.
    """
    length = length or bucket(max(map(len, rows)))
    ids = np.full((1 << max(len(rows) - 1, 0).bit_length(), length), PADDING, np.int32)
    ids[len(rows) :, 0] = END
    for row, each in zip(ids, rows, strict=False):
        row[: len(each)] = each
    return ids


def _batches(lengths: Sequence[int], beams: int) -> Iterator[tuple[list[int], int]]:
    """Yield texts of like length that are searched together, and the length to which they are padded."""
    together = max(TOGETHER // beams, 4)
    places = sorted(range(len(lengths)), key=lengths.__getitem__)
    start = 0
    while start < len(places):
        length = bucket(lengths[places[start]])
        alike = [place for place in places[start : start + together] if lengths[place] <= length]
        yield alike, length
        start += len(alike)
