"""Entities: which words of a text name a person, a place, or whatever the training texts mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.nlp.chain import Chain, answer_of, chain_tags
from apps.nlp.tagged import SEPARATOR, AnyScheme, read_tagged, sentences_of
from apps.nlp.word_ids import WordIds, emissions_of, pieces_of, word_key
from apps.nlp.words import Split, words_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.tags import Tags
from core.answers.tags.entities import Entity
from core.answers.tags.schemes import tags_of
from core.errors import UserError
from core.inputs import Input, Text
from core.task.contract import Ability, Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples, Ragged, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.portable import Portable

PIECE_COUNT = 2  # shapes, beginnings and ends of words in fewer training sentences are unknown
LESS_OUTSIDE = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)  # the first, where several are best
EXAMPLE = "My name is Ann Miller, and I live in Berlin."


class EntityEncoder(Encoder):
    """The types of entities, and the words and characters that the model knows."""

    types: list[str] = Field(min_length=1, description="sorted types of the entities")
    vocabulary: list[str] = Field(description="words by falling frequency")
    characters: list[str] = Field(description="characters by falling frequency")
    pieces: list[str] = Field(description="shapes, beginnings and ends of words by falling frequency")
    entities: list[str] = Field(description="entities of the training part, each after its type and a tab")

    @cached_property
    def seen(self) -> frozenset[str]:
        """The entities of the training part."""
        return frozenset(self.entities)


class Entities(Task):
    """Marks the entities of a text, each with its type: people, places, and whatever else training marked.

    Example:

    ```
    quartet train nlp/entities data=conll2003 tag_column=3
    quartet train nlp/entities data=contracts.jsonl
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = EntityEncoder
    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example=EXAMPLE)}
    gives: ClassVar[type[Answers] | None] = Tags
    figures: ClassVar[Mapping[str, Direction]] = Tags.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})
    objective: ClassVar[str] = "val_entity_f1"
    direction: ClassVar[Direction] = "max"
    sample_licence: ClassVar[str | None] = "MIT (templates), CC BY-SA 3.0 (names, Fake Name Generator)"

    word_column: int = Field(0, description="of files with columns: where the words stand, from 0")
    tag_column: int = Field(-1, description="of files with columns: where the tags stand; -1 is the last")
    scheme: AnyScheme = Field("auto", description="of the tags in columns; auto tells by their marks")
    split: Split = Field("words", description="characters for languages that write no blanks")
    max_length: int = Field(
        256, ge=2, le=8192, description="words that are read at once; longer texts are answered in pieces"
    )
    vocabulary_size: int = Field(30_000, ge=2, description="words that are known, at most")
    min_count: int = Field(1, ge=1, description="words in fewer training sentences are unknown")
    word_length: int = Field(16, ge=2, le=64, description="characters that are read of a word")
    width: int = Field(96, ge=4, le=1024, description="units of the recurrent states in each direction")
    word_width: int = Field(64, ge=4, le=1024, description="units of a word's vector, and of its spelling")
    dropout: float = Field(0.4, ge=0, lt=1, description="share of units dropped")
    word_dropout: float = Field(
        0.2, ge=0, lt=1, description="share of words that are known by their characters alone while training"
    )

    def load(self) -> Splits:
        """Return the sentences in their parts; those of the sample are split by template, if nothing else."""
        from core.data.tables import existing, part_paths

        if self.data == "sample":
            grouped = self if self.split_group or self.split_time else self._split_by("template")
            return grouped.divided({"train": _sample(self.split)})
        if self.data.startswith("tfds:"):
            raise UserError(
                "Entities are read from files: give a path to columns of CoNLL or JSON lines with offsets. "
                f"Received: {self.data}."
            )
        from apps.nlp.tagged import SUFFIXES

        read = {
            part: read_tagged(
                path,
                word_column=self.word_column,
                tag_column=self.tag_column,
                scheme=self.scheme,
                split=self.split,
                skip_bad=self.skip_bad,
            )
            for part, path in part_paths(existing(self.data), SUFFIXES).items()
        }
        notes = [note for _, notes in read.values() for note in notes]
        return self.divided({part: examples for part, (examples, _) in read.items()}, notes)

    def _split_by(self, group: str) -> Entities:
        return self.model_copy(update={"split_group": group})

    def encode(self, train: Examples) -> EntityEncoder:
        """Return the types, words and characters of the training sentences, and their entities."""
        words, characters, pieces = Counter[str](), Counter[str](), Counter[str]()
        known: set[str] = set()
        for sentence, entities in sentences_of(train):
            words.update({word_key(word) for word in sentence})
            characters.update("".join(sentence))
            pieces.update({piece for own in pieces_of(sentence, self.split) for piece in own})
            known.update(_named(sentence, entities))
        types = sorted({name.split(SEPARATOR, 1)[0] for name in known})
        if not types:
            raise UserError(f"No word is marked as an entity in the training part of {train.source}.")
        return EntityEncoder(
            types=types,
            vocabulary=_ranked(words, self.min_count)[: self.vocabulary_size],
            characters=_ranked(characters),
            pieces=_ranked(pieces, PIECE_COUNT)[: self.vocabulary_size],
            entities=sorted(known),
        )

    def encode_from(self, train: Examples, source: EntityEncoder) -> EntityEncoder:
        """Return the types and entities of the training sentences, and the words that the weights know."""
        shared = source.model_dump(include={"vocabulary", "characters", "pieces"})
        return self.encode(train).model_copy(update=shared)

    def left_out(self, splits: Splits, encoder: EntityEncoder) -> Sequence[str]:
        """Return a note of how many training sentences are longer than what is read of them."""
        longer = np.mean([len(words) > self.max_length for words, _ in sentences_of(splits.train)])
        if not longer:
            return ()
        told = (
            f"{longer:.1%} of the training texts are longer than the {self.max_length} words that are learnt"
        )
        return (f"{told} of each: max_length sets how many",)

    def word_ids(self, encoder: EntityEncoder) -> WordIds:
        """Return what makes ids of words."""
        known = encoder.vocabulary, encoder.characters, encoder.pieces
        return WordIds(*known, self.word_length, self.split)

    def batches(self, examples: Examples, encoder: EntityEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of ids of words and characters, and of tags from 1 on, all padded with 0."""
        x, y = self.columns(examples, encoder)
        return feed.batches(x, y, lengths=x["words"].lengths)

    def columns(self, examples: Examples, encoder: EntityEncoder) -> tuple[dict[str, Ragged], Ragged | None]:
        """Return the ids of words and characters, and the tags from 1 on; none where there are no tags."""
        from core.data.examples import Ragged

        ids, number = self.word_ids(encoder), {tag: n for n, tag in enumerate(chain_tags(encoder.types), 1)}
        rows, tags = [], []
        for sentence, entities in sentences_of(examples):
            rows.append(ids(sentence[: self.max_length]))
            known = [entity for entity in entities if entity.type in encoder.types]
            whole = [entity for entity in known if entity.last < self.max_length]
            tags.append([number[tag] for tag in tags_of(whole, len(rows[-1]["words"]), "bioes")])
        x = {name: Ragged.from_rows([row[name] for row in rows], np.int32) for name in rows[0]}
        return x, Ragged.from_rows(tags, np.int32) if "tags" in examples else None

    def build(self, encoder: EntityEncoder) -> keras.Model:
        """Return the model from words to the scores of their tags."""
        from apps.nlp.taggers import tagger

        return tagger(
            encoder.types,
            len(encoder.vocabulary) + 2,
            len(encoder.characters) + 2,
            len(encoder.pieces) + 2,
            width=self.width,
            word_width=self.word_width,
            word_length=self.word_length,
            dropout=self.dropout,
            word_dropout=self.word_dropout,
        )

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model, and judge the entities of the validation part after each epoch."""
        from apps.nlp.judged_epochs import judged_each_epoch

        validation, encoder = training.splits.validation, training.encoder
        if not len(validation):
            return super().fit(training)

        def judged() -> dict[str, float]:
            return {"val_entity_f1": self.evaluate(training.model, encoder, validation)["entity_f1"]}

        history = super().fit(judged_each_epoch(training, judged))
        self._balance_outside(training.model, encoder, validation)
        return history

    def _balance_outside(self, model: keras.Model, encoder: EntityEncoder, validation: Examples) -> None:
        """Make being no entity as much less likely as is best for the F1 of the validation part.

        Likelihood counts words, most of which are no entity: where names are rare and new, a tagger that is
        true to it names too few of them.
        """
        scored, chain = self.emissions(model, encoder, self.words(validation)), chain_of(model, encoder)
        outside = np.eye(len(chain.tags), dtype=np.float32)[0]

        def f1(less: float) -> float:
            rows = [emissions - less * outside if len(emissions) else emissions for emissions in scored]
            return self.figures_of(encoder, validation, chain, rows)["entity_f1"]

        best = max(LESS_OUTSIDE, key=f1)
        last = model.get_layer("emissions")
        kernel, bias = last.get_weights()
        last.set_weights([kernel, bias - best * outside])

    def emissions(
        self, model: keras.Model, encoder: EntityEncoder, sentences: Sequence[Sequence[str]]
    ) -> list[np.ndarray]:
        """Return the scores of the tags of each sentence, float32, `(num_words, num_tags)`."""
        from keras import ops

        def score(batch: dict[str, np.ndarray]) -> np.ndarray:
            return ops.convert_to_numpy(model.predict_on_batch(batch))

        return emissions_of(sentences, self.word_ids(encoder), self.max_length, score)

    def evaluate(
        self, model: keras.Model, encoder: EntityEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the figures of entities over all sentences: right are those of the right words and type."""
        scored = self.emissions(model, encoder, self.words(examples))
        return self.figures_of(encoder, examples, chain_of(model, encoder), scored, write)

    @staticmethod
    def words(examples: Examples) -> list[list[str]]:
        """Return the words of each example."""
        return [words for words, _ in sentences_of(examples)]

    def cut(self, inputs: Sequence[Any]) -> list[Sequence[str]]:
        """Return the words of raw inputs: texts, or lists of words, which are cut already."""
        return [
            [word.text for word in words_of(each, self.split)] if isinstance(each, str) else each
            for each in inputs
        ]

    def figures_of(
        self,
        encoder: EntityEncoder,
        examples: Examples,
        chain: Chain,
        scored: Iterable[np.ndarray],
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of `evaluate`, from the scores of tags.

        Args:
            encoder: The encoder that the model was trained with.
            examples: What it is judged on.
            chain: Chooses tags by their scores.
            scored: The scores of the tags of each sentence, `(num_words, num_tags)`.
            write: Called with one row an example.
        """
        found = [[Entity(*each[:3]) for each in chain.entities(emissions)] for emissions in scored]
        return self._figures(encoder, examples, found, write)

    def _figures(
        self,
        encoder: EntityEncoder,
        examples: Examples,
        found: Iterable[Sequence[Entity]],
        write: Write | None = None,
    ) -> Figures:
        rows = []
        for row in rows_of(examples, found, encoder):
            if write:
                write(row)
            rows.append(row)
        answers = Tags.from_rows(rows)
        return {**answers.statistics(np.arange(len(rows))), "per_type": answers.per_type()}

    def predict(
        self, model: keras.Model, encoder: EntityEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return each text with its entities: their text, type, start, end, and how sure they are."""
        kind, chain = Text(), chain_of(model, encoder)
        texts = [kind.typed(str(text)) for text in inputs]
        words = [words_of(text, self.split) for text in texts]
        scored = self.emissions(model, encoder, [[word.text for word in each] for each in words])
        return [
            answer_of(text, each, chain.entities(emissions))
            for text, each, emissions in zip(texts, words, scored, strict=True)
        ]

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return what else is known of a sentence than its words and tags, which the answer shows."""
        values = super().shown(answer, examples, encoder)
        return {name: value for name, value in values.items() if name not in ("words", "tags")}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell sentences apart by: how many words and entities they have."""
        sentences = list(sentences_of(splits.test))
        return {
            "words": np.array([len(words) for words, _ in sentences]),
            "true entities": np.array([len(entities) for _, entities in sentences]),
        }

    def portable(self, model: keras.Model, encoder: EntityEncoder) -> Portable:
        """Return the graph from ids to scores of tags, with the chain by which its loader chooses them."""
        from apps.nlp.entities_export import portable_tagger

        chain = chain_of(model, encoder)
        known = encoder.model_dump(include={"types", "vocabulary", "characters", "pieces"})
        read = self.model_dump(include={"word_length", "max_length", "split"})
        return portable_tagger(
            model,
            chain,
            known | read,
            raw=self.words,
            score=lambda inputs: self.emissions(model, encoder, self.cut(inputs)),
            figures=lambda score, examples: self.figures_of(
                encoder, examples, chain, score(self.words(examples))
            ),
        )

    def baseline(
        self, encoder: EntityEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of names remembered from training, and of a linear chain on features by hand."""
        from apps.nlp.entity_rivals import crf_on_features, gazetteer

        train, test = (list(sentences_of(part)) for part in (splits.train, splits.test))
        sentences = [words for words, _ in test]
        rivals = {
            "CRF on word features": crf_on_features(train, sentences),
            "gazetteer": gazetteer(train, sentences),
        }
        return {
            name: self._figures(encoder, splits.test, found, written_by(name, write))
            for name, found in rivals.items()
        }


def chain_of(model: keras.Model, encoder: EntityEncoder) -> Chain:
    """Return what chooses tags by the scores that a model has learnt of tags beside each other."""
    from keras import ops

    return Chain(encoder.types, *(ops.convert_to_numpy(each) for each in model.get_layer("crf").scores()))


def rows_of(
    examples: Examples, found: Iterable[Sequence[Entity]], encoder: EntityEncoder
) -> Iterator[dict[str, Any]]:
    """Yield a row an example, as `Tags` reads it.

    Args:
        examples: What is judged.
        found: The entities that were found in each.
        encoder: Knows which entities training had.
    """
    texts = examples["text"].tolist()
    for number, ((words, true), predicted) in enumerate(zip(sentences_of(examples), found, strict=True)):
        yield {
            "row": number,
            "text": texts[number],
            "words": words,
            "true": tags_of(true, len(words)),
            "predicted": tags_of(predicted, len(words)),
            "seen": [name in encoder.seen for name in _named(words, true)],
        }


def _ranked(counts: Counter[str], least: int = 1) -> list[str]:
    """Return what was counted so often at the least, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [name for name, count in ranked if count >= least]


def _named(words: Sequence[str], entities: Iterable[Entity]) -> list[str]:
    """Return each entity after its type and a tab, blind to case."""
    return [
        entity.type + SEPARATOR + " ".join(map(word_key, words[entity.first : entity.last + 1]))
        for entity in entities
    ]


def _sample(split: Split) -> Examples:
    from apps.nlp.tagged import Sentence, examples_of, placed_entities
    from core.data.samples import filled_templates

    sentences, templates = [], []
    for filled in filled_templates():
        words = words_of(filled.text, split)
        entities, _ = placed_entities(filled.text, words, filled.spans)
        sentences.append(Sentence(filled.text, [word.text for word in words], entities))
        templates.append(str(filled.template))
    return examples_of(sentences, "the sample of filled templates").with_columns(template=templates)
