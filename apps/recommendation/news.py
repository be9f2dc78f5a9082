"""News: which of the articles that are shown to somebody they click, told from titles alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.recommendation.articles.encoder import TitleEncoder, vocabulary
from core.answers.impressions import Impressions
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import MethodError
from core.inputs import History, Input, Text
from core.task.contract import Ability, Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.recommendation.articles.encoder import NumberedImpressions
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.explanation import Explanation

SHOWN = 5  # titles of a history and of an order, in reports
NEW = Text(example="The long way home (1995): Drama Romance", rows=5)


class News(Task):
    """Orders the articles shown to somebody by the titles that they have clicked, new articles too (NRMS)."""

    encoder_class: ClassVar[type[Encoder]] = TitleEncoder
    content: ClassVar[tuple[str, ...]] = ("user", "time", "history", "candidates")
    takes: ClassVar[Mapping[str, Input]] = {"history": History(), "candidates": NEW}
    gives: ClassVar[type[Answers] | None] = Impressions
    figures: ClassVar[Mapping[str, Direction]] = Impressions.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain"})
    sample_licence: ClassVar[str | None] = "MovieLens 100K: research alone, not to be sold (GroupLens)"

    split_time: str | None = Field(
        "time", description="column by which the latest become the test part, where the source names no parts"
    )
    negatives: int = Field(4, ge=1, le=1024, description="titles shown and not clicked, beside a click")
    history_length: int = Field(50, ge=1, le=4096, description="latest titles of a history that are read")
    title_length: int = Field(24, ge=1, le=512, description="first words of a title that are read")
    least_titles: int = Field(1, ge=1, description="titles of training that a word must stand in to be known")
    width: int = Field(64, ge=2, le=2048, description="units of the vectors of words, titles and people")
    heads: int = Field(4, ge=1, le=64, description="of the self-attention over words, and over titles")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of units dropped while training")

    def load(self) -> Splits:
        """Return the impressions of a folder as MIND has it, or of the sample.

        Raises:
            UserError: The source is missing or no such folder, or has a bad line.
        """
        from dataclasses import replace

        from apps.recommendation.articles import reading, sample
        from core.data.tables import existing

        if self.data == "sample":
            return replace(self.divided(sample.films_as_news()), protocol=sample.PROTOCOL)
        folder = existing(self.data)
        parts, notes = reading.read_parts(folder, self._titles(), skip_bad=self.skip_bad)
        return self.divided(parts, notes)

    def _titles(self) -> dict[str, str]:
        """Return the titles of all articles that the source has."""
        from pathlib import Path

        from apps.recommendation.articles import reading, sample

        if self.data == "sample":
            return sample.headlines()
        return reading.read_titles(Path(self.data).expanduser())

    def encode(self, train: Examples) -> TitleEncoder:
        """Return the words of the titles that training saw, and all titles of the source."""
        titles = self._titles()
        seen = {item for name in ("history", "candidates") for text in train[name] for item in text.split()}
        words = vocabulary((titles[item] for item in sorted(seen)), self.least_titles)
        return TitleEncoder(words=words, titles=titles)

    def encode_from(self, train: Examples, source: TitleEncoder) -> TitleEncoder:
        """Return the words of the run that training starts from, with the titles of this source."""
        return source.model_copy(update={"titles": {**source.titles, **self._titles()}})

    def _with_titles_of(self, examples: Examples, encoder: TitleEncoder) -> TitleEncoder:
        """Return the encoder, with the titles of the source where it lacks those of the examples."""
        items = {
            item for name in ("history", "candidates") for text in examples[name] for item in text.split()
        }
        if items <= encoder.titles.keys():
            return encoder
        return TitleEncoder(words=encoder.words, titles={**encoder.titles, **self._titles()})

    def _numbered(self, examples: Examples, encoder: TitleEncoder) -> NumberedImpressions:
        return encoder.numbered(examples, self.history_length)

    def batches(self, examples: Examples, encoder: TitleEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of words of clicked titles and of candidates, the clicked one first."""
        from apps.recommendation.articles.batches import clicks_beside_others

        impressions = self._numbered(examples, encoder)
        return clicks_beside_others(impressions, encoder.table(self.title_length), self.negatives, feed)

    def build(self, encoder: TitleEncoder) -> keras.Model:
        """Return the net from the words of clicked titles and of candidates to scores."""
        from apps.recommendation.articles.encoder import FIRST_WORD
        from apps.recommendation.articles.layers import news_net

        return news_net(FIRST_WORD + len(encoder.words), self.width, self.heads, self.dropout)

    def loss(self, encoder: TitleEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of the clicked title among those drawn beside it."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self, encoder: TitleEncoder) -> list[keras.metrics.Metric]:
        """Return how often the clicked title has the highest score of those drawn beside it."""
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def evaluate(
        self, model: keras.Model, encoder: TitleEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return AUC, MRR, NDCG@5 and NDCG@10, each the mean over impressions."""
        from apps.recommendation.articles.reader import Reader

        encoder = self._with_titles_of(examples, encoder)
        impressions = self._numbered(examples, encoder)
        scores = Reader(model).scores(encoder.table(self.title_length), impressions)
        return _judged(scores, examples, impressions, write)

    def predict(
        self, model: keras.Model, encoder: TitleEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the candidates of each input, best first.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            inputs: Mappings with `history` (ids or titles, oldest first) and `candidates` (one a line).
            options: None are known.

        Raises:
            UserError: Nothing is known of a history, or of a candidate.
        """
        from apps.recommendation.articles.answers import answers
        from apps.recommendation.articles.reader import Reader

        lengths = {"title_length": self.title_length, "history_length": self.history_length}
        return answers(inputs, encoder, Reader(model), **lengths)

    def explain(
        self, model: keras.Model, encoder: TitleEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return how much each title of a history adds to the score of the candidate that stands first.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            value: A history and candidates.
            method: There is one: what the net would say without a title.

        Raises:
            MethodError: Another method is asked for.
            UserError: Nothing is known of the history, or of a candidate.
        """
        from apps.recommendation.articles.answers import asked
        from apps.recommendation.articles.explanations import explained_order
        from apps.recommendation.articles.reader import Reader

        if method not in (None, "occlusion"):
            raise MethodError(f"Histories are explained by occlusion. Received: {method!r}.")
        lengths = {"title_length": self.title_length, "history_length": self.history_length}
        [answer] = self.predict(model, encoder, [value])
        return explained_order(Reader(model), asked([value], encoder, **lengths), answer)

    def inputs(self, encoder: TitleEncoder) -> Mapping[str, Input]:
        """Return the kinds of inputs, with the articles that are known."""
        return {"history": History(encoder.titles), "candidates": NEW}

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: TitleEncoder
    ) -> dict[str, Any]:
        """Return the user, the titles of their history, what they clicked, and what stood first."""
        shown: dict[str, Any] = {"user": answer["user"]}
        if examples is None:
            return shown
        encoder = self._with_titles_of(examples.take([answer["row"]]), encoder)
        history = examples["history"][answer["row"]].split()[-SHOWN:]
        candidates = examples["candidates"][answer["row"]].split()
        order = np.argsort(-np.asarray(answer["scores"]), kind="stable")[:SHOWN]
        clicked = [item for item, each in zip(candidates, answer["clicked"], strict=True) if each]
        for name, items in (
            ("history", history),
            ("clicked", clicked),
            ("first", [candidates[place] for place in order]),
        ):
            shown[name] = "; ".join(encoder.titles[item] for item in items)
        return shown

    def slices(self, splits: Splits, encoder: TitleEncoder) -> dict[str, np.ndarray]:
        """Return how many titles each history has, and how many candidates were shown."""
        return {
            f"titles of the {said}": np.array([len(text.split()) for text in splits.test[name]])
            for said, name in (("history", "history"), ("impression", "candidates"))
        }

    def baseline(
        self, encoder: TitleEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of popularity lately, and of the likeness of titles to those of the history."""
        from apps.recommendation.articles import rivals

        train, test = (self._numbered(part, encoder) for part in (splits.train, splits.test))
        titles = ["", *encoder.titles.values()]
        known = np.unique(np.concatenate([train.history.values, train.candidates.values]))
        all_rivals = {
            "popularity lately": rivals.popularity_lately(train, splits.train["time"], test, len(titles)),
            "TF-IDF": rivals.title_similarity(titles, known, test),
        }
        return {
            name: _judged(scores, splits.test, test, written_by(name, write))
            for name, scores in all_rivals.items()
        }


def _judged(
    scores: Iterable[np.ndarray], examples: Examples, impressions: NumberedImpressions, write: Write | None
) -> Figures:
    """Return the figures of the scores of candidates, and write a row an impression."""
    rows = []
    for row, each in enumerate(scores):
        rows.append(
            {
                "row": row,
                "user": str(examples["user"][row]),
                "scores": [round(score, 6) for score in each.tolist()],
                "clicked": impressions.clicked[row].astype(int).tolist(),
            }
        )
        if write is not None:
            write(rows[-1])
    return Impressions.from_rows(rows).statistics(np.arange(len(rows)))
