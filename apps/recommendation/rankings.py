"""Rankings: which items a user will choose next, out of the whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.catalogue.interactions import UNKNOWN, Interactions
from apps.recommendation.factors.collaborative import CollaborativeFiltering
from core.answers.kind import Answers
from core.answers.rankings import Rankings as RankedAnswers
from core.answers.rows import Direction, Figures, Write, written_by

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
    from apps.recommendation.factors.least_squares import ImplicitLeastSquares
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training

VALIDATION_USERS = 5_000  # are judged after each epoch, at most
EASE_PENALTIES = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # chosen from by NDCG on validation


class Rankings(CollaborativeFiltering):
    """Recommends what a user will choose; only the choice counts, whatever its rating."""

    objective: ClassVar[str] = "val_ndcg@10"
    direction: ClassVar[Direction] = "max"
    gives: ClassVar[type[Answers] | None] = RankedAnswers
    figures: ClassVar[Mapping[str, Direction]] = RankedAnswers.figures
    score_name: ClassVar[str] = "score"

    penalty: float = Field(0.3, gt=0, description="on the vector of each id")
    unobserved: float = Field(
        0.3, gt=0, le=1, description="weight of a pair without a rating; least_squares only"
    )

    def batches(self, examples: Examples, encoder: RatingsEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of numbered users and the items that they chose, which are also the targets."""
        data = encoder.interactions(examples)
        return feed.batches({"user": data.users, "item": data.items}, data.items)

    def build(self, encoder: RatingsEncoder) -> keras.Model:
        """Return the model from users and items to scores."""
        return self.towers(encoder, mean=0.0, bias_penalty=0.0)

    def loss(self, encoder: RatingsEncoder) -> keras.losses.Loss:
        """Return the cross-entropy of the chosen item among those of the batch, corrected for popularity."""
        from core.losses import SampledSoftmax

        return SampledSoftmax([1, *encoder.item_counts])

    def descend(self, training: Training) -> keras.callbacks.History:
        """Learn by gradient to tell each user's choice from those of the others in the batch."""
        import keras

        from apps.recommendation.factors.towers import batch_scores

        rank = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: logs.update(
                self.validated(training.model, training.encoder, training.splits)
            )
        )
        scored, callbacks = batch_scores(training.model), [rank, *training.callbacks]
        return super().descend(replace(training, model=scored, callbacks=callbacks))

    def least_squares(self, encoder: RatingsEncoder, data: Interactions) -> ImplicitLeastSquares:
        """Return the least squares problem of choices."""
        from apps.recommendation.factors.least_squares import ImplicitLeastSquares

        return ImplicitLeastSquares(data, self.penalty, self.exponent, self.unobserved, self.solver)

    def pair_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScorePairs:
        """Return the function from users and items to scores, which are comparable for one user alone."""
        from apps.recommendation.factors.towers import pair_scores

        return pair_scores(model)

    def validated(self, model: keras.Model, encoder: RatingsEncoder, splits: Splits) -> Figures:
        """Return the figures of the ranking of the validation part."""
        from apps.recommendation.catalogue.judging import ranking_figures
        from apps.recommendation.factors.towers import seen_layer, user_scores

        if not len(splits.validation):
            return {}
        figures = ranking_figures(
            user_scores(model),
            encoder.interactions(splits.validation),
            seen_layer(model).matrix(encoder.num_items),
            most_users=VALIDATION_USERS,
        )
        return {f"val_{name}": figure for name, figure in figures.items() if name in self.figures}

    def figures_by(
        self, score: ScoreUsers, model: keras.Model, encoder: RatingsEncoder, examples: Examples
    ) -> Figures:
        """Return HitRate, NDCG, MRR and Recall over the full catalogue, without what the users had seen."""
        from apps.recommendation.catalogue.judging import ranking_figures
        from apps.recommendation.factors.towers import seen_layer

        seen = seen_layer(model).matrix(encoder.num_items)
        return ranking_figures(score, encoder.interactions(examples), seen)

    def evaluate(
        self, model: keras.Model, encoder: RatingsEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return HitRate, NDCG, MRR and Recall over the full catalogue, without what the users had seen."""
        from apps.recommendation.factors.towers import seen_layer, user_scores

        score = user_scores(model)
        seen = seen_layer(model).matrix(encoder.num_items)
        self._write_rankings(score, seen, encoder, examples, write)
        return self.figures_by(score, model, encoder, examples)

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: RatingsEncoder
    ) -> dict[str, Any]:
        """Return the user and the titles of what was chosen and of what was recommended."""
        titles = {
            name: "; ".join(encoder.title(item) for item in answer[name])
            for name in ("chosen", "recommended")
        }
        return {"user": answer["user"], **titles}

    def slices(self, splits: Splits, encoder: RatingsEncoder) -> dict[str, np.ndarray]:
        """Return how many ratings the training part has by each user who is judged, and of their choices."""
        import numpy as np

        from apps.recommendation.catalogue.judging import judged_users

        data = encoder.interactions(splits.test)
        users = judged_users(data)
        items = data.items_by_user()
        counts = np.array([0, *encoder.item_counts])
        popularity = [counts[items[user]].mean() for user in users.tolist()]
        return {
            "training ratings by the user": np.array([0, *encoder.user_counts])[users],
            "training ratings of the chosen items": np.array(popularity).round().astype(np.int64),
        }

    def baseline(
        self, encoder: RatingsEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of popularity, item neighbours, and EASE with the best of some penalties."""
        from apps.recommendation import rivals
        from apps.recommendation.catalogue.judging import ranking_figures

        train, test = encoder.interactions(splits.train), encoder.interactions(splits.test)
        chosen = encoder.interactions(splits.validation if len(splits.validation) else splits.train)
        seen = train.matrix()
        linear = (rivals.ease(train, penalty) for penalty in EASE_PENALTIES)
        best = max(linear, key=lambda score: ranking_figures(score, chosen, seen)["ndcg@10"])
        scores = {
            "popularity": rivals.popularity(train),
            "item neighbours": rivals.similar_items(train),
            rivals.ease_name(encoder.num_items - 1): best,
        }
        for name, score in scores.items():
            self._write_rankings(score, seen, encoder, splits.test, written_by(name, write))
        return {name: ranking_figures(score, test, seen) for name, score in scores.items()}

    def _write_rankings(
        self, score: ScoreUsers, seen: Any, encoder: RatingsEncoder, examples: Examples, write: Write | None
    ) -> None:
        """Write a row for each user who is judged: what was recommended, and what they chose."""
        from apps.recommendation.catalogue.judging import judged_users, rankings

        if write is None:
            return
        data = encoder.interactions(examples)
        chosen = data.by_user()
        for ranking in rankings(score, judged_users(data), seen):
            for user, items in zip(ranking.users.tolist(), ranking.items.tolist(), strict=True):
                names = [encoder.items[item - 1] for item in items if item != UNKNOWN]
                found = examples["item"][chosen[user]].tolist()
                write({"user": encoder.users[user - 1], "recommended": names, "chosen": found})
