"""The net that tells the intent of a request and the tags of its words at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from apps.nlp.taggers import emissions_and_crf, read_words

AWAY = 1e4


@keras.saving.register_keras_serializable(package="quartet")
class RequestReader(keras.Model):
    """From words to the scores of tags and, after them, of intents, which stand at each word alike.

    True tags count from 1, 0 is padding.
    """

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return how unlikely the true tags of a request and its true intent are, in nats a request.

        Args:
            x: Not needed.
            y: `tags`, int, `(batch, words)`, and `intent`, int, `(batch,)`.
            y_pred: Scores, `(batch, words, num_tags + num_intents)`.
            sample_weight: Of each request.
            training: Not needed.
        """
        crf = self.get_layer("crf")
        is_word = ops.greater(y["tags"], 0)
        tags = ops.maximum(ops.cast(y["tags"], "int32") - 1, 0)
        losses = crf.negative_log_likelihood(y_pred[..., : crf.num_tags], tags, is_word)
        logits = y_pred[:, 0, crf.num_tags :]
        losses = losses + keras.losses.sparse_categorical_crossentropy(y["intent"], logits, from_logits=True)
        weights = ops.ones_like(losses) if sample_weight is None else sample_weight
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)


def request_reader(
    types: Sequence[str],
    num_intents: int,
    num_words: int,
    num_characters: int,
    num_pieces: int,
    *,
    dropout: float,
    **sizes: Any,
) -> RequestReader:
    """Return the net from ids of words and characters to the scores of tags and intents.

    Args:
        types: Of the slots.
        num_intents: How many intents there are.
        num_words: How many ids of words there are.
        num_characters: How many ids of characters there are.
        num_pieces: How many ids of pieces of words there are.
        dropout: Share of units dropped.
        **sizes: Of `apps.nlp.taggers.read_words`.
    """
    inputs, states, mask = read_words(num_words, num_characters, num_pieces, dropout=dropout, **sizes)
    scores = emissions_and_crf(states, types)
    hidden = keras.layers.Dense(2 * sizes["width"], "relu", name="intent_hidden")(states)
    whole = keras.layers.Dropout(dropout)(ops.max(hidden - AWAY * (1.0 - mask), axis=1))
    logits = keras.layers.Dense(num_intents, dtype="float32", name="intents")(whole)
    told = ops.expand_dims(logits, 1) + ops.zeros_like(scores[..., :1])
    return RequestReader(inputs, ops.concatenate([scores, told], axis=-1), name="request_reader")
