"""The net that finds answers: words of both texts, attention both ways, and scores of all spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from apps.nlp.comprehension.forms import NUM_FORMS
from apps.nlp.encoders import padding_mask
from apps.nlp.taggers import characters_of_words, pieces_of_words
from apps.nlp.word_ids import NUM_PIECES, UNKNOWN
from core.layers import FusedGRU, SpanScores, TokenDropout

AWAY = -1e4


def inputs_of(part: str, word_length: int) -> dict[str, keras.KerasTensor]:
    """Return the inputs for the words of one text: ids, characters, pieces and forms.

    Args:
        part: `question` or `context`, with which their names begin.
        word_length: Characters that are read of a word.
    """
    shapes: Mapping[str, tuple[int | None, ...]] = {
        "words": (None,),
        "characters": (None, word_length),
        "pieces": (None, NUM_PIECES),
        "forms": (None, NUM_FORMS),
    }
    return {
        f"{part}_{name}": keras.Input(shape, dtype="int32", name=f"{part}_{name}")
        for name, shape in shapes.items()
    }


def word_embedder(
    num_words: int,
    num_characters: int,
    num_pieces: int,
    *,
    word_width: int,
    word_length: int,
    dropout: float,
    word_dropout: float,
) -> keras.Model:
    """Return the net from ids of words, characters and pieces to vectors, which both texts share."""
    words = keras.Input((None,), dtype="int32", name="words")
    characters = keras.Input((None, word_length), dtype="int32", name="characters")
    pieces = keras.Input((None, NUM_PIECES), dtype="int32", name="pieces")
    start = keras.initializers.RandomUniform(-0.1, 0.1)
    embed = keras.layers.Embedding(num_words, word_width, embeddings_initializer=start, name="words_embedded")
    own = embed(TokenDropout(word_dropout, UNKNOWN)(words))
    spelt = characters_of_words(characters, num_characters, word_width, dropout / 2)
    formed = pieces_of_words(pieces, num_pieces, dropout / 2)
    embedded = ops.concatenate([own, spelt, formed], axis=-1) * padding_mask(words)
    return keras.Model([words, characters, pieces], embedded, name="word_vectors")


def matches(context_forms: Any, question_forms: Any) -> Any:
    """Return which words of both texts share which form, 0 or 1, `(batch, context, question, NUM_FORMS)`.

    Args:
        context_forms: Numbers of forms, 0 is padding, `(batch, context, NUM_FORMS)`.
        question_forms: Likewise, `(batch, question, NUM_FORMS)`.
    """
    of_context, of_question = ops.expand_dims(context_forms, 2), ops.expand_dims(question_forms, 1)
    same = ops.logical_and(ops.equal(of_context, of_question), ops.not_equal(of_question, 0))
    return ops.cast(same, "float32")


def attention(context: Any, question: Any, same: Any, question_mask: Any, context_mask: Any) -> Any:
    """Return what each word of the context hears from the question, and from the context through it.

    Source: Seo et al., Bidirectional Attention Flow for Machine Comprehension (2017), equations 1 and 2, with
    equal words as a part of the similarity; and Yu et al., QANet (2018), section 2.2, for the way back.

    Args:
        context: States, `(batch, context, width)`.
        question: States, `(batch, question, width)`.
        same: What `matches` returned.
        question_mask: 1 for words, `(batch, question, 1)`.
        context_mask: Likewise, `(batch, context, 1)`.
    """
    width = context.shape[-1]
    scaled = keras.layers.Dense(width, use_bias=False, kernel_initializer="identity", name="similarity")(
        context
    )
    similar = ops.matmul(scaled, ops.transpose(question, (0, 2, 1))) / width**0.5
    similar = similar + ops.transpose(keras.layers.Dense(1, name="asked")(question), (0, 2, 1))
    similar = similar + ops.squeeze(
        keras.layers.Dense(1, kernel_initializer="ones", name="equal_words")(same), -1
    )
    to_question = ops.softmax(similar + AWAY * (1 - ops.transpose(question_mask, (0, 2, 1))), axis=2)
    to_context = ops.softmax(similar + AWAY * (1 - context_mask), axis=1)
    heard = ops.matmul(to_question, question)
    heard_back = ops.matmul(to_question, ops.matmul(ops.transpose(to_context, (0, 2, 1)), context))
    return ops.concatenate([context, heard, context * heard, context * heard_back], axis=-1)


def reader(
    num_words: int,
    num_characters: int,
    num_pieces: int,
    *,
    width: int,
    word_width: int,
    word_length: int,
    longest: int,
    dropout: float,
    word_dropout: float,
) -> keras.Model:
    """Return the net from the words of a question and of a context to the scores of spans.

    Args:
        num_words: How many ids of words there are.
        num_characters: How many ids of characters there are.
        num_pieces: How many ids of pieces of words there are.
        width: Units of the recurrent states in each direction.
        word_width: Units of a word's own vector, and of its spelling.
        word_length: Characters that are read of a word.
        longest: Words of an answer, at most.
        dropout: Share of units dropped.
        word_dropout: Share of words that are unknown while training, known by their characters alone.
    """
    asked, given = inputs_of("question", word_length), inputs_of("context", word_length)
    embed = word_embedder(
        num_words,
        num_characters,
        num_pieces,
        word_width=word_width,
        word_length=word_length,
        dropout=dropout,
        word_dropout=word_dropout,
    )
    question_mask, context_mask = padding_mask(asked["question_words"]), padding_mask(given["context_words"])
    same = matches(given["context_forms"], asked["question_forms"])
    texts = {
        "question": (asked, question_mask, ops.max(same, axis=1)),
        "context": (given, context_mask, ops.max(same, axis=2)),
    }
    read = keras.layers.Bidirectional(FusedGRU(width, return_sequences=True), name="states")
    vectors, states = {}, {}
    for part, (inputs, mask, is_met) in texts.items():
        embedded = embed([inputs[f"{part}_{name}"] for name in ("words", "characters", "pieces")])
        vectors[part] = keras.layers.Dropout(dropout)(embedded)
        whole = ops.concatenate([vectors[part], is_met], axis=-1) * mask
        states[part] = keras.layers.Dropout(dropout)(read(whole, mask=ops.squeeze(mask, -1) > 0))
    met = attention(states["context"], states["question"], same, question_mask, context_mask)
    joined = ops.concatenate([met, ops.max(same, axis=2)], axis=-1) * context_mask
    again = keras.layers.Bidirectional(FusedGRU(width, return_sequences=True), name="states_met")
    understood = keras.layers.Dropout(dropout)(again(joined, mask=ops.squeeze(context_mask, -1) > 0))
    around = ops.pad(vectors["context"] * context_mask, ((0, 0), (1, 1), (0, 0)))
    evidence = ops.concatenate([understood, met, around[:, :-2], around[:, 1:-1], around[:, 2:]], axis=-1)
    scores = SpanScores(longest, width, dtype="float32", name="spans")(
        evidence, ops.squeeze(context_mask, -1)
    )
    return keras.Model({**asked, **given}, scores, name="reader")
