"""What leaves with a reader: the graph from the words of both texts to the scores of spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras


def portable_reader(
    model: keras.Model,
    settings: Mapping[str, Any],
    *,
    raw: Callable[[Examples], Sequence[Any]],
    score: Score,
    figures: Callable[[Score, Examples], Figures],
) -> Portable:
    """Return what leaves with a reader.

    Args:
        model: From the words of questions and contexts to the scores of spans.
        settings: What the loader knows of words and answers.
        raw: From examples to raw inputs.
        score: From raw inputs to the scores of the spans of each, by the model.
        figures: From a function that scores raw inputs to the figures of examples.
    """
    names = [each.name for each in model.inputs]

    def scores(*tensors: tf.Tensor) -> tf.Tensor:
        return model(dict(zip(names, tensors, strict=True)), training=False)

    signature = tuple(tf.TensorSpec(each.shape, tf.int32, name=each.name) for each in model.inputs)
    variables = tuple(variable.value for variable in model.variables)
    return Portable(
        graph=TensorGraph(scores, signature, "scores", variables),
        loader="apps.nlp.comprehension.loader",
        settings=settings,
        raw=raw,
        score=score,
        figures=figures,
    )
