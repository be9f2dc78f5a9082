"""Pretraining: a net that is trained to say which words are masked in texts, from those on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.corpus.plain_texts import PlainTexts
from apps.nlp.masking.asked import Asked, MarkedText
from apps.nlp.masking.marks import NAME, SHARE, chosen_places, words_of
from apps.nlp.subwords.learnt import SubwordVocabulary, learnt_subwords
from core.answers.fillings import Fillings
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.inputs import Input
from core.task.contract import Ability, Encoder, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    import tensorflow as tf

    from apps.nlp.corpus.streams import Stream
    from apps.nlp.masking.judging import Guesses
    from apps.nlp.masking.windows import Masking
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.portable import Portable

MOST_COUNTED = 20_000_000  # sub-words that rivals count


class PretrainingEncoder(Encoder):
    """The sub-words of the training texts."""

    vocabulary: SubwordVocabulary


class Pretraining(PlainTexts):
    """Says which words are masked in a text, as BERT is trained to.

    Example:

    ```
    quartet train nlp/pretraining data=articles.jsonl text_column=body
    quartet predict runs/mine "The [MASK] lives in Rome"
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = PretrainingEncoder
    takes: ClassVar[Mapping[str, Input]] = {"text": MarkedText()}
    gives: ClassVar[type[Answers] | None] = Fillings
    figures: ClassVar[Mapping[str, Direction]] = Fillings.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})
    options: ClassVar[type[Options]] = Asked

    subwords: Literal["bpe", "unigram"] = Field("bpe", description="how texts are cut into sub-words")
    vocabulary_size: int = Field(
        4096, ge=256, le=2**17, description="sub-words that are known, at most; 256 are the bytes"
    )
    context: int = Field(64, ge=4, le=8192, description="sub-words that are read at once")
    masked: float = Field(SHARE, gt=0, lt=1, description="share of the words that are masked")
    whole_words: bool = Field(
        True, description="mask all sub-words of a word; false where words have no blanks between"
    )
    mask_seed: int = Field(0, ge=0, description="of the masks by which parts are judged")
    depth: int = Field(4, ge=1, le=64, description="blocks")
    width: int = Field(128, ge=2, le=4096, description="units of a sub-word")
    heads: int = Field(4, ge=1, le=64, description="of attention")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of units dropped")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Pretraining:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of twice the heads, {2 * self.heads}")
        return self

    def inputs(self, encoder: Any) -> dict[str, Input]:
        """Return texts with marks, which stand in tables as the training texts did."""
        return {"text": MarkedText(self.text_column)}

    def load(self) -> Splits:
        """Return the texts in their parts; of few texts, the ends of each are validation and test."""
        splits = super().load()
        units = "words" if self.whole_words else "sub-words"
        judged = (
            f"of the {units} of test {self.masked:.0%} masked by seed {self.mask_seed}, each judged once in "
            f"windows of {self.context} sub-words side by side"
        )
        return replace(splits, protocol=f"{splits.protocol}; {judged}")

    def encode(self, train: Examples) -> PretrainingEncoder:
        """Return the sub-words of the training texts."""
        texts = (str(text) for text in train["text"])
        return PretrainingEncoder(
            vocabulary=learnt_subwords(texts, self.subwords, self.vocabulary_size, [NAME])
        )

    def encode_from(self, train: Examples, source: PretrainingEncoder) -> PretrainingEncoder:
        """Return the sub-words that the weights know."""
        return source

    def _stream(self, examples: Examples, encoder: PretrainingEncoder) -> Stream:
        from apps.nlp.corpus.streams import stream_of

        return stream_of(examples, encoder.vocabulary.subwords)

    def _words(self, ids: np.ndarray, encoder: PretrainingEncoder) -> np.ndarray:
        if self.whole_words:
            return words_of(ids, encoder.vocabulary.subwords)
        return np.arange(len(ids), dtype=np.int32)

    def _masking(self, stream: Stream, encoder: PretrainingEncoder) -> Masking:
        from apps.nlp.masking.windows import Masking

        return Masking(self._words(stream.ids, encoder), self.masked, self.mask_seed)

    def count(self, examples: Examples, encoder: PretrainingEncoder) -> int:
        """Return how many windows an epoch has."""
        from apps.nlp.masking.windows import num_windows

        return num_windows(self._stream(examples, encoder), self.context)

    def batches(self, examples: Examples, encoder: PretrainingEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of windows with masks, what stands there, and which of it was masked."""
        from apps.nlp.masking.windows import masked_windows

        stream, subwords = self._stream(examples, encoder), encoder.vocabulary.subwords
        return masked_windows(stream, subwords, self.context, self._masking(stream, encoder), feed)

    def build(self, encoder: PretrainingEncoder) -> keras.Model:
        """Return the model from ids to the logits of what stands at each place."""
        from apps.nlp.masking.net import masked_language_model

        return masked_language_model(
            encoder.vocabulary.subwords.size,
            self.context,
            depth=self.depth,
            width=self.width,
            num_heads=self.heads,
            dropout=self.dropout,
        )

    def loss(self, encoder: PretrainingEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of what was masked."""
        from core.losses import SequenceCrossentropy

        return SequenceCrossentropy(padding_id=None, from_logits=True)

    def evaluate(
        self,
        model: keras.Model,
        encoder: PretrainingEncoder,
        examples: Examples,
        write: Write | None = None,
    ) -> Figures:
        """Return what the masked sub-words cost, and how many the model says rightly."""
        from apps.nlp.masking.judging import guesses_of

        ids, masked = self._judged(examples, encoder)
        subwords = encoder.vocabulary.subwords
        guesses = guesses_of(_logits_of(model), ids, masked, self.context, subwords)
        return self._figures(ids, masked, guesses, encoder, write)

    def _judged(self, examples: Examples, encoder: PretrainingEncoder) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of a part, and which of them are masked to judge a model by."""
        ids = self._stream(examples, encoder).ids
        return ids, chosen_places(ids, self._words(ids, encoder), self.masked, self.mask_seed)

    def _figures(
        self,
        ids: np.ndarray,
        masked: np.ndarray,
        guesses: Guesses,
        encoder: PretrainingEncoder,
        write: Write | None,
    ) -> Figures:
        from apps.nlp.masking.judging import rows_of

        rows = list(rows_of(ids, masked, guesses, self.context, encoder.vocabulary.subwords))
        for row in rows:
            if write:
                write(row)
        return Fillings.from_rows(rows).statistics(np.arange(len(rows)))

    def predict(
        self, model: keras.Model, encoder: PretrainingEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return each text with its masks filled, and the likeliest words of each mask."""
        from apps.nlp.masking.filling import filled

        kind, asked, subwords = MarkedText(), options or Asked(), encoder.vocabulary.subwords
        texts = [cleaned(kind.typed(str(value))) for value in inputs]
        logits_of = _logits_of(model)
        return [filled(logits_of, text, subwords, self.context, asked.candidates) for text in texts]

    def portable(self, model: keras.Model, encoder: PretrainingEncoder) -> Portable:
        """Return the graph from ids to logits; its loader fills masks as `predict` does."""
        from apps.nlp.masking.export import portable_filler

        return portable_filler(
            model,
            encoder.vocabulary.subwords,
            Asked().candidates,
            judged=lambda examples: self._judged(examples, encoder),
            figures=lambda ids, masked, guesses: self._figures(ids, masked, guesses, encoder, None),
        )

    def baseline(
        self, encoder: PretrainingEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of the most frequent sub-word, and of counts between both neighbours."""
        from apps.nlp.masking.neighbours import Neighbours

        train = self._stream(splits.train, encoder).ids[:MOST_COUNTED]
        ids, masked = self._judged(splits.test, encoder)
        counted = Neighbours(train, encoder.vocabulary.subwords.size)
        rivals = {
            "trigram of both neighbours": counted.guesses(ids, masked),
            "most frequent sub-word": counted.most_frequent(ids, masked),
        }
        return {
            name: self._figures(ids, masked, guesses, encoder, written_by(name, write))
            for name, guesses in rivals.items()
        }

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return nothing: what is judged are windows, whose text is not that of an example."""
        return {}

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return nothing: a row holds the text of its window."""
        return {}


def _logits_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    def logits_of(ids: np.ndarray) -> np.ndarray:
        from keras import ops

        return np.asarray(ops.convert_to_numpy(model.predict_on_batch(ids)))

    return logits_of
