"""What leaves with a net that fills masks: the graph from ids to logits, and what cuts texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from apps.nlp.masking.filling import padded, rows_of_ids
from apps.nlp.masking.judging import Guesses, guesses_of
from apps.nlp.masking.marks import mask_id
from apps.nlp.subwords.subwords import Subwords
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras


def portable_filler(
    model: keras.Model,
    subwords: Subwords,
    candidates: int,
    *,
    judged: Callable[[Examples], tuple[np.ndarray, np.ndarray]],
    figures: Callable[[np.ndarray, np.ndarray, Guesses], Figures],
) -> Portable:
    """Return what leaves with a net that fills masks.

    Args:
        model: What `masked_language_model` returned.
        subwords: What cuts texts.
        candidates: How many of each mask are told, unless more are asked for.
        judged: From examples to their ids, and which of them are masked.
        figures: From ids, which of them are masked, and what is said of these, to the figures.
    """
    context = int(model.inputs[0].shape[1])

    def logits(ids: tf.Tensor) -> tf.Tensor:
        return model(ids, training=False)

    def score(inputs: Sequence[Any]) -> list[np.ndarray]:
        rows = rows_of_ids(inputs, subwords, context)
        outputs = np.asarray(model.predict_on_batch(padded(rows, context)))
        return [own[: len(row)] for own, row in zip(outputs, rows, strict=True)]

    def raw(examples: Examples) -> list[list[int]]:
        ids, masked = judged(examples)
        read = np.where(masked, mask_id(subwords), ids)
        return [read[start : start + context].tolist() for start in range(0, len(read), context)]

    def told(score: Score, examples: Examples) -> Figures:
        ids, masked = judged(examples)

        def logits_of(windows: np.ndarray) -> np.ndarray:
            return np.stack(score(windows.tolist()))

        return figures(ids, masked, guesses_of(logits_of, ids, masked, context, subwords))

    variables = tuple(variable.value for variable in model.variables)
    signature = (tf.TensorSpec([None, context], tf.int32, name="ids"),)
    return Portable(
        graph=TensorGraph(logits, signature, "logits", variables, requires=("tokenizers",)),
        loader="apps.nlp.masking.loader",
        settings={"vocabulary": subwords.settings(), "context": context, "candidates": candidates},
        raw=raw,
        score=score,
        figures=told,
    )
