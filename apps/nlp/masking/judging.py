"""What each masked sub-word of a part costs, and the windows that a report shows."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.nlp.masking.marks import mask_id
from apps.nlp.subwords.subwords import PADDING, Subwords

AT_ONCE = 2**22  # logits
MOST_WINDOWS = 64


@dataclass(frozen=True)
class Guesses:
    """What was said of each masked place, in order of places.

    Args:
        nats: Negative logarithm of the probability of what stands there, float64, shape `(num_masked,)`.
        likeliest: The likeliest id, int32, of the same shape.
    """

    nats: np.ndarray
    likeliest: np.ndarray


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of probabilities along the last axis, float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def guesses_of(
    logits_of: Callable[[np.ndarray], np.ndarray],
    ids: np.ndarray,
    masked: np.ndarray,
    context: int,
    subwords: Subwords,
) -> Guesses:
    """Return what a model says of the masked places of a part, each judged once, in windows side by side.

    Args:
        logits_of: From ids, int32, `(batch_size, context)`, to logits, `(batch_size, context, size)`.
        ids: Of the part, int32, shape `(num_ids,)`.
        masked: Bool, of the same shape.
        context: Ids of a window.
        subwords: What cut the part.
    """
    read = np.where(masked, mask_id(subwords), ids).astype(np.int32)
    padded = np.pad(read, (0, max(context - len(ids), 0)), constant_values=PADDING)
    # The last window starts earlier, so that it is full; what it shares with the one before is judged there.
    starts = np.minimum(np.arange(0, len(ids), context), len(padded) - context)
    nats, likeliest = np.zeros(len(padded)), np.zeros(len(padded), np.int32)
    together = min(max(AT_ONCE // (context * subwords.size), 1), MOST_WINDOWS, len(starts))
    for block in range(len(starts) - 1, -1, -together):
        # Backwards, so that the last window yields to the one before; the first batch is filled up.
        rows = starts[np.maximum(np.arange(block, block - together, -1), 0)]
        logits = logits_of(padded[rows[:, None] + np.arange(context)])
        for start, own in zip(rows.tolist(), logits, strict=True):
            inside = np.flatnonzero(masked[start : start + context])
            logs = log_softmax(own[inside])
            nats[start + inside] = -logs[np.arange(len(inside)), ids[start + inside]]
            likeliest[start + inside] = logs[:, subwords.first :].argmax(axis=1) + subwords.first
    return Guesses(nats[: len(ids)][masked], likeliest[: len(ids)][masked])


def rows_of(
    ids: np.ndarray, masked: np.ndarray, guesses: Guesses, context: int, subwords: Subwords
) -> Iterator[dict[str, Any]]:
    """Yield rows as `Fillings` reads them, one a window that has masked places.

    Args:
        ids: Of the part.
        masked: Which are masked, bool.
        guesses: What was said of them.
        context: Ids of a window.
        subwords: What cut the part.
    """
    order = np.cumsum(masked) - 1
    for start in range(0, len(ids), context):
        own = ids[start : start + context].tolist()
        text, edges = spelled(own, subwords)
        masks = []
        for place in np.flatnonzero(masked[start : start + context]).tolist():
            which = int(order[start + place])
            masks.append(
                {
                    "start": edges[place],
                    "end": edges[place + 1],
                    "true": subwords.name(own[place]),
                    "predicted": subwords.name(int(guesses.likeliest[which])),
                    "right": bool(guesses.likeliest[which] == own[place]),
                    "nats": float(guesses.nats[which]),
                }
            )
        if masks:
            yield {"text": text, "masks": masks}


def spelled(ids: list[int], subwords: Subwords) -> tuple[str, list[int]]:
    """Return the text of ids, and in which character each begins, and the last ends.

    A character of several ids is counted to the last of them.

    Example:

    >>> spelled([3 + ord("a"), 3 + ord("b")], Subwords("bytes"))
    ('ab', [0, 1, 2])
    """
    decoder, text, edges = codecs.getincrementaldecoder("utf-8")(errors="replace"), "", [0]
    for id_ in ids:
        text += decoder.decode(subwords.held(id_))
        edges.append(len(text))
    text += decoder.decode(b"", final=True)
    edges[-1] = len(text)
    return text, edges
