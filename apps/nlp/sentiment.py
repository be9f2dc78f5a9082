"""Sentiment: which of any number of classes a text belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.nlp.lengths import LEAST
from apps.nlp.texts import TextEncoder, TextTask
from core.answers.classes.figures import figures_of
from core.answers.rows import Figures, Write, written_by
from core.data.letters import Reading, composed
from core.errors import MethodError
from core.task.classification import Classification, labels_of
from core.task.contract import Ability, Encoder

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Ragged, Splits
    from core.data.text import Pieces
    from core.task.explanation import Anatomy, Explanation
    from core.task.portable import Portable


class Sentiment(TextTask, Classification):
    """Names the class of a text, out of those it was trained on: praise or blame, topics, intents.

    Example:

    ```
    quartet train nlp/sentiment data=reviews.csv text_column=review label_column=stars
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = TextEncoder
    sample_licence: ClassVar[str | None] = "MIT (VADER, Hutto and Gilbert 2014)"
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export", "calibrate"})

    encoder: Literal["bag", "convolutional", "recurrent", "transformer", "backbone"] = Field(
        "bag", description="what reads the text; a backbone comes from KerasHub by its preset"
    )
    preset: str | None = Field(
        None, description="of the backbone: a KerasHub name such as bert_tiny_en_uncased, or a preset folder"
    )
    ngrams: int = Field(2, ge=1, le=5, description="bag: longest run of words that is a piece")
    character_ngrams: tuple[int, int] | None = Field(
        (3, 6), description="bag of words: shortest and longest run of letters in a word that is a piece"
    )
    width: int = Field(64, ge=4, le=1024, description="units of the encoder; a bag has one a class")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of units, or in a bag of pieces, dropped")

    @model_validator(mode="after")
    def _backbone_has_a_preset(self) -> Sentiment:
        if (self.encoder == "backbone") != (self.preset is not None):
            raise ValueError("encoder=backbone and preset=NAME_OR_FOLDER belong together")
        if self.character_ngrams and not 1 <= self.character_ngrams[0] <= self.character_ngrams[1]:
            raise ValueError("character_ngrams must be a shortest and a longest length, from 1 on")
        return self

    def load(self) -> Splits:
        """Return the texts in their parts."""
        return self.divided(*self.read_parts())

    def _cut(self, length: int, reading: Reading) -> Pieces:
        from core.data.text import Pieces

        if self.encoder == "bag":
            within = self.character_ngrams if self.split == "words" else None
            return Pieces(self.split, length, self.ngrams, within, reading)
        return Pieces(self.split, length, reading=reading)

    def _pieces(self, encoder: TextEncoder) -> Pieces:
        return self._cut(self.length(encoder), encoder.reading)

    def length(self, encoder: TextEncoder) -> int:
        """Return how many words, characters or tokens are read of each text."""
        return encoder.max_length or (256 if self.max_length == "auto" else self.max_length)

    def _learnt_length(self, train: Examples) -> int:
        from apps.nlp.lengths import length_of

        if self.max_length != "auto":
            return self.max_length
        return length_of(train["text"], self._cut, self.encoder)

    def encode(self, train: Examples) -> TextEncoder:
        """Return the classes and the vocabulary of the training texts; for a bag, their counts too."""
        from core.data.text import class_counts

        labels = labels_of(train)
        if self.encoder == "backbone":
            return TextEncoder(
                labels=labels, vocabulary=[], reading="folded", max_length=self._learnt_length(train)
            )
        length = self._learnt_length(train)
        pieces = self._cut(length, "folded")
        vocabulary = pieces.vocabulary(train["text"], self.vocabulary_size, self.min_count)
        self.require_pieces(vocabulary, len(train))
        encoder = TextEncoder(labels=labels, vocabulary=vocabulary, reading="folded", max_length=length)
        if self.encoder != "bag":
            return encoder
        counts = class_counts(
            pieces.ids(train["text"], vocabulary),
            encoder.ids(train["label"], train.source),
            num_classes=len(labels),
            num_ids=encoder.num_ids,
        )
        return encoder.model_copy(update={"counts": counts.tolist()})

    def left_out(self, splits: Splits, encoder: TextEncoder) -> Sequence[str]:
        """Return a note of how many texts are longer than what is read of them."""
        from apps.nlp.truncation import told_truncation

        if self.preset is None:
            is_cut = self._pieces(encoder).cut_off
        else:
            from apps.nlp.backbone import cut_off

            is_cut = partial(cut_off, self.preset, length=self.length(encoder))
        unit = "tokens" if self.preset is not None else self.split
        length = self.length(encoder)
        chosen = self.max_length == "auto" and length > LEAST
        why = [f"max_length=auto reads {length} {unit} of each text, by the lengths of the training texts"]
        return (*(why if chosen else ()), *told_truncation(splits, is_cut, f"{length} {unit}"))

    def features(self, examples: Examples, encoder: TextEncoder) -> Ragged | dict[str, np.ndarray]:
        """Return the pieces of each text as ids, or what the backbone's own preprocessor makes of it."""
        if self.preset is not None:
            from apps.nlp.backbone import preprocessed

            texts = examples["text"]
            if encoder.reading == "folded":
                texts = _composed(texts)
            return preprocessed(self.preset, texts, self.length(encoder))
        return self._pieces(encoder).ids(examples["text"], encoder.id_table)

    def build(self, encoder: TextEncoder) -> keras.Model:
        """Return the model from ids to logits."""
        import keras

        from apps.nlp import encoders
        from apps.nlp.pooling import POOLED_BY

        inputs = keras.Input((None,), dtype="int32", name="ids")
        kernel = "glorot_uniform"
        if self.preset is not None:
            from apps.nlp.backbone import pooled

            inputs, vector = pooled(self.preset, self.length(encoder))
            vector = keras.layers.Dropout(self.dropout)(vector)
        elif self.encoder == "bag":
            # A bag already says something for each class, which the last layer begins by passing on.
            vector, kernel = encoders.bag(inputs, np.asarray(encoder.counts), self.dropout), "identity"
        else:
            states = getattr(encoders, self.encoder)(inputs, encoder.num_ids, self.width, self.dropout)
            pooled_by = POOLED_BY[self.encoder](states, encoders.padding_mask(inputs))
            vector = keras.layers.Dropout(self.dropout)(pooled_by)
        last = keras.layers.Dense(
            len(encoder.labels), kernel_initializer=kernel, dtype="float32", name="logits"
        )
        logits = last(vector)
        return keras.Model(inputs, logits, name="sentiment")

    def anatomy(self, model: keras.Model, encoder: TextEncoder, value: Any) -> Anatomy:
        """Return the words of a text, by the embeddings of the pieces that they are in."""
        from apps.nlp.explanation import word_anatomy

        return word_anatomy(model, self._pieces(encoder), str(value))

    def explain(
        self, model: keras.Model, encoder: TextEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return what each word adds to the log-odds of the likeliest label.

        A backbone, which keeps its embedding to itself, is asked what it says without each word.
        """
        from apps.nlp.explanation import words_left_out

        if self.preset is None:
            return super().explain(model, encoder, value, method)
        if method not in (None, "occlusion"):
            raise MethodError(f"A backbone is explained by occlusion alone. Received: {method!r}.")
        answer = self.predict(model, encoder, [value])[0]
        target = encoder.labels.index(answer["label"])

        def probability(texts: list[str]) -> np.ndarray:
            return self.probabilities(model, encoder, self.read(texts))[:, target]

        return words_left_out(probability, self._pieces(encoder), str(value), answer)

    def portable(self, model: keras.Model, encoder: TextEncoder) -> Portable:
        """Return the graph from ids to probabilities; with TensorFlow, from texts."""
        from apps.nlp.export import portable_backbone, portable_pieces

        if self.preset is not None:
            return portable_backbone(self, model, encoder, self.preset, self.length(encoder))
        return portable_pieces(self, model, encoder, self._pieces(encoder))

    def baseline(
        self, encoder: TextEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of logistic regression on TF-IDF of words, and of NBSVM."""
        from apps.nlp.baselines import nbsvm, tfidf_regression

        train, test = splits.train, splits.test
        texts, others = (_composed(part["text"]) for part in (train, test))
        classes = encoder.ids(train["label"], train.source)
        targets = encoder.ids(test["label"], test.source)
        rivals = {"TF-IDF + logistic regression": tfidf_regression, "NBSVM": nbsvm}
        return {
            name: figures_of(
                targets,
                rival(texts, classes, others, split=self.split),
                encoder.labels,
                written_by(name, write),
            )
            for name, rival in rivals.items()
        }


def _composed(texts: np.ndarray) -> np.ndarray:
    return np.array([composed(text) for text in texts.tolist()], texts.dtype)
