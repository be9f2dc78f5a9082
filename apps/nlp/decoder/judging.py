"""What a text costs a language model, every token judged once, and the passages that a report shows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from apps.nlp.corpus.streams import Stream
from apps.nlp.subwords.subwords import PADDING, UNKNOWN, Subwords

AT_ONCE = 2**22  # logits
MOST_WINDOWS = 64
PASSAGES, PASSAGE_TOKENS = 64, 128  # how many at most, and of how many tokens at least
LONGEST_CONTINUATION = 128  # tokens that are written after the beginning of a passage, and shown of it


def nats_model(model: keras.Model) -> keras.Model:
    """Return a model from `ids` and `targets`, `(batch_size, context)`, to what each target costs in nats."""
    ids, targets = (
        keras.Input(model.inputs[0].shape[1:], dtype="int32", name=name) for name in ("ids", "targets")
    )
    losses = keras.losses.sparse_categorical_crossentropy(targets, model(ids), from_logits=True)
    return keras.Model({"ids": ids, "targets": targets}, losses)


def windows_to_judge(num_targets: int, context: int, overlap: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where windows start, so that each target is judged once, after as much as the overlap leaves.

    Args:
        num_targets: Tokens of the part, without the first, which is given.
        context: Tokens of a window.
        overlap: Share of a window that is read again, and judged no more, in [0, 1).

    Returns:
        Starts, int64, shape `(num_windows,)`; and of which place in each window the targets count, int64.

    Example:

    >>> starts, first = windows_to_judge(9, 4, 0.5)
    >>> starts.tolist(), first.tolist()
    ([0, 2, 4, 5], [0, 2, 2, 3])
    """
    stride = max(context - int(overlap * context), 1)
    last = max(num_targets - context, 0)
    starts = np.minimum(np.arange(0, last + stride, stride), last)
    ends = np.concatenate([[0], np.minimum(starts + context, num_targets)[:-1]])
    return starts, ends - starts


def judged_nats(model: keras.Model, ids: np.ndarray, overlap: float) -> np.ndarray:
    """Return what each id but the first costs after those before it, float64, shape `(num_ids - 1,)`.

    Args:
        model: What `language_model` returned.
        ids: Int32, shape `(num_ids,)`, at least two.
        overlap: Share of a window that is read again, so that what is judged has so much before it.
    """
    context, size = int(model.inputs[0].shape[1]), int(model.outputs[0].shape[-1])
    judge, num_targets = nats_model(model), len(ids) - 1
    starts, first = windows_to_judge(num_targets, context, overlap)
    padded = np.concatenate([ids, np.full(max(context - num_targets, 0), PADDING, np.int32)])
    nats = np.zeros(max(num_targets, context))
    together = min(max(AT_ONCE // (context * size), 1), MOST_WINDOWS, len(starts))
    places = np.arange(context)
    for block in range(0, len(starts), together):
        # The last batch is filled up, so that none is compiled anew.
        rows = np.minimum(np.arange(block, block + together), len(starts) - 1)
        reads = padded[starts[rows, None] + places]
        targets = padded[starts[rows, None] + places + 1]
        costs = ops.convert_to_numpy(judge.predict_on_batch({"ids": reads, "targets": targets}))
        counts = places >= first[rows, None]
        nats[(starts[rows, None] + places)[counts]] = costs[counts]
    return nats[:num_targets]


@dataclass(frozen=True)
class Costs:
    """What a run of tokens costs; ends of texts, which stand for no byte, are left out.

    Args:
        nats: In all.
        tokens: That were judged.
        bytes: That they stand for.
    """

    nats: float
    tokens: int
    bytes: int

    @classmethod
    def of(cls, stream: Stream, nats: np.ndarray, start: int = 0, end: int | None = None) -> Costs:
        """Return the costs of the targets from `start` to `end`.

        Args:
            stream: Whose ids but the first are the targets.
            nats: Of each target, float64.
            start: Index of the first target.
            end: Index after the last.
        """
        num_bytes = stream.num_bytes[1:][start:end]
        counts = num_bytes > 0
        return cls(float(nats[start:end][counts].sum()), int(counts.sum()), int(num_bytes.sum()))

    @property
    def bits_per_byte(self) -> float:
        """Bits a byte of text."""
        return self.nats / math.log(2) / max(self.bytes, 1)

    @property
    def nats_per_token(self) -> float:
        """Nats a token, which only models of the same tokens are compared by."""
        return self.nats / max(self.tokens, 1)


def nats_of_unknown(stream: Stream, subwords: Subwords) -> np.ndarray:
    """Return what each target costs beside its probability: which character an unknown one is, float64."""
    return np.where(stream.ids[1:] == UNKNOWN, subwords.nats_of_unknown, 0.0)


@dataclass(frozen=True)
class Passage:
    """A stretch of a part, whose beginning is a prompt.

    Args:
        start: Index of its first target.
        end: Index after its last.
        prompt: Ids of the beginning.
        rest: Ids after it, as many as are written on.
    """

    start: int
    end: int
    prompt: list[int]
    rest: list[int]


def passages_of(stream: Stream, context: int) -> list[Passage]:
    """Return a part as passages of like length, which together are all of it.

    Args:
        stream: At least two ids.
        context: Of the model; a prompt has at most half of it.
    """
    num_targets = len(stream) - 1
    count = min(max(num_targets // PASSAGE_TOKENS, 1), PASSAGES)
    edges = np.linspace(0, num_targets, count + 1).astype(int).tolist()
    passages = []
    for start, end in itertools.pairwise(edges):
        ids = stream.ids[start + 1 : end + 1].tolist()
        given = max(min(context // 2, len(ids) // 4), 1)
        passages.append(Passage(start, end, ids[:given], ids[given:][:LONGEST_CONTINUATION]))
    return passages


def rows_of(
    stream: Stream,
    nats: np.ndarray,
    passages: Sequence[Passage],
    subwords: Subwords,
    written: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return rows as `Continuations` reads them.

    Args:
        stream: The part.
        nats: Of each target, float64.
        passages: Of the part.
        subwords: What cut it.
        written: What was written on after each prompt; nothing where nothing was.
    """
    rows: list[dict[str, Any]] = []
    for place, passage in enumerate(passages):
        costs = Costs.of(stream, nats, passage.start, passage.end)
        rows.append(
            {
                "source": subwords.text(passage.prompt),
                "true": [subwords.text(passage.rest)],
                "predicted": written[place] if written is not None else "",
                "nats": costs.nats,
                "tokens": costs.tokens,
                "bytes": costs.bytes,
            }
        )
    return rows
