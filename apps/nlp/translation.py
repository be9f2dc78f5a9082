"""Translation: texts of one language in another, by a Transformer that reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from apps.nlp.subwords.learnt import SubwordVocabulary, learnt_subwords
from apps.nlp.subwords.subwords import Kind
from apps.nlp.translator.asked import Searched, search_of
from apps.nlp.translator.documents import scripts_of
from apps.nlp.translator.translating import Translator
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.texts import Translations
from core.errors import UserError
from core.inputs import Input, Text
from core.task.contract import Ability, Encoder, Options, Task
from core.wording import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.nlp.translator.pairs import Pairs
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.explanation import Explanation
    from core.task.portable import Portable

SIGNATURE = "BLEU as of sacreBLEU: nrefs:1|case:mixed|eff:no|tok:13a, ideographs one by one|smooth:exp"
MEMORY, WORD_FOR_WORD = "nearest in the translation memory", "word for word by IBM model 1"


class TranslationEncoder(Encoder):
    """The sub-words of both sides, and the scripts of the texts that are read."""

    vocabulary: SubwordVocabulary
    scripts: list[str] = Field(description="of the letters in the training texts")


class Translation(Task):
    """Translates texts as the pairs do that it was trained on.

    Example:

    ```
    quartet train nlp/translation data=multi30k source=en target=de test_name=test_2016_flickr
    quartet predict runs/mine "Two dogs play in the snow." --option beams=8
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = TranslationEncoder
    content: ClassVar[tuple[str, ...]] = ("source",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(column="source", example="Open the file.")}
    gives: ClassVar[type[Answers] | None] = Translations
    figures: ClassVar[Mapping[str, Direction]] = Translations.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream", "explain", "export"})
    options: ClassVar[type[Options]] = Searched
    sample_licence: ClassVar[str | None] = "BSD 3-Clause (messages of JupyterLab and its extensions)"

    source: str = Field(
        "source", description="ending of the files, column, or language of the texts that are read"
    )
    target: str = Field("target", description="likewise of their translations")
    test_name: str | None = Field(
        None, description="of several parallel test files: the name of those to judge on, without ending"
    )
    subwords: Kind = Field("bpe", description="what both sides are cut into: bpe, unigram, bytes, characters")
    vocabulary_size: int = Field(6000, ge=2, le=2**17, description="sub-words that are known, at most")
    max_length: int = Field(
        128, ge=4, le=1024, description="tokens of a text; longer pairs are left out of training"
    )
    depth: int = Field(4, ge=1, le=64, description="blocks that read")
    decoder_depth: int | None = Field(
        None, ge=1, le=64, description="blocks that write; by default as many as read"
    )
    width: int = Field(128, ge=2, le=4096, description="units of a token")
    heads: int = Field(4, ge=1, le=64, description="of attention")
    normalization: Literal["rms", "layer"] = Field(
        "rms", description="before attention and net of each block"
    )
    activation: Literal["swiglu", "gelu"] = Field("swiglu", description="of the net of each block")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of units dropped")
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="share of each target that is spread over all sub-words"
    )

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Translation:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of twice the heads, {2 * self.heads}")
        return self

    def load(self) -> Splits:
        """Return the pairs of texts in their parts."""
        from apps.nlp.translator.parallel import read_parts, without_blanks
        from core.data.samples import program_messages
        from core.data.sources import PREFIX, read_tfds

        notes: list[str] = []
        if self.data == "sample":
            parts = {"train": program_messages()}
        elif self.data.startswith(PREFIX):
            read = read_tfds(self.data, {"source": (self.source,), "target": (self.target,)})
            parts = {}
            for part, examples in read.items():
                parts[part], blank = without_blanks(examples, f"{part} of {self.data}")
                notes += blank
        else:
            parts, notes = read_parts(
                self.data, self.source, self.target, test_name=self.test_name, skip_bad=self.skip_bad
            )
        splits = self.divided(parts, notes)
        return replace(splits, protocol=f"{splits.protocol}; {SIGNATURE}")

    def encode(self, train: Examples) -> TranslationEncoder:
        """Return the sub-words of both sides together, and the scripts of the texts."""
        # Pieces are learnt of words within a text, before which there is a blank.
        texts = (f" {text}" for side in ("source", "target") for text in train[side])
        vocabulary = learnt_subwords(texts, self.subwords, self.vocabulary_size)
        return TranslationEncoder(vocabulary=vocabulary, scripts=_scripts(train))

    def encode_from(self, train: Examples, source: TranslationEncoder) -> TranslationEncoder:
        """Return the sub-words that the weights know."""
        return source.model_copy(update={"scripts": sorted({*source.scripts, *_scripts(train)})})

    def left_out(self, splits: Splits, encoder: TranslationEncoder) -> Sequence[str]:
        """Return how many pairs are too long to learn from, and how many texts are in a script unknown."""
        notes = []
        for name, part in (("train", splits.train), ("validation", splits.validation)):
            lost = len(part) - (len(self.pairs(part, encoder)) if len(part) else 0)
            if lost:
                longer = f"that are longer than {self.max_length} tokens"
                notes.append(f"{counted(lost, 'pair')} of {name} left out {longer}")
        known = frozenset(encoder.scripts)
        strange = [found for text in splits.test["source"] if (found := scripts_of([str(text)]) - known)]
        if strange:
            names = ", ".join(sorted(set().union(*strange)))
            notes.append(f"{counted(len(strange), 'text')} of test in a script unknown to training: {names}")
        return notes

    def pairs(self, examples: Examples, encoder: TranslationEncoder) -> Pairs:
        """Return the pairs that are short enough, as ids."""
        from apps.nlp.translator.pairs import pairs_of

        pairs = pairs_of(examples, encoder.vocabulary.subwords, self.max_length)
        if not len(pairs):
            raise UserError(
                f"No pair of {examples.source} has at most {self.max_length} tokens a side: set a larger "
                f"max_length. Received: {counted(len(examples), 'pair')}."
            )
        return pairs

    def count(self, examples: Examples, encoder: TranslationEncoder) -> int:
        """Return how many pairs an epoch has."""
        return len(self.pairs(examples, encoder))

    def batches(self, examples: Examples, encoder: TranslationEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of pairs, of like length in training, padded to one of few lengths."""
        from apps.nlp.translator.pairs import batches

        return batches(self.pairs(examples, encoder), feed)

    def build(self, encoder: TranslationEncoder) -> keras.Model:
        """Return the model from both sides to the logits of the target's next tokens."""
        from apps.nlp.translator.net import encoder_decoder

        return encoder_decoder(
            encoder.vocabulary.subwords.size,
            depth=self.depth,
            decoder_depth=self.decoder_depth,
            width=self.width,
            num_heads=self.heads,
            normalization=self.normalization,
            activation=self.activation,
            dropout=self.dropout,
        )

    def loss(self, encoder: TranslationEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of the next tokens, with smoothed labels."""
        from core.losses import SequenceCrossentropy

        return SequenceCrossentropy(label_smoothing=self.label_smoothing, from_logits=True)

    def translator(self, model: keras.Model, encoder: TranslationEncoder) -> Translator:
        """Return what translates texts by a trained model."""
        return Translator(search_of(model), encoder.vocabulary.subwords, self.max_length, encoder.scripts)

    def evaluate(
        self, model: keras.Model, encoder: TranslationEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return BLEU and chrF of the translations, and how long they are beside those of people."""
        sources = [str(text) for text in examples["source"]]
        found = self.translator(model, encoder).sentences(sources, Searched())
        return _figures(examples, [each.texts[0] for each in found], write)

    def predict(
        self, model: keras.Model, encoder: TranslationEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the translation of each text as `text`, with notes where there is something to know."""
        return self.translator(model, encoder).answers(_typed(inputs), options or Searched())

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        """Yield a translation as it is written."""
        (text,) = _typed([value])
        yield from self.translator(model, encoder).states(text, options or Searched())

    def explain(
        self, model: keras.Model, encoder: TranslationEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return how much a translation needs each word of its text, and where each of its words comes from.

        Raises:
            UserError: The text has more than one sentence to translate, or none.
        """
        from apps.nlp.translator.alignment import explained_translation

        (text,) = _typed([value])
        translator = self.translator(model, encoder)
        (answer,) = translator.answers([text], Searched())
        sentence = translator.only_sentence(text)
        return explained_translation(model, encoder.vocabulary.subwords, sentence, answer, method)

    def portable(self, model: keras.Model, encoder: TranslationEncoder) -> Portable:
        """Return a graph that reads and one that writes, with the search around them."""
        from apps.nlp.translator.export import portable_translator

        return portable_translator(model, self.translator(model, encoder), _figures)

    def baseline(
        self, encoder: TranslationEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a translation memory's nearest neighbour, and of words by IBM model 1."""
        from apps.nlp.translator.memory import nearest_translations
        from apps.nlp.translator.word_for_word import WordForWord

        sources, targets = ([str(text) for text in splits.train[side]] for side in ("source", "target"))
        texts = [str(text) for text in splits.test["source"]]
        lexicon = WordForWord(sources, targets)
        rivals = {
            MEMORY: nearest_translations(sources, targets, texts),
            WORD_FOR_WORD: [lexicon.translated(text) for text in texts],
        }
        return {
            name: _figures(splits.test, predicted, written_by(name, write))
            for name, predicted in rivals.items()
        }


def _figures(examples: Examples, predicted: Sequence[str], write: Write | None = None) -> Figures:
    rows = [
        {"row": row, "source": str(source), "true": [str(true)], "predicted": text}
        for row, (source, true, text) in enumerate(
            zip(examples["source"], examples["target"], predicted, strict=True)
        )
    ]
    for row in rows:
        if write:
            write(row)
    answers = Translations.from_rows(rows)
    return {**answers.statistics(np.arange(len(rows))), "length_ratio": answers.length_ratio}


def _scripts(examples: Examples) -> list[str]:
    return sorted(scripts_of([str(text) for text in examples["source"]]))


def _typed(inputs: Sequence[Any]) -> list[str]:
    from apps.nlp.corpus.cleaning import cleaned

    kind = Text()
    return [cleaned(kind.typed(str(value))) for value in inputs]
