"""Clicks: how likely a shown advertisement or item is to be clicked, from a row of categories and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.impressions.columns import (
    ClicksEncoder,
    Learning,
    learnt_columns,
    learnt_pairs,
    with_averages,
)
from apps.recommendation.impressions.row import OpenColumn, OpenRow
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.two_classes import TwoClasses, figures_of
from core.inputs.kind import Input
from core.task.classification import Classification
from core.task.contract import Ability, Encoder

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.recommendation.impressions.reading import Reading
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

NOT_COLUMNS = ("label", "row")


class Clicks(Classification):
    """Says how likely a click is, from named columns of categories and numbers.

    Example:

    ```
    quartet train recommendation/clicks data=impressions.parquet label_column=click split_time=shown_at
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = ClicksEncoder
    content: ClassVar[tuple[str, ...]] = ("row",)
    takes: ClassVar[Mapping[str, Input]] = {"row": OpenRow()}
    gives: ClassVar[type[Answers] | None] = TwoClasses
    figures: ClassVar[Mapping[str, Direction]] = TwoClasses.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export", "calibrate"})
    objective: ClassVar[str] = "val_log_loss"
    direction: ClassVar[Direction] = "min"
    sample_licence: ClassVar[str | None] = "MovieLens (research; no commercial use without permission)"

    label_column: str | None = Field(
        None,
        description="column of clicks, by name, or by position from 0 in a file without a header; by default "
        "label, click, clicked, is_click or target",
    )
    positive: str | None = Field(
        None, description="value that means a click; by default 1, true, yes or click, else the rarer one"
    )
    names: list[str] = Field(
        [], description="of the columns of a file without a header, the label among them"
    )
    categories: list[str] = Field([], description="columns of numbers that name something, such as a person")
    numbers: list[str] = Field([], description="columns that are amounts, though they are named like ids")
    ignored: list[str] = Field([], description="columns that are no features")
    separator: str = Field("|", description="between several values of one column; empty where there is none")
    most_values: int = Field(20, ge=1, le=1000, description="values that are read of a column of several")
    method: Literal["auto", "logistic", "factorisation", "deepfm", "cross", "boosted"] = Field(
        "auto",
        description="values alone; in pairs; in pairs beside a deep net; by crosses beside one; by trees; "
        "auto: trees where they beat a logistic regression on rows held out of training, else deepfm",
    )
    min_count: int = Field(2, ge=1, description="a value that stands more rarely in training is pooled")
    buckets: int | None = Field(
        None,
        ge=1,
        description="hash the values of each column of categories into so many, without a vocabulary",
    )
    pairs: Literal["auto"] | list[tuple[str, str]] = Field(
        "auto",
        description="of columns of categories: how often two values stood together in training is a column; "
        "auto takes the two of most values, where pairs of them come again",
    )
    bins: int = Field(32, ge=2, le=1024, description="of a column of numbers, each with about as many rows")
    dim: int = Field(16, ge=1, le=512, description="length of the vector of a value")
    width: int = Field(128, ge=1, le=4096, description="units of a hidden layer")
    depth: int = Field(2, ge=1, le=8, description="hidden layers, and layers of crosses")
    penalty: float = Field(0.0, ge=0, description="on the squares of the vectors of a row's values")
    trees: int = Field(300, ge=1, le=10_000, description="of boosted, grown in as many parts as epochs")
    shrinkage: float = Field(0.06, gt=0, le=1, description="how much of its part a tree says; boosted only")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of units and of numbers in vectors dropped")

    def load(self) -> Splits:
        """Return the rows in their parts."""
        if self.data == "sample":
            from apps.recommendation.impressions.sample import liked_films

            return self.divided({"train": liked_films()})
        from apps.recommendation.impressions.reading import read_parts

        parts, notes = read_parts(self.data, self.reading)
        return self.divided(parts, notes)

    @property
    def reading(self) -> Reading:
        """How tables are read."""
        from apps.recommendation.impressions.reading import Reading

        return Reading(
            self.label_column,
            self.names,
            self.categories,
            self.numbers,
            self.separator,
            self.skip_bad,
            self.buckets,
        )

    def encode(self, train: Examples) -> ClicksEncoder:
        """Return the two labels, and the vocabularies, bins and scales of the columns."""
        from apps.recommendation.impressions.labels import no_click_and_click

        labels = no_click_and_click(train, self.positive)
        named = [name for name in train.columns if name not in NOT_COLUMNS]
        passed_over = [name for name in named if name in (*self.ignored, self.split_time)]
        columns, left_out = learnt_columns(
            train, [name for name in named if name not in passed_over], self.learning
        )
        encoder = ClicksEncoder(
            labels=labels,
            columns=columns,
            pairs=learnt_pairs(train, columns, self.pairs),
            passed_over=[
                *passed_over,
                *left_out,
                "label",
                *([self.label_column] if self.label_column else []),
            ],
            left_out=left_out,
            rate=float(np.mean(train["label"] == labels[1])),
            counts=[],
        )
        encoder = with_averages(encoder, train)
        if self.method != "auto":
            return encoder
        from apps.recommendation.impressions.choosing import judged

        return encoder.model_copy(update={"tried": judged(encoder, train, self.split_seed)})

    def settled(self, encoder: ClicksEncoder) -> str:
        """Return the method, or what `auto` has found to be the better."""
        if self.method != "auto":
            return self.method
        return "boosted" if next(iter(encoder.tried)) == "boosted trees" else "deepfm"

    @property
    def learning(self) -> Learning:
        """How columns become ids and numbers."""
        fields = ("min_count", "bins", "buckets", "separator", "most_values")
        return Learning(**{name: getattr(self, name) for name in fields})

    def left_out(self, splits: Splits, encoder: ClicksEncoder) -> Sequence[str]:
        """Return which columns say nothing, and how many values of the test part training never saw."""
        from apps.recommendation.impressions.columns import notes_of_columns

        return notes_of_columns(encoder, splits)

    def inputs(self, encoder: ClicksEncoder) -> Mapping[str, Input]:
        """Return rows of the columns that training saw."""
        from apps.recommendation.impressions.columns import suggested

        columns = []
        for column in encoder.columns:
            values = suggested(column)
            kind = "number" if column.kind == "number" else "choice" if values else "text"
            columns.append(
                OpenColumn(
                    name=column.name,
                    kind=kind,
                    choices=values,
                    low=column.low,
                    high=column.high,
                    typical=column.typical,
                    separator=column.separator,
                )
            )
        return {"row": OpenRow(tuple(columns), tuple(encoder.passed_over))}

    def read(self, inputs: list[Any]) -> Examples:
        """Return rows by name as columns."""
        from apps.recommendation.impressions.slots import columns_of
        from core.data.examples import Examples

        return Examples(columns_of(inputs, self.separator or "|"), "the inputs")

    def features(self, examples: Examples, encoder: ClicksEncoder) -> dict[str, np.ndarray]:
        """Return the ids and numbers of rows."""
        return encoder.features(examples)

    def batches(self, examples: Examples, encoder: ClicksEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of features and one-hot labels; in training no row counts itself."""
        return super().batches(examples, encoder.model_copy(update={"own": feed.training}), feed)

    def build(self, encoder: ClicksEncoder) -> keras.Model:
        """Return the model from ids and numbers to the logits of no click and of a click."""
        from apps.recommendation.impressions.nets import Shape, Sizes, click_model

        shape = Shape(
            [field.slots for field in encoder.read_fields],
            encoder.num_ids,
            len(encoder.average),
            float(np.log(encoder.rate / (1 - encoder.rate))),
        )
        method = self.settled(encoder)
        if method == "boosted":
            from apps.recommendation.impressions.trees import places_of, tree_model

            return tree_model(shape, places_of(encoder), self.trees)
        sizes = Sizes(self.dim, self.width, self.depth, self.dropout, self.penalty)
        return click_model(shape, sizes, method)

    @property
    def learns_by_gradient(self) -> bool:
        """Whether the model is sure to be a net, and no trees."""
        return self.method not in ("auto", "boosted")

    def fit(self, training: Training) -> keras.callbacks.History:
        """Learn by gradient from a logistic regression on, or grow trees."""
        if self.settled(training.encoder) != "boosted":
            if (training.resume.epoch, training.resume.step) == (0, 0):
                self._begin_with_regression(training)
            return super().fit(training)
        from apps.recommendation.impressions.trees import grow

        return grow(self, training, self.trees, self.shrinkage)

    def _begin_with_regression(self, training: Training) -> None:
        from apps.recommendation.impressions import regression

        train, encoder = training.splits.train, training.encoder.model_copy(update={"own": True})
        train = train.take(regression.evenly(len(train)))
        clicks = encoder.ids(train["label"], train.source)
        fitted = regression.fitted(encoder, encoder.features(train), clicks)
        regression.put(training.model, fitted, encoder.num_ids)

    def metrics(self, encoder: ClicksEncoder) -> list[keras.metrics.Metric]:
        """Return the log loss, which is the loss without the penalty."""
        import keras

        return [keras.metrics.CategoricalCrossentropy(name="log_loss", from_logits=True)]

    def evaluate(
        self, model: keras.Model, encoder: ClicksEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return AUC, log loss, normalised entropy and calibration over all rows."""
        targets = encoder.ids(examples["label"], examples.source)
        return figures_of(targets, self.probabilities(model, encoder, examples), encoder.labels, write)

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the values of the row."""
        values = super().shown(answer, examples, encoder)
        return {name: value for name, value in values.items() if name not in NOT_COLUMNS}

    def slices(self, splits: Splits, encoder: ClicksEncoder) -> dict[str, np.ndarray]:
        """Return the columns that rows can be told apart by."""
        columns = super().slices(splits, encoder)
        hashed = {name for name, column in columns.items() if column.dtype == np.int32}
        return {name: column for name, column in columns.items() if name not in (*NOT_COLUMNS, *hashed)}

    def explain(
        self, model: keras.Model, encoder: ClicksEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return what each column adds to the log-odds of a click, as against the average of training."""
        from apps.recommendation.impressions.explanation import explained_row

        # Trees have no gradient.
        methods = ("integrated_gradients", "occlusion")[self.settled(encoder) == "boosted" :]
        answer = self.predict(model, encoder, [value])[0]
        features = encoder.features(self.read([value]))
        return explained_row(model, encoder, features, value, answer, methods, method)

    def portable(self, model: keras.Model, encoder: ClicksEncoder) -> Portable:
        """Return the graph from ids and numbers to probabilities."""
        from apps.recommendation.impressions.export import portable_clicks

        return portable_clicks(self, model, encoder, self.separator or "|")

    def baseline(
        self, encoder: ClicksEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of logistic regression on single values, and of gradient-boosted trees."""
        from apps.recommendation.impressions.regression import MOST_ROWS, evenly
        from apps.recommendation.impressions.rivals import boosted_trees, logistic_regression

        train, test = splits.train, splits.test
        few = f" on {MOST_ROWS:,} rows" if len(train) > MOST_ROWS else ""
        train = train.take(evenly(len(train)))
        plain = encoder.without_pairs()
        rows, others = plain.features(train), plain.features(test)
        clicks, targets = (encoder.ids(part["label"], part.source) for part in (train, test))
        rivals = {f"logistic regression{few}": logistic_regression, f"boosted trees{few}": boosted_trees}
        return {
            name: figures_of(
                targets, rival(plain, rows, clicks, others), encoder.labels, written_by(name, write)
            )
            for name, rival in rivals.items()
        }
