"""What leaves with a text classification: a graph from ids, and with TensorFlow from texts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from core.data.text import Pieces
from core.exporting.classification import portable_classification
from core.task.portable import Portable, TensorGraph

if TYPE_CHECKING:
    import keras

    from apps.nlp.texts import TextEncoder
    from core.task.classification import Classification

TEXTS = tf.TensorSpec([None], tf.string, name="text")


def portable_pieces(
    task: Classification, model: keras.Model, encoder: TextEncoder, pieces: Pieces
) -> Portable:
    """Return what leaves with a net over ids of pieces.

    Args:
        task: Trained the model.
        model: From ids to logits.
        encoder: Its labels and vocabulary.
        pieces: How texts are cut.
    """
    table = encoder.id_table
    portable = portable_classification(
        task,
        model,
        encoder,
        signature=[tf.TensorSpec([None, None], tf.int32, name="ids")],
        loader="apps.nlp.loader",
        settings={"vocabulary": encoder.vocabulary, "pieces": vars(pieces)},
    )

    def from_texts(texts: tf.Tensor) -> tf.Tensor:
        cut = pieces.cut(texts)
        return portable.graph.call(cut.with_flat_values(table.lookup(cut.flat_values)).to_tensor())

    return replace(portable, with_tensorflow=_reading(portable, from_texts, table))


def portable_backbone(
    task: Classification, model: keras.Model, encoder: TextEncoder, preset: str, length: int
) -> Portable:
    """Return what leaves with a backbone of KerasHub.

    Args:
        task: Trained the model.
        model: From what the backbone reads to logits.
        encoder: Its labels.
        preset: Name or folder, which has the tokenizer.
        length: Pieces that are read of each text.
    """
    from apps.nlp.backbone import preprocessor
    from apps.nlp.tokenizer import portable_tokenizer

    preprocess = preprocessor(preset, length)
    tokenizer, names = portable_tokenizer(preprocess, length), list(model.input)
    portable = portable_classification(
        task,
        model,
        encoder,
        signature=[tf.TensorSpec([None, length], tf.int32, name=name) for name in names],
        loader="apps.nlp.backbone_loader",
        settings={"tokenizer": tokenizer, "reading": encoder.reading},
        requires=("tokenizers",),
        read=lambda tensors: dict(zip(names, tensors, strict=True)),
    )

    def from_texts(texts: tf.Tensor) -> tf.Tensor:
        features = preprocess(texts)
        return portable.graph.call(*(features[name] for name in names))

    return replace(
        portable,
        with_tensorflow=_reading(portable, from_texts, preprocess, requires=("tensorflow-text",)),
        only_tensorflow="" if tokenizer else "The texts of this backbone are cut by TensorFlow",
    )


def _reading(portable: Portable, from_texts: Any, reads: Any, requires: tuple[str, ...] = ()) -> TensorGraph:
    graph = portable.graph
    return TensorGraph(from_texts, (TEXTS,), graph.output, (*graph.tracked, reads), requires)
