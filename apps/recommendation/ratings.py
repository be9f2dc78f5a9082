"""Ratings: what a user will think of an item, as a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.factors.collaborative import CollaborativeFiltering
from core.answers.kind import Answers
from core.answers.numbers import Numbers
from core.answers.rows import Direction, Figures, Write, written_by

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
    from apps.recommendation.catalogue.questions import Question
    from apps.recommendation.factors.least_squares import ExplicitLeastSquares
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed


class Ratings(CollaborativeFiltering):
    """Predicts the rating that a user will give to an item; where either is unknown, from what is known."""

    objective: ClassVar[str] = "val_rmse"
    gives: ClassVar[type[Answers] | None] = Numbers
    figures: ClassVar[Mapping[str, Direction]] = Numbers.figures
    score_name: ClassVar[str] = "rating"

    method: Literal["least_squares", "factorisation", "two_tower"] = Field(
        "least_squares", description="factors in closed form, factors by gradient, or deep nets"
    )
    dim: int = Field(32, ge=1, le=1024, description="length of the vectors")
    penalty: float = Field(3.2, gt=0, description="on the vector of each id")
    bias_penalty: float = Field(1.5, gt=0, description="on the bias of each id")
    exponent: float = Field(
        0.3, ge=0, le=1, description="how the penalties grow with an id's number of ratings"
    )

    def batches(self, examples: Examples, encoder: RatingsEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of numbered users and items, and their ratings."""
        data = encoder.interactions(examples)
        return feed.batches({"user": data.users, "item": data.items}, data.ratings)

    def build(self, encoder: RatingsEncoder) -> keras.Model:
        """Return the model from users and items to ratings."""
        return self.towers(encoder, mean=encoder.mean, bias_penalty=self.bias_penalty)

    @property
    def sizes(self) -> tuple[int, float]:
        """The length of the vectors, and the penalty on them."""
        return self.dim, self.penalty

    def loss(self, encoder: RatingsEncoder) -> keras.losses.Loss:
        """Return the squared error."""
        import keras

        return keras.losses.MeanSquaredError()

    def metrics(self, encoder: RatingsEncoder) -> list[keras.metrics.Metric]:
        """Return the root of the mean squared error, and the mean absolute error."""
        import keras

        return [keras.metrics.RootMeanSquaredError(name="rmse"), keras.metrics.MeanAbsoluteError(name="mae")]

    def least_squares(self, encoder: RatingsEncoder, data: Interactions) -> ExplicitLeastSquares:
        """Return the least squares problem of ratings as numbers."""
        from apps.recommendation.factors.least_squares import ExplicitLeastSquares

        return ExplicitLeastSquares(
            data, encoder.mean, self.penalty, self.bias_penalty, self.exponent, self.solver
        )

    def asked(self, value: Any, encoder: RatingsEncoder) -> Question:
        """Return what a raw input asks, whose ratings are within those that training saw."""
        from apps.recommendation.catalogue.questions import within_scale

        return within_scale(super().asked(value, encoder), encoder.lowest, encoder.highest)

    def pair_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScorePairs:
        """Return the function from users and items to ratings, none beyond those that training saw."""
        from apps.recommendation.factors.towers import pair_scores

        return self._within(pair_scores(model), encoder)

    def bounded(self, scores: np.ndarray, encoder: RatingsEncoder) -> np.ndarray:
        """Return ratings, none beyond those that training saw."""
        return np.clip(scores, encoder.lowest, encoder.highest)

    def validated(self, model: keras.Model, encoder: RatingsEncoder, splits: Splits) -> Figures:
        """Return RMSE and MAE on the validation part."""
        figures = self.evaluate(model, encoder, splits.validation) if len(splits.validation) else {}
        return {f"val_{name}": figure for name, figure in figures.items()}

    def figures_by(
        self, score: ScoreUsers, model: keras.Model, encoder: RatingsEncoder, examples: Examples
    ) -> Figures:
        """Return the root of the mean squared error and the mean absolute error over all ratings."""
        from apps.recommendation.catalogue.judging import pairs_of, rating_figures

        pairs = self._within(pairs_of(score, encoder.num_items), encoder)
        return rating_figures(pairs, encoder.interactions(examples))

    def evaluate(
        self, model: keras.Model, encoder: RatingsEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the root of the mean squared error and the mean absolute error over all ratings."""
        from apps.recommendation.catalogue.judging import rating_figures

        return rating_figures(
            self.pair_scores(model, encoder), encoder.interactions(examples), row_writer(examples, write)
        )

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: RatingsEncoder
    ) -> dict[str, Any]:
        """Return the user and the title of the item."""
        return {"user": answer["user"], "item": encoder.title(answer["item"])}

    def baseline(
        self, encoder: RatingsEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of biases alone and of item neighbours."""
        from apps.recommendation import rivals
        from apps.recommendation.catalogue.judging import rating_figures

        train, test = encoder.interactions(splits.train), encoder.interactions(splits.test)
        scores = {
            "biases only": rivals.biases_only(train, encoder.mean),
            "item neighbours": rivals.item_neighbours(train, encoder.mean),
        }
        return {
            name: rating_figures(
                self._within(score, encoder), test, row_writer(splits.test, written_by(name, write))
            )
            for name, score in scores.items()
        }

    def _within(self, score: ScorePairs, encoder: RatingsEncoder) -> ScorePairs:
        return lambda users, items: self.bounded(score(users, items), encoder)


def row_writer(examples: Examples, write: Write | None) -> Callable[[slice, np.ndarray], None] | None:
    """Return the function that writes a row for each rating of a block, beside what was predicted."""
    if write is None:
        return None

    def write_rows(block: slice, predicted: np.ndarray) -> None:
        columns = (examples[name][block].tolist() for name in ("user", "item", "rating"))
        for user, item, rating, guess in zip(*columns, predicted.tolist(), strict=True):
            write({"user": user, "item": item, "true": rating, "predicted": round(guess, 4)})

    return write_rows
