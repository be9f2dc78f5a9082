"""Texts with marks, of which each is filled by what a model takes for likeliest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from apps.nlp.masking.judging import log_softmax
from apps.nlp.masking.marks import MARK, mask_id
from apps.nlp.subwords.subwords import PADDING, Subwords
from core.errors import UserError

LONGEST_SHOWN = 60  # characters of a text that an error shows
WINDOWS_AT_ONCE = 64


def ids_with_masks(text: str, subwords: Subwords) -> np.ndarray:
    """Return the ids of a text; each mark is one id, and the blank before it is part of what it hides.

    Raises:
        UserError: There is no mark.
    """
    pieces = text.split(MARK)
    if len(pieces) == 1:
        shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
        raise UserError(
            f"The text has no {MARK}: write {MARK} where a word is missing, as in 'The {MARK} lives in Rome'."
            f" Received: {shown!r}."
        )
    parts = []
    for piece in pieces[:-1]:
        parts += [subwords.ids(piece.removesuffix(" ")), np.array([mask_id(subwords)], np.int32)]
    return np.concatenate([*parts, subwords.ids(pieces[-1])])


def rows_of_ids(inputs: Sequence[Any], subwords: Subwords, context: int) -> list[Any]:
    """Return the ids of texts with marks, as many as the window takes; lists of ids are left as they are."""
    return [ids_with_masks(each, subwords)[:context] if isinstance(each, str) else each for each in inputs]


def padded(rows: Sequence[Any], context: int) -> np.ndarray:
    """Return rows of ids as one array, int32, shape `(num_rows, context)`."""
    ids = np.full((len(rows), context), PADDING, np.int32)
    for row, own in zip(ids, rows, strict=True):
        row[: len(own)] = own
    return ids


def filled(
    logits_of: Callable[[np.ndarray], np.ndarray],
    text: str,
    subwords: Subwords,
    context: int,
    count: int,
) -> dict[str, Any]:
    """Return a text with its marks filled, and the likeliest candidates of each.

    Each mark is filled by itself, with one sub-word. Of a text that is longer than the window each is read
    with as much on both sides as the window takes.

    Args:
        logits_of: From ids, int32, `(batch_size, context)`, to logits, `(batch_size, context, size)`.
        text: With at least one mark.
        subwords: What the model reads.
        context: Ids of a window.
        count: How many candidates of each are told.

    Raises:
        UserError: There is no mark.
    """
    ids = ids_with_masks(text, subwords)
    places = np.flatnonzero(ids == mask_id(subwords))
    writable = _writable(subwords)
    candidates = []
    for logs in _logs(logits_of, ids, places, context):
        best = writable[np.argsort(-logs[writable], kind="stable")[:count]]
        candidates.append([(subwords.name(int(id_)), math.exp(logs[id_])) for id_ in best])
    return _answer(text, candidates)


def _writable(subwords: Subwords) -> np.ndarray:
    """Return the ids that stand for whole characters, of which not all are blank."""

    def says_something(held: bytes) -> bool:
        try:
            return bool(held.decode().strip())
        except UnicodeDecodeError:
            return False

    places = [id_ for id_ in range(subwords.first, subwords.size) if says_something(subwords.held(id_))]
    return np.array(places)


def _logs(
    logits_of: Callable[[np.ndarray], np.ndarray], ids: np.ndarray, places: np.ndarray, context: int
) -> list[np.ndarray]:
    starts = np.clip(places - context // 2, 0, max(len(ids) - context, 0))
    padded = np.pad(ids, (0, max(context - len(ids), 0)), constant_values=PADDING)
    windows, which = np.unique(starts, return_inverse=True)
    logs: list[np.ndarray] = [np.zeros(0)] * len(places)
    for block in range(0, len(windows), WINDOWS_AT_ONCE):
        own = windows[block : block + WINDOWS_AT_ONCE]
        logits = logits_of(padded[own[:, None] + np.arange(context)])
        for row in np.flatnonzero((which >= block) & (which < block + len(own))).tolist():
            window = which[row] - block
            logs[row] = log_softmax(logits[window, places[row] - own[window]])
    return logs


def _answer(text: str, candidates: Sequence[Sequence[tuple[str, float]]]) -> dict[str, Any]:
    pieces = text.split(MARK)
    written, masks = "", []
    for piece, own in zip(pieces, candidates, strict=False):
        before = written + piece.removesuffix(" ")
        likeliest = own[0][0] if before else own[0][0].lstrip()
        written = before + likeliest
        word = likeliest.strip()
        end = len(written) - (len(likeliest) - len(likeliest.rstrip()))
        told = [{"word": name.strip(), "probability": share} for name, share in own]
        masks.append({"start": end - len(word), "end": end, "word": word, "candidates": told})
    return {"text": written + pieces[-1], "masks": masks}
