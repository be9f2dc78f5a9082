"""What leaves with a language model: the graph from ids to logits, and what cuts texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from apps.nlp.corpus.streams import Stream
from apps.nlp.decoder.judging import passages_of, windows_to_judge
from apps.nlp.subwords.subwords import PADDING, Subwords
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras

AT_ONCE = 32  # windows


def portable_language_model(
    model: keras.Model,
    subwords: Subwords,
    settings: Mapping[str, Any],
    *,
    stream_of: Callable[[Examples], Stream],
    figures: Callable[[Stream, np.ndarray], Figures],
    overlap: float,
) -> Portable:
    """Return what leaves with a language model.

    Args:
        model: What `language_model` returned.
        subwords: What cuts texts.
        settings: What the loader knows beside them.
        stream_of: From examples to ids.
        figures: From a stream, and what each of its ids but the first costs, to the figures.
        overlap: Share of a window that is read again when a part is judged.
    """
    context = int(model.inputs[0].shape[1])

    def logits(ids: tf.Tensor) -> tf.Tensor:
        return model(ids, training=False)

    def score(inputs: Sequence[Any]) -> list[np.ndarray]:
        rows = [subwords.ids(each)[:context] if isinstance(each, str) else each for each in inputs]
        ids = np.full((len(rows), context), PADDING, np.int32)
        for row, own in zip(ids, rows, strict=True):
            row[: len(own)] = own
        outputs = np.asarray(model.predict_on_batch(ids))
        return [own[: len(row)] for own, row in zip(outputs, rows, strict=True)]

    def raw(examples: Examples) -> list[str]:
        stream = stream_of(examples)
        return [subwords.text(each.prompt) for each in passages_of(stream, context)]

    def judged(score: Score, examples: Examples) -> Figures:
        stream = stream_of(examples)
        return figures(stream, _nats(score, stream.ids, context, overlap))

    kinds = ("tokenizers",) if subwords.kind in ("bpe", "unigram") else ()
    variables = tuple(variable.value for variable in model.variables)
    signature = (tf.TensorSpec([None, context], tf.int32, name="ids"),)
    return Portable(
        graph=TensorGraph(logits, signature, "logits", variables, requires=kinds),
        loader="apps.nlp.decoder.loader",
        settings={**settings, "vocabulary": subwords.settings(), "context": context},
        raw=raw,
        score=score,
        figures=judged,
    )


def _nats(score: Score, ids: np.ndarray, context: int, overlap: float) -> np.ndarray:
    """Return what each id but the first costs by the logits of windows, float64, shape `(num_ids - 1,)`."""
    nats = np.zeros(len(ids) - 1)
    starts, first = windows_to_judge(len(nats), context, overlap)
    for block in range(0, len(starts), AT_ONCE):
        rows = slice(block, block + AT_ONCE)
        scored = score([ids[start : start + context].tolist() for start in starts[rows]])
        for start, least, logits in zip(starts[rows].tolist(), first[rows].tolist(), scored, strict=True):
            targets = ids[start + 1 : start + context + 1]
            own = logits.astype(np.float64)[least : len(targets)]
            totals = own.max(axis=1) + np.log(np.exp(own - own.max(axis=1, keepdims=True)).sum(axis=1))
            costs = totals - own[np.arange(len(own)), targets[least:]]
            nats[start + least : start + len(targets)] = costs
    return nats
