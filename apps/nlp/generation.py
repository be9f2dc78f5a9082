"""Generation: a language model that is trained on texts, and writes them on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.corpus.memorised import KnownRuns
from apps.nlp.corpus.plain_texts import PlainTexts
from apps.nlp.decoder.answering import (
    AT_A_CALL,
    AT_A_STATE,
    TOGETHER,
    Prompted,
    answers_as_they_grow,
)
from apps.nlp.decoder.plain import prompt_of
from apps.nlp.subwords.learnt import SubwordVocabulary, learnt_subwords
from apps.nlp.subwords.subwords import Kind, Subwords
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.texts import Continuations
from core.inputs import Input, Text
from core.task.contract import Ability, Encoder, Options

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.nlp.corpus.streams import Stream
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

NGRAM_ORDER = 6
MOST_COUNTED = 20_000_000  # tokens, whose n-grams take some gigabytes


class GenerationEncoder(Encoder):
    """The sub-words of the training texts, whether there were several, and what stands in them."""

    vocabulary: SubwordVocabulary
    several: bool = Field(description="whether there were several texts, which the model knows the ends of")
    runs: KnownRuns


class Generation(PlainTexts):
    """Writes a text on, token by token, as the texts that it was trained on go.

    Example:

    ```
    quartet train nlp/generation data=shakespeare.txt
    quartet predict runs/mine "To be" --option temperature=0.7 --stream
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = GenerationEncoder
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="In the beginning")}
    gives: ClassVar[type[Answers] | None] = Continuations
    figures: ClassVar[Mapping[str, Direction]] = Continuations.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream", "explain", "export"})
    options: ClassVar[type[Options]] = Prompted
    objective: ClassVar[str] = "val_bits_per_byte"

    subwords: Kind = Field(
        "characters", description="what texts are cut into: characters, bytes, bpe, unigram"
    )
    vocabulary_size: int = Field(4096, ge=2, le=2**17, description="sub-words that are known, at most")
    context: int = Field(64, ge=2, le=8192, description="tokens that are read at once")
    overlap: float = Field(
        0.5, ge=0, lt=1, description="share of a window that judged tokens have before them, at the least"
    )
    depth: int = Field(4, ge=1, le=64, description="blocks")
    width: int = Field(128, ge=2, le=4096, description="units of a token")
    heads: int = Field(4, ge=1, le=64, description="of attention")
    key_value_heads: int | None = Field(
        None, ge=1, description="shared among groups of heads; by default as many"
    )
    normalization: Literal["rms", "layer"] = Field(
        "rms", description="before attention and net of each block"
    )
    activation: Literal["swiglu", "gelu"] = Field("swiglu", description="of the net of each block")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of units dropped")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Generation:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of twice the heads, {2 * self.heads}")
        if self.key_value_heads and self.heads % self.key_value_heads:
            raise ValueError(f"key_value_heads must divide heads, {self.heads}")
        return self

    def inputs(self, encoder: Any) -> dict[str, Input]:
        """Return prompts, which stand in tables as the training texts did."""
        return {"text": Text(self.text_column, example="In the beginning")}

    def load(self) -> Splits:
        """Return the texts in their parts; of few texts, the ends of each are validation and test."""
        splits = super().load()
        judged = f"each token of test judged once, after {int(self.overlap * self.context)} others or more"
        return replace(splits, protocol=f"{splits.protocol}; {judged}, of its text's beginning fewer")

    def encode(self, train: Examples) -> GenerationEncoder:
        """Return the sub-words of the training texts, and which runs of words stand in them."""
        texts = (str(text) for text in train["text"])
        vocabulary = learnt_subwords(texts, self.subwords, self.vocabulary_size)
        runs = KnownRuns.of(str(text) for text in train["text"])
        return GenerationEncoder(vocabulary=vocabulary, several=len(train) > 1, runs=runs)

    def encode_from(self, train: Examples, source: GenerationEncoder) -> GenerationEncoder:
        """Return the sub-words that the weights know, and what stands in the training texts."""
        runs = KnownRuns.of(str(text) for text in train["text"])
        return GenerationEncoder(vocabulary=source.vocabulary, several=len(train) > 1, runs=runs)

    def stream_of(self, examples: Examples, encoder: GenerationEncoder) -> Stream:
        """Return the texts as one stream of ids."""
        from apps.nlp.corpus.streams import stream_of

        return stream_of(examples, encoder.vocabulary.subwords)

    def count(self, examples: Examples, encoder: GenerationEncoder) -> int:
        """Return how many windows an epoch has."""
        from apps.nlp.corpus.streams import num_windows

        return num_windows(self.stream_of(examples, encoder), self.context)

    def batches(self, examples: Examples, encoder: GenerationEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of windows, and of the tokens that come next."""
        from apps.nlp.corpus.streams import windows

        return windows(self.stream_of(examples, encoder), self.context, feed)

    def build(self, encoder: GenerationEncoder) -> keras.Model:
        """Return the model from ids to the logits of the next."""
        from apps.nlp.decoder.language_model import language_model

        return language_model(
            encoder.vocabulary.subwords.size,
            self.context,
            depth=self.depth,
            width=self.width,
            num_heads=self.heads,
            num_key_value_heads=self.key_value_heads,
            normalization=self.normalization,
            activation=self.activation,
            dropout=self.dropout,
        )

    def loss(self, encoder: GenerationEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of the next tokens."""
        from core.losses import SequenceCrossentropy

        return SequenceCrossentropy(from_logits=True)

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model, and judge the validation part after each epoch."""
        from apps.nlp.decoder.judging import Costs
        from apps.nlp.judged_epochs import judged_each_epoch

        validation = training.splits.validation
        if not len(validation):
            return super().fit(training)
        stream = self.stream_of(validation, training.encoder)

        def judged() -> dict[str, float]:
            costs = Costs.of(stream, self.nats(training.model, training.encoder, stream, overlap=0.0))
            return {"val_loss": costs.nats_per_token, "val_bits_per_byte": costs.bits_per_byte}

        return super().fit(judged_each_epoch(training, judged, by_these_alone=True))

    def nats(
        self, model: keras.Model, encoder: GenerationEncoder, stream: Stream, overlap: float | None = None
    ) -> np.ndarray:
        """Return what each id of a stream but the first costs, in nats, float64, shape `(num_ids - 1,)`."""
        from apps.nlp.decoder.judging import judged_nats, nats_of_unknown

        nats = judged_nats(model, stream.ids, self.overlap if overlap is None else overlap)
        return nats + nats_of_unknown(stream, encoder.vocabulary.subwords)

    def evaluate(
        self, model: keras.Model, encoder: GenerationEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return what the texts cost, in bits a byte and nats a token, and how what is written repeats."""
        from apps.nlp.decoder.judging import passages_of

        stream, subwords = self.stream_of(examples, encoder), encoder.vocabulary.subwords
        passages = passages_of(stream, self.context)
        asked = Prompted(length=max(len(each.rest) for each in passages))
        *_, answers = answers_as_they_grow(
            model,
            subwords,
            [""] * len(passages),
            [each.prompt for each in passages],
            asked,
            seeds=range(len(passages)),
        )
        written = [each["written"] for each in answers]
        figures = self._figures(stream, subwords, self.nats(model, encoder, stream), written, write)
        people = [subwords.text(each.rest) for each in passages]
        # Of those of people, how many stand in the training part says how many do so by chance.
        for name, texts in (("memorised", written), ("memorised_by_people", people)):
            figures[name], _ = encoder.runs.share(texts)
        return figures

    def _figures(
        self,
        stream: Stream,
        subwords: Subwords,
        nats: np.ndarray,
        written: Sequence[str] | None,
        write: Write | None,
    ) -> Figures:
        from apps.nlp.decoder.judging import passages_of, rows_of

        rows = rows_of(stream, nats, passages_of(stream, self.context), subwords, written)
        for row in rows:
            if write:
                write(row)
        figures = Continuations.from_rows(rows).statistics(np.arange(len(rows)))
        return {name: value for name, value in figures.items() if written or name != "repetition"}

    def predict(
        self, model: keras.Model, encoder: GenerationEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return each text written on: the whole `text`, and what was `written`."""
        answers = []
        for start in range(0, len(inputs), TOGETHER):
            *_, last = self._states(model, encoder, inputs[start : start + TOGETHER], options)
            answers += last
        return answers

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        """Yield a text as it is written on, a few tokens at a time."""
        for (state,) in self._states(model, encoder, [value], options, AT_A_STATE):
            yield state

    def _states(
        self,
        model: keras.Model,
        encoder: GenerationEncoder,
        inputs: Sequence[Any],
        options: Any,
        at_a_call: int = AT_A_CALL,
    ) -> Iterator[list[dict[str, Any]]]:
        asked, kind, subwords = options or Prompted(), Text(), encoder.vocabulary.subwords
        texts = [cleaned(kind.typed(str(value))) for value in inputs]
        refuse = asked.long_prompts == "refuse"
        prompts = [
            prompt_of(text, subwords, context=self.context, several=encoder.several, refuse=refuse)
            for text in texts
        ]
        seeds = [asked.seed] * len(texts)
        return answers_as_they_grow(model, subwords, texts, prompts, asked, seeds=seeds, at_a_call=at_a_call)

    def explain(
        self, model: keras.Model, encoder: GenerationEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return which words of a prompt, and tokens of its last, the likeliest next token rests on."""
        from apps.nlp.decoder.explanation import explained_next

        (answer,), subwords = self.predict(model, encoder, [value]), encoder.vocabulary.subwords
        text = cleaned(str(value))
        prompt = prompt_of(text, subwords, context=self.context, several=encoder.several)
        return explained_next(model, subwords, prompt, answer, method)

    def portable(self, model: keras.Model, encoder: GenerationEncoder) -> Portable:
        """Return the graph from ids to logits; its loader writes with a whole pass for each token."""
        from apps.nlp.decoder.export import portable_language_model
        from apps.nlp.decoder.judging import nats_of_unknown

        subwords = encoder.vocabulary.subwords
        asked = Prompted().model_dump(exclude={"long_prompts"})

        def figures(stream: Stream, nats: np.ndarray) -> Figures:
            return self._figures(stream, subwords, nats + nats_of_unknown(stream, subwords), None, None)

        return portable_language_model(
            model,
            subwords,
            {"several": encoder.several, "asked": asked},
            stream_of=lambda examples: self.stream_of(examples, encoder),
            figures=figures,
            overlap=self.overlap,
        )

    def baseline(
        self, encoder: GenerationEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of n-grams with Kneser-Ney smoothing, on the same tokens."""
        from apps.nlp.decoder.judging import nats_of_unknown
        from core.language.ngrams import NGrams

        subwords, name = encoder.vocabulary.subwords, f"Kneser-Ney of order {NGRAM_ORDER}"
        train, test = (self.stream_of(part, encoder) for part in (splits.train, splits.test))
        if len(train) > MOST_COUNTED:
            name += f" on the first {MOST_COUNTED:,} tokens"
        nats = NGrams(train.ids[:MOST_COUNTED], subwords.size, NGRAM_ORDER).nats(test.ids)[1:]
        nats = nats + nats_of_unknown(test, subwords)
        return {name: self._figures(test, subwords, nats, None, written_by(name, write))}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return nothing: what is judged are passages, whose text is not that of an example."""
        return {}
