"""The net that scores the tags of words: characters by convolution, words, recurrent states, and a CRF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from apps.nlp.chain import chain_limits, chain_tags
from apps.nlp.encoders import padding_mask
from apps.nlp.word_ids import NUM_PIECES, UNKNOWN
from core.layers import CRF, FusedGRU, TokenDropout

CHARACTER_WIDTH, PIECE_WIDTH = 24, 16


@keras.saving.register_keras_serializable(package="quartet")
class Tagger(keras.Model):
    """From words to emissions, trained by the loss of its CRF; true tags count from 1, 0 is padding."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return how unlikely the true tags are, in nats a word."""
        is_word = ops.greater(y, 0)
        tags = ops.maximum(ops.cast(y, "int32") - 1, 0)
        losses = self.get_layer("crf").negative_log_likelihood(y_pred, tags, is_word)
        words = ops.sum(ops.cast(is_word, "float32"), axis=1)
        if sample_weight is not None:
            losses, words = losses * sample_weight, words * sample_weight
        return ops.sum(losses) / ops.maximum(ops.sum(words), 1.0)


def characters_of_words(characters: Any, num_characters: int, width: int, dropout: float) -> Any:
    """Return a vector a word: the strongest answers of filters over each three of its characters.

    Source: Ma and Hovy, End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF (2016), section 2.1.

    Args:
        characters: Ids, 0 is padding, `(batch_size, num_words, word_length)`.
        num_characters: How many ids there are.
        width: Units of the vector.
        dropout: Share of the units of a character that are dropped.
    """
    start = keras.initializers.RandomUniform(-0.2, 0.2)
    embed = keras.layers.Embedding(
        num_characters, CHARACTER_WIDTH, embeddings_initializer=start, name="characters_embedded"
    )
    embedded = keras.layers.Dropout(dropout)(embed(characters)) * padding_mask(characters)
    # A product and not a convolution, whose gradients TensorFlow adds up in no fixed order on a CPU.
    around = ops.pad(embedded, ((0, 0), (0, 0), (1, 1), (0, 0)))
    threes = ops.concatenate([around[:, :, :-2], around[:, :, 1:-1], around[:, :, 2:]], axis=-1)
    heard = keras.layers.Dense(width, "relu", name="character_filters")(threes)
    return ops.max(heard, axis=2)


def pieces_of_words(pieces: Any, num_pieces: int, dropout: float) -> Any:
    """Return the vectors of the pieces of each word side by side, `(batch_size, num_words, width)`.

    Args:
        pieces: Ids, `(batch_size, num_words, NUM_PIECES)`.
        num_pieces: How many ids there are.
        dropout: Share of the pieces that are unknown while training.
    """
    start = keras.initializers.RandomUniform(-0.2, 0.2)
    embed = keras.layers.Embedding(
        num_pieces, PIECE_WIDTH, embeddings_initializer=start, name="pieces_embedded"
    )
    embedded = embed(TokenDropout(dropout, UNKNOWN)(pieces))
    return ops.concatenate([embedded[:, :, place] for place in range(NUM_PIECES)], axis=-1)


def read_words(
    num_words: int,
    num_characters: int,
    num_pieces: int,
    *,
    width: int,
    word_width: int,
    word_length: int,
    dropout: float,
    word_dropout: float,
) -> tuple[dict[str, keras.KerasTensor], Any, Any]:
    """Return the inputs of a sentence, a state a word, and 1 where there is a word, `(batch, words, 1)`.

    Args:
        num_words: How many ids of words there are.
        num_characters: How many ids of characters there are.
        num_pieces: How many ids of pieces of words there are.
        width: Units of the recurrent states in each direction.
        word_width: Units of a word's own vector.
        word_length: Characters that are read of a word.
        dropout: Share of units dropped.
        word_dropout: Share of words that are unknown while training, known by their characters alone.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    characters = keras.Input((None, word_length), dtype="int32", name="characters")
    pieces = keras.Input((None, NUM_PIECES), dtype="int32", name="pieces")
    start = keras.initializers.RandomUniform(-0.1, 0.1)
    seen = TokenDropout(word_dropout, UNKNOWN)(words)
    own = keras.layers.Embedding(num_words, word_width, embeddings_initializer=start, name="words_embedded")(
        seen
    )
    spelt = characters_of_words(characters, num_characters, word_width, dropout / 2)
    formed = pieces_of_words(pieces, num_pieces, dropout / 2)
    mask = padding_mask(words)
    embedded = keras.layers.Dropout(dropout)(keras.layers.Concatenate()([own, spelt, formed])) * mask
    read = keras.layers.Bidirectional(FusedGRU(width, return_sequences=True), name="states")
    states = keras.layers.Dropout(dropout)(read(embedded, mask=ops.squeeze(mask, -1) > 0))
    # What a word and its neighbours are made of says much by itself, and is told beside the states.
    around = ops.pad(embedded, ((0, 0), (1, 1), (0, 0)))
    states = keras.layers.Concatenate()([states, around[:, :-2], embedded, around[:, 2:]])
    return {"words": words, "characters": characters, "pieces": pieces}, states, mask


def emissions_and_crf(states: Any, types: Sequence[str]) -> Any:
    """Return the emissions of tags from states, handed on by their CRF.

    Args:
        states: `(batch, words, width)`.
        types: Of the entities.
    """
    tags = chain_tags(types)
    emissions = keras.layers.Dense(len(tags), dtype="float32", name="emissions")(states)
    return CRF(len(tags), *chain_limits(tags), dtype="float32", name="crf")(emissions)


def tagger(
    types: Sequence[str], num_words: int, num_characters: int, num_pieces: int, **sizes: Any
) -> Tagger:
    """Return the net from ids of words and characters to emissions.

    Args:
        types: Of the entities.
        num_words: How many ids of words there are.
        num_characters: How many ids of characters there are.
        num_pieces: How many ids of pieces of words there are.
        **sizes: Of `read_words`.
    """
    inputs, states, _ = read_words(num_words, num_characters, num_pieces, **sizes)
    return Tagger(inputs, emissions_and_crf(states, types), name="tagger")
