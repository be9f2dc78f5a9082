"""From texts, and what is asked of their translations, to answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from apps.nlp.subwords.subwords import END, PADDING, Subwords
from apps.nlp.translator.documents import Piece, pieces_of, scripts_of
from apps.nlp.translator.lengths import bucket, ids_of
from core.errors import UserError
from core.task.contract import Options
from core.wording import counted

if TYPE_CHECKING:
    import keras

    from apps.nlp.decoder.beams import Beams, BeamSearch

TOGETHER = 64  # texts that are searched at once, with one beam; of more beams, fewer
AT_A_STATE = 4  # tokens between two looks at a translation that is streamed
CHARACTERS_A_TOKEN = 3  # of a line that is read whole, at the most
ROOM = 8  # tokens that a translation may have beyond twice those of its text


class Searched(Options):
    """How a translation is searched."""

    beams: int = Field(4, ge=1, le=16, description="texts that are weighed at once; 1 is greedy")
    length_penalty: float = Field(
        0.6, ge=0, le=3, description="how far long texts are made up for their length; 0: not at all"
    )
    alternatives: int = Field(0, ge=0, le=15, description="other texts to tell, fewer than beams")


@dataclass(frozen=True)
class Found:
    """What was searched of one text: the likeliest first.

    Args:
        texts: Translations; the first is the answer.
        scores: Of each: the logarithm of its probability by the penalty of its length.
        ended: Whether each is whole.
    """

    texts: Sequence[str]
    scores: Sequence[float]
    ended: Sequence[bool]


@lru_cache(maxsize=4)
def search_of(model: keras.Model) -> BeamSearch:
    """Return what searches translations by a model, whose loops are compiled at its first answers."""
    from apps.nlp.decoder.beams import BeamSearch
    from apps.nlp.translator.net import TranslatorSteps

    return BeamSearch(TranslatorSteps(model))


class Translator:
    """Translates texts by a trained model.

    Args:
        model: What `net.encoder_decoder` returned.
        subwords: What cuts texts of both sides.
        max_length: Tokens that are read and written of a text at most, the end among them.
        scripts: Those of the texts that were trained on.
    """

    def __init__(
        self, model: keras.Model, subwords: Subwords, max_length: int, scripts: Sequence[str]
    ) -> None:
        self.model = model
        self.subwords = subwords
        self.max_length = max_length
        self.scripts = frozenset(scripts)

    def sentences(self, texts: Sequence[str], asked: Searched) -> list[Found]:
        """Return the translations of texts that are each read at once, cut where they are too long."""
        ids = [self._ids(text)[0] for text in texts]
        found: list[Found | None] = [None] * len(texts)
        for places, length in _batches([len(each) for each in ids], asked.beams):
            given = _filled([ids[place] for place in places], length)
            *_, beams = self._states(given, asked)
            for row, place in enumerate(places):
                found[place] = self._found(beams, row)
        return [each for each in found if each is not None]

    def answers(self, texts: Sequence[str], asked: Searched) -> list[dict[str, Any]]:
        """Return the translations of documents."""
        documents = [self._pieces(text) for text in texts]
        sentences = [piece.text for pieces in documents for piece in pieces if piece.translates]
        found = iter(self.sentences(sentences, asked))
        return [
            self._answer(text, pieces, [next(found) for piece in pieces if piece.translates], asked)
            for text, pieces in zip(texts, documents, strict=True)
        ]

    def states(self, text: str, asked: Searched) -> Iterator[dict[str, Any]]:
        """Yield the translation of a document as it grows, and then its answer."""
        pieces, whole = self._pieces(text), list[Found]()
        for number, piece in enumerate(pieces):
            if not piece.translates:
                continue
            before = _joined(pieces[:number], whole)
            beams: Beams | None = None
            ids = self._ids(piece.text)[0]
            for beams in self._states(_filled([ids], bucket(len(ids))), asked, AT_A_STATE):
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

    def _ids(self, text: str) -> tuple[np.ndarray, bool]:
        """Return the ids of a text with its end, and whether it had to be cut."""
        ids = ids_of(text, self.subwords)
        return np.append(ids[: self.max_length - 1], END).astype(np.int32), len(ids) >= self.max_length

    def _states(self, given: np.ndarray, asked: Searched, at_a_call: int | None = None) -> Iterator[Beams]:
        length = min(bucket(2 * given.shape[1] + ROOM), bucket(self.max_length))
        return search_of(self.model).states(
            given,
            beams=asked.beams,
            length=length,
            length_penalty=asked.length_penalty,
            at_a_call=at_a_call,
        )

    def _found(self, beams: Beams, row: int) -> Found:
        order = [0, *(beam for beam in range(1, beams.tokens.shape[1]) if beams.ended[row, beam])]
        return Found(
            [self.subwords.text(beams.ids(row, beam)).strip() for beam in order],
            [round(float(beams.scores[row, beam]), 4) for beam in order],
            [bool(beams.ended[row, beam]) for beam in order],
        )

    def _answer(
        self, text: str, pieces: Sequence[Piece], found: Sequence[Found], asked: Searched
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
        cut = sum(self._ids(piece.text)[1] for piece in pieces if piece.translates)
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


def _filled(rows: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Return ids as one array, padded at the right and below; rows below are ends alone."""
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
