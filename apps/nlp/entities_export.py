"""What leaves with a tagger: the graph to scores of tags; the chain that chooses them is a file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from apps.nlp.chain import Chain
from apps.nlp.word_ids import NUM_PIECES
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras

    from apps.nlp.entities import Entities, EntityEncoder


def portable_entities(task: Entities, model: keras.Model, encoder: EntityEncoder, chain: Chain) -> Portable:
    """Return what leaves with a tagger.

    Args:
        task: Trained the model.
        model: From ids to scores of tags.
        encoder: Its types, words and characters.
        chain: Chooses tags by their scores.
    """

    def scores(words: tf.Tensor, characters: tf.Tensor, pieces: tf.Tensor) -> tf.Tensor:
        return model({"words": words, "characters": characters, "pieces": pieces}, training=False)

    def score(inputs: Any) -> Any:
        return task.emissions(model, encoder, task.cut(inputs))

    def figures(score: Score, examples: Examples) -> Figures:
        return task.figures_of(encoder, examples, chain, score(raw(examples)))

    def raw(examples: Examples) -> list[Any]:
        return task.words(examples)

    length = task.word_length
    return Portable(
        graph=TensorGraph(
            scores,
            (
                tf.TensorSpec([None, None], tf.int32, name="words"),
                tf.TensorSpec([None, None, length], tf.int32, name="characters"),
                tf.TensorSpec([None, None, NUM_PIECES], tf.int32, name="pieces"),
            ),
            "scores",
            tuple(variable.value for variable in model.variables),
        ),
        loader="apps.nlp.entities_loader",
        settings={
            "types": encoder.types,
            "vocabulary": encoder.vocabulary,
            "characters": encoder.characters,
            "pieces": encoder.pieces,
            "word_length": length,
            "max_length": task.max_length,
            "split": task.split,
        },
        raw=raw,
        score=score,
        figures=figures,
        arrays={"chain": {"transitions": chain.transitions, "starts": chain.starts, "ends": chain.ends}},
    )
