"""What leaves with a tagger: the graph to scores of tags; the chain that chooses them is a file beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from apps.nlp.chain import Chain
from apps.nlp.word_ids import NUM_PIECES
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras


def portable_tagger(
    model: keras.Model,
    chain: Chain,
    settings: Mapping[str, Any],
    *,
    raw: Callable[[Examples], Sequence[Any]],
    score: Score,
    figures: Callable[[Score, Examples], Figures],
    loader: str = "apps.nlp.entities_loader",
) -> Portable:
    """Return what leaves with a tagger.

    Args:
        model: From ids to scores of tags.
        chain: Chooses tags by their scores.
        settings: What the loader knows of words and types.
        raw: From examples to raw inputs: texts, or lists of words.
        score: From raw inputs to the scores of the tags of each, by the model.
        figures: From a function that scores raw inputs to the figures of examples.
        loader: The module that answers by the graph.
    """

    def scores(words: tf.Tensor, characters: tf.Tensor, pieces: tf.Tensor) -> tf.Tensor:
        return model({"words": words, "characters": characters, "pieces": pieces}, training=False)

    signature = (
        tf.TensorSpec([None, None], tf.int32, name="words"),
        tf.TensorSpec([None, None, settings["word_length"]], tf.int32, name="characters"),
        tf.TensorSpec([None, None, NUM_PIECES], tf.int32, name="pieces"),
    )
    variables = tuple(variable.value for variable in model.variables)
    return Portable(
        graph=TensorGraph(scores, signature, "scores", variables),
        loader=loader,
        settings=settings,
        raw=raw,
        score=score,
        figures=figures,
        arrays={"chain": {"transitions": chain.transitions, "starts": chain.starts, "ends": chain.ends}},
    )
