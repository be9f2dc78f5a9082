"""Answers: the words of a text that answer a question about it, or that none do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.nlp.comprehension.questions import SUFFIXES, examples_of, read_questions
from apps.nlp.comprehension.windows import (
    LONGEST_QUESTION,
    NO_SPAN,
    Found,
    Score,
    answer_of,
    best_of,
    cut,
    grids,
    padded,
    pairs_of,
    spelt,
)
from apps.nlp.word_ids import WordIds, pieces_of, word_key
from apps.nlp.words import Split, words_of
from core.answers import kind
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.spans import Spans
from core.errors import MethodError, UserError
from core.inputs import Input, Text
from core.task.contract import Ability, Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

PIECE_COUNT = 2  # shapes, beginnings and ends of words in fewer training texts are unknown
QUESTION = "Who wrote the letter?"
CONTEXT = "Ann Miller wrote a letter to her brother in Berlin."


class AnswerEncoder(Encoder):
    """The words and characters that the model knows, and whether a question may have no answer."""

    vocabulary: list[str] = Field(description="words by falling frequency")
    characters: list[str] = Field(description="characters by falling frequency")
    pieces: list[str] = Field(description="shapes, beginnings and ends of words by falling frequency")
    may_be_silent: bool = Field(
        description="whether training has questions that their context doesn't answer"
    )


class Answers(Task):
    """Finds the answer to a question in a text, or says that the text has none.

    Example:

    ```
    quartet train nlp/answers data=train-v2.0.json test_data=dev-v2.0.json
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = AnswerEncoder
    content: ClassVar[tuple[str, ...]] = ("question", "context")
    takes: ClassVar[Mapping[str, Input]] = {
        "question": Text(example=QUESTION, rows=2),
        "context": Text(example=CONTEXT),
    }
    gives: ClassVar[type[kind.Answers] | None] = Spans
    figures: ClassVar[Mapping[str, Direction]] = Spans.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export"})
    objective: ClassVar[str] = "val_f1"
    direction: ClassVar[Direction] = "max"
    sample_licence: ClassVar[str | None] = "MovieLens 100K: research alone, not to be sold (GroupLens)"

    validation_data: str | None = Field(None, description="file of the validation part, beside data=FILE")
    test_data: str | None = Field(None, description="file of the test part, likewise")
    split: Split = Field("words", description="characters for languages that write no blanks")
    max_length: int = Field(
        384, ge=2, le=8192, description="words of a context that are read at once; longer ones in windows"
    )
    longest_answer: int = Field(16, ge=1, le=256, description="words of an answer, at most")
    vocabulary_size: int = Field(30_000, ge=2, description="words that are known, at most")
    min_count: int = Field(2, ge=1, description="words in fewer training texts are unknown")
    word_length: int = Field(16, ge=2, le=64, description="characters that are read of a word")
    width: int = Field(96, ge=4, le=1024, description="units of the recurrent states in each direction")
    word_width: int = Field(64, ge=4, le=1024, description="units of a word's vector, and of its spelling")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of units dropped")
    word_dropout: float = Field(
        0.1, ge=0, lt=1, description="share of words that are known by their characters alone while training"
    )

    def load(self) -> Splits:
        """Return the questions in their parts; those about one document stay together, if nothing else."""
        grouped = self if self.split_group or self.split_time else self._split_by("document")
        if self.data == "sample":
            return grouped.divided({"train": _sample()})
        if self.data.startswith("tfds:"):
            raise UserError(
                "Questions are read from files: give a path to JSON of SQuAD or QAMR, or JSON lines. "
                f"Received: {self.data}."
            )
        read = {part: read_questions(path, skip_bad=self.skip_bad) for part, path in self._paths().items()}
        notes = [note for _, notes in read.values() for note in notes]
        return grouped.divided({part: examples for part, (examples, _) in read.items()}, notes)

    def _split_by(self, group: str) -> Answers:
        return self.model_copy(update={"split_group": group})

    def _paths(self) -> dict[str, Any]:
        from core.data.tables import existing, part_paths

        path = existing(self.data)
        given = {"validation": self.validation_data, "test": self.test_data}
        beside = {part: existing(other) for part, other in given.items() if other is not None}
        if beside and path.is_dir():
            raise UserError(
                "validation_data and test_data stand beside a file of training data. "
                f"Received: data={self.data}, a folder."
            )
        return {**part_paths(path, SUFFIXES), **beside}

    def encode(self, train: Examples) -> AnswerEncoder:
        """Return the words and characters of the training questions and texts."""
        words, characters, pieces = Counter[str](), Counter[str](), Counter[str]()
        texts = [*train["question"].tolist(), *dict.fromkeys(train["context"].tolist())]
        for text in texts:
            own = spelt(words_of(text, self.split))
            words.update({word_key(word) for word in own})
            characters.update("".join(own))
            pieces.update({piece for each in pieces_of(own, self.split) for piece in each})
        lengths = train.ragged("spans").lengths
        if not lengths.any():
            raise UserError(f"No question has an answer in the training part of {train.source}.")
        return AnswerEncoder(
            vocabulary=_ranked(words, self.min_count)[: self.vocabulary_size],
            characters=_ranked(characters, 1),
            pieces=_ranked(pieces, PIECE_COUNT)[: self.vocabulary_size],
            may_be_silent=not lengths.all(),
        )

    def encode_from(self, train: Examples, source: AnswerEncoder) -> AnswerEncoder:
        """Return whether there is always an answer, and the words that the weights know."""
        shared = source.model_dump(include={"vocabulary", "characters", "pieces"})
        return self.encode(train).model_copy(update=shared)

    def left_out(self, splits: Splits, encoder: AnswerEncoder) -> Sequence[str]:
        """Return a note of how many training answers are longer than those that can be given."""
        from apps.nlp.comprehension.batches import answer_lengths

        longer = np.mean(answer_lengths(splits.train, self.split) > self.longest_answer)
        if not longer:
            return ()
        share = f"{longer:.1%} of the training answers are longer than {self.longest_answer} {self.split}"
        return (f"{share}, of which their beginning is learnt: longest_answer sets how many",)

    def word_ids(self, encoder: AnswerEncoder) -> WordIds:
        """Return what makes ids of words."""
        known = encoder.vocabulary, encoder.characters, encoder.pieces
        return WordIds(*known, self.word_length, self.split)

    def count(self, examples: Examples, encoder: AnswerEncoder) -> int:
        """Return the number of windows over the contexts of all questions."""
        from apps.nlp.comprehension.batches import num_windows

        return num_windows(examples, self.split, self.max_length)

    def batches(self, examples: Examples, encoder: AnswerEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of questions and windows, with the places of the answers among the spans."""
        from apps.nlp.comprehension.batches import windows_and_targets

        x, y, lengths = windows_and_targets(
            examples, self.word_ids(encoder), window=self.max_length, longest=self.longest_answer
        )
        return feed.batches(x, y, lengths=lengths)

    def build(self, encoder: AnswerEncoder) -> keras.Model:
        """Return the model from words of both texts to the scores of spans."""
        from apps.nlp.comprehension.reader import reader

        return reader(
            len(encoder.vocabulary) + 2,
            len(encoder.characters) + 2,
            len(encoder.pieces) + 2,
            width=self.width,
            word_width=self.word_width,
            word_length=self.word_length,
            longest=self.longest_answer,
            dropout=self.dropout,
            word_dropout=self.word_dropout,
        )

    def loss(self, encoder: AnswerEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of spans beside the choices of all annotators."""
        from core.losses import AnnotatorsCrossentropy

        return AnnotatorsCrossentropy()

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model, judge its answers after each epoch, and choose when to be silent."""
        from apps.nlp.judged_epochs import judged_each_epoch

        validation, encoder = training.splits.validation, training.encoder
        if not len(validation):
            return super().fit(training)

        def judged() -> dict[str, float]:
            figures = self.evaluate(training.model, encoder, validation)
            return {f"val_{name}": figures[name] for name in self.figures}

        history = super().fit(judged_each_epoch(training, judged))
        if encoder.may_be_silent:
            self._choose_silence(training.model, encoder, validation)
        return history

    def _choose_silence(self, model: keras.Model, encoder: AnswerEncoder, validation: Examples) -> None:
        """Make no answer as much likelier, or less so, as is best for the F1 of the validation part."""
        from apps.nlp.comprehension.silence import silence_threshold

        scored = self.grids(model, encoder, validation)
        answers = self._spans(validation, [best_of(grid, may_be_silent=False) for grid in scored])
        best = np.array([grid.max(initial=NO_SPAN) for grid in scored])
        has_words = best > NO_SPAN
        if not has_words.any():
            return
        worth = answers.f1[has_words], ~answers.answerable[has_words]
        none = model.get_layer("spans").none
        kernel, bias = none.get_weights()
        none.set_weights([kernel, bias + silence_threshold(best[has_words], *worth)])

    def grids(self, model: keras.Model, encoder: AnswerEncoder, examples: Examples) -> list[np.ndarray]:
        """Return the scores of the spans of each question, as `windows.grids` does."""
        return self.scores(model, encoder, raw_inputs(examples))

    def scores(
        self, model: keras.Model, encoder: AnswerEncoder, inputs: Sequence[Mapping[str, str]]
    ) -> list[np.ndarray]:
        """Return the scores of the spans of each raw input."""
        return grids(
            pairs_of(inputs, self.split),
            self.word_ids(encoder),
            window=self.max_length,
            longest=self.longest_answer,
            score=scores_by(model),
        )

    def evaluate(
        self, model: keras.Model, encoder: AnswerEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return exact match and F1 over all questions, each beside the true answer that is nearest to it."""
        return self.figures_of(encoder, examples, self.grids(model, encoder, examples), write)

    def figures_of(
        self,
        encoder: AnswerEncoder,
        examples: Examples,
        scored: Iterable[np.ndarray],
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of `evaluate`, from the scores of spans.

        Args:
            encoder: The encoder that the model was trained with.
            examples: What it is judged on.
            scored: The scores of the spans of each question, `(num_words, longest)`.
            write: Called with one row an example.
        """
        return self._figures(examples, [best_of(grid, encoder.may_be_silent) for grid in scored], write)

    def _figures(self, examples: Examples, found: Iterable[Found], write: Write | None = None) -> Figures:
        answers = self._spans(examples, found, write)
        return {**answers.statistics(np.arange(len(answers))), "per_word": answers.per_word()}

    def _spans(self, examples: Examples, found: Iterable[Found], write: Write | None = None) -> Spans:
        rows = []
        contexts = examples["context"].tolist()
        questions = zip(examples["question"].tolist(), contexts, cut(contexts, self.split), strict=True)
        for number, ((question, context, words), each) in enumerate(zip(questions, found, strict=True)):
            answer = answer_of(context, words, each)
            row = {
                "row": number,
                "question": question,
                "true": [context[start:end] for start, end in examples.ragged("spans")[number].tolist()],
                "predicted": answer["answer"],
                "start": answer["start"],
                "end": answer["end"],
                "probability": answer["probability"],
                "units": self.split,
            }
            if write:
                write(row)
            rows.append(row)
        return Spans.from_rows(rows)

    def predict(
        self, model: keras.Model, encoder: AnswerEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the answer to each question, where it stands in its context, and how sure it is."""
        kinds = self.takes
        read = [{name: kinds[name].typed(str(each[name])) for name in kinds} for each in inputs]
        scored = self.scores(model, encoder, read)
        return [
            answer_of(
                each["context"], words_of(each["context"], self.split), best_of(grid, encoder.may_be_silent)
            )
            for each, grid in zip(read, scored, strict=True)
        ]

    def explain(
        self, model: keras.Model, encoder: AnswerEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return what each word of the question and of its context adds to the log-odds of the answer.

        Of a long context it is the window that holds the answer.
        """
        from apps.nlp.comprehension.explanation import window_around, words_left_out

        if method not in (None, "occlusion"):
            raise MethodError(f"Answers are explained by occlusion alone. Received: {method!r}.")
        answer = self.predict(model, encoder, [value])[0]
        [(question, context)] = pairs_of([value], self.split)
        if not context:
            raise UserError(f"A context without any word has no explanation. Received: {value['context']!r}.")
        found = best_of(self.scores(model, encoder, [value])[0], encoder.may_be_silent)
        start = window_around(found, len(context), self.max_length)
        pair = question[:LONGEST_QUESTION], context[start : start + self.max_length]
        place = 1 + (found.first - start) * self.longest_answer + found.last - found.first
        batch = padded([pair], self.word_ids(encoder))
        return words_left_out(batch, pair, place if found.first >= 0 else 0, scores_by(model), answer)

    def portable(self, model: keras.Model, encoder: AnswerEncoder) -> Portable:
        """Return the graph from the words of both texts to the scores of spans."""
        from apps.nlp.comprehension.export import portable_reader

        read = self.model_dump(include={"word_length", "max_length", "longest_answer", "split"})
        return portable_reader(
            model,
            encoder.model_dump() | read,
            raw=raw_inputs,
            score=lambda inputs: self.scores(model, encoder, inputs),
            figures=lambda score, examples: self.figures_of(encoder, examples, score(raw_inputs(examples))),
        )

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the context of a question, which the answer shows with it."""
        values = super().shown(answer, examples, encoder)
        return {name: value for name, value in values.items() if name == "context"}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell questions apart by: how long they are, and their contexts."""
        return {
            f"words in the {name}": np.array(
                [len(words) for words in cut(splits.test[name].tolist(), self.split)]
            )
            for name in self.content
        }

    def baseline(
        self, encoder: AnswerEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of logistic regression over all spans, and of a sliding window."""
        from apps.nlp.comprehension.rivals import regression, sliding_window

        rivals = {"logistic regression over spans": regression, "sliding window": sliding_window}
        return {
            name: self._figures(
                splits.test, rival(splits.train, splits.test, self.split), written_by(name, write)
            )
            for name, rival in rivals.items()
        }


def scores_by(model: keras.Model) -> Score:
    """Return what scores a batch by a model."""
    from keras import ops

    return lambda batch: ops.convert_to_numpy(model.predict_on_batch(batch))


def raw_inputs(examples: Examples) -> list[dict[str, str]]:
    """Return the questions and contexts of examples as `predict` takes them."""
    columns = (examples[name].tolist() for name in ("question", "context"))
    return [{"question": question, "context": context} for question, context in zip(*columns, strict=True)]


def _ranked(counts: Counter[str], least: int) -> list[str]:
    """Return what was counted so often at the least, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [name for name, count in ranked if count >= least]


def _sample() -> Examples:
    from apps.nlp.comprehension.films import SOURCE, films_of, questions_about
    from core.data.samples import movielens_films

    films = movielens_films()
    columns = (films[name].tolist() for name in ("title", "year", "genres", "people"))
    return examples_of(questions_about(films_of(*columns)), SOURCE)
