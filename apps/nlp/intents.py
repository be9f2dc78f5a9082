"""Intents: what a request is for, and which of its words say what about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.nlp.chain import Chain
from apps.nlp.entities import Entities, EntityEncoder, chain_of, rows_of
from apps.nlp.requests.telling import likeliest, parted, request_answer
from apps.nlp.tagged import sentences_of
from apps.nlp.words import words_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.tags import LabelledTags
from core.answers.tags.entities import Entity
from core.errors import UserError
from core.inputs import Input, Text
from core.task.contract import Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.portable import Portable

EXAMPLE = "Turn on the desk lamp in the office."
FEWEST_TEMPLATES = 5  # an intent of fewer may have none in the training part


class IntentEncoder(EntityEncoder):
    """The intents, the names of slots, and the words and characters that the model knows."""

    intents: list[str] = Field(min_length=2, description="sorted intents")


class Intents(Entities):
    """Tells what a request is for, and marks the words that say what about it: a room, a time, a title.

    Example:

    ```
    quartet train nlp/intents data=snips
    quartet train nlp/intents data=nlu.yml
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = IntentEncoder
    label: ClassVar[str | None] = "intent"
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example=EXAMPLE, rows=2)}
    gives: ClassVar[type[Answers] | None] = LabelledTags
    figures: ClassVar[Mapping[str, Direction]] = LabelledTags.figures
    objective: ClassVar[str] = "val_sentence_accuracy"
    sample_licence: ClassVar[str | None] = "Apache-2.0 (templates of Home Assistant)"

    def load(self) -> Splits:
        """Return the requests in their parts; those of the sample are split by template, if nothing else."""
        from apps.nlp.requests.reading import SEQUENCES, YAML, read_requests
        from core.data.tables import existing, part_paths

        if self.data == "sample":
            grouped = self if self.split_group or self.split_time else self._split_by("template")
            return grouped.divided({"train": _sample(self.split)})
        if self.data.startswith("tfds:"):
            raise UserError(
                f"Intents are read from files: give a folder of SNIPS or YAML of Rasa. Received: {self.data}."
            )
        path = existing(self.data)
        is_one_part = path.is_dir() and any((path / name).is_file() for name in SEQUENCES)
        paths = {"train": path} if is_one_part else part_paths(path, YAML)
        read = {
            part: read_requests(each, split=self.split, skip_bad=self.skip_bad)
            for part, each in paths.items()
        }
        notes = [note for _, notes in read.values() for note in notes]
        return self.divided({part: examples for part, (examples, _) in read.items()}, notes)

    def encode(self, train: Examples) -> IntentEncoder:
        """Return the intents, and what `Entities` knows of words and slots."""
        intents = sorted(set(train["intent"].tolist()))
        if len(intents) < 2:
            raise UserError(
                f"Two intents at least are needed in the training part of {train.source}. "
                f"Received: {', '.join(intents)}."
            )
        return IntentEncoder(**super().encode(train).model_dump(), intents=intents)

    def batches(self, examples: Examples, encoder: EntityEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of ids of words and characters, and of tags from 1 on and the intent."""
        assert isinstance(encoder, IntentEncoder)
        x, tags = self.columns(examples, encoder)
        if tags is None:
            return feed.batches(x, lengths=x["words"].lengths)
        number = {intent: place for place, intent in enumerate(encoder.intents)}
        intents = np.array([number.get(each, 0) for each in examples["intent"].tolist()], np.int32)
        return feed.batches(x, {"tags": tags, "intent": intents}, lengths=x["words"].lengths)

    def build(self, encoder: EntityEncoder) -> keras.Model:
        """Return the model from words to the scores of their tags, and of the intent."""
        from apps.nlp.requests.net import request_reader

        assert isinstance(encoder, IntentEncoder)
        return request_reader(
            encoder.types,
            len(encoder.intents),
            len(encoder.vocabulary) + 2,
            len(encoder.characters) + 2,
            len(encoder.pieces) + 2,
            **self.model_dump(include={"width", "word_width", "word_length", "dropout", "word_dropout"}),
        )

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model, and judge the requests of the validation part after each epoch."""
        from apps.nlp.judged_epochs import judged_each_epoch

        validation, encoder = training.splits.validation, training.encoder
        if not len(validation):
            return Task.fit(self, training)

        def judged() -> dict[str, float]:
            figures = self.evaluate(training.model, encoder, validation)
            names = ("entity_f1", "label_accuracy", "sentence_accuracy")
            return {f"val_{name}": figures[name] for name in names}

        return Task.fit(self, judged_each_epoch(training, judged))

    def figures_of(
        self,
        encoder: EntityEncoder,
        examples: Examples,
        chain: Chain,
        scored: Iterable[np.ndarray],
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of slots, of intents, and of requests of which all is right.

        Args:
            encoder: The encoder that the model was trained with.
            examples: What it is judged on.
            chain: Chooses tags by their scores.
            scored: The scores of tags and intents of each request, `(num_words, num_tags + num_intents)`.
            write: Called with one row an example.
        """
        assert isinstance(encoder, IntentEncoder)
        both = [parted(each, len(chain.tags)) for each in scored]
        slots = [[Entity(*each[:3]) for each in chain.entities(emissions)] for emissions, _ in both]
        labels = [likeliest(logits, encoder.intents) for _, logits in both]
        return self._judged(encoder, examples, slots, labels, write)

    def _judged(
        self,
        encoder: IntentEncoder,
        examples: Examples,
        slots: Iterable[Sequence[Entity]],
        labels: Iterable[tuple[str, float]],
        write: Write | None = None,
    ) -> Figures:
        rows = list(_rows(encoder, examples, slots, labels))
        if write:
            for row in rows:
                write(row)
        answers = LabelledTags.from_rows(rows)
        return {**answers.statistics(np.arange(len(rows))), "per_type": answers.per_type()}

    def predict(
        self, model: keras.Model, encoder: EntityEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the intent of each request and its slots: their text, type, start, end, and probability."""
        assert isinstance(encoder, IntentEncoder)
        kind, chain = Text(), chain_of(model, encoder)
        texts = [kind.typed(str(text)) for text in inputs]
        words = [words_of(text, self.split) for text in texts]
        scored = self.emissions(model, encoder, [[word.text for word in each] for each in words])
        return [
            request_answer(text, each, scores, chain, encoder.intents)
            for text, each, scores in zip(texts, words, scored, strict=True)
        ]

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell requests apart by: intents, and how many words and slots they have."""
        lengths = super().slices(splits, encoder)
        return {
            "intent": splits.test["intent"],
            "words": lengths["words"],
            "true slots": lengths["true entities"],
        }

    def portable(self, model: keras.Model, encoder: EntityEncoder) -> Portable:
        """Return the graph from ids to scores of tags and intents, with the chain beside it."""
        assert isinstance(encoder, IntentEncoder)
        plain = super().portable(model, encoder)
        settings = {**plain.settings, "intents": encoder.intents}
        return replace(plain, settings=settings, loader="apps.nlp.requests.loader")

    def baseline(
        self, encoder: EntityEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a CRF for the slots with logistic regression for the intent."""
        from apps.nlp.baselines import tfidf_regression
        from apps.nlp.entity_rivals import crf_on_features

        assert isinstance(encoder, IntentEncoder)
        train, test = splits.train, splits.test
        number = {intent: place for place, intent in enumerate(encoder.intents)}
        classes = np.array([number[each] for each in train["intent"].tolist()])
        shares = tfidf_regression(train["text"], classes, test["text"], split=self.split)
        labels = [(encoder.intents[each.argmax()], float(each.max())) for each in shares]
        slots = crf_on_features(list(sentences_of(train)), [words for words, _ in sentences_of(test)])
        name = "CRF and logistic regression"
        return {name: self._judged(encoder, test, slots, labels, written_by(name, write))}


def _rows(
    encoder: IntentEncoder,
    examples: Examples,
    slots: Iterable[Sequence[Entity]],
    labels: Iterable[tuple[str, float]],
) -> Iterator[dict[str, Any]]:
    """Yield a row an example, as `LabelledTags` reads it."""
    true = examples["intent"].tolist()
    for row, intent, (label, probability) in zip(
        rows_of(examples, slots, encoder), true, labels, strict=True
    ):
        yield {**row, "label": intent, "predicted_label": label, "probability": probability}


def _sample(split: Any) -> Examples:
    from apps.nlp.requests.reading import Request, examples_of_requests
    from apps.nlp.tagged import Sentence, placed_entities
    from core.data.samples import assistant_requests

    said_by = assistant_requests()
    templates_of: dict[str, set[int]] = {}
    for said in said_by:
        templates_of.setdefault(said.intent, set()).add(said.template)
    requests, templates, texts = [], [], set[str]()
    for said in said_by:
        # What two templates say alike would stand in two parts.
        if len(templates_of[said.intent]) < FEWEST_TEMPLATES or said.text.casefold() in texts:
            continue
        texts.add(said.text.casefold())
        words = words_of(said.text, split)
        entities, _ = placed_entities(said.text, words, said.spans)
        requests.append(Request(Sentence(said.text, [word.text for word in words], entities), said.intent))
        templates.append(str(said.template))
    return examples_of_requests(requests, "the sample of requests").with_columns(template=templates)
