"""Rankings: which items a user will choose next, out of the whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.encoder import RankingsEncoder, RatingsEncoder
from apps.recommendation.catalogue.interactions import UNKNOWN, Interactions, numbered
from apps.recommendation.factors.collaborative import CollaborativeFiltering
from core.answers.kind import Answers
from core.answers.rankings import Rankings as RankedAnswers
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import UserError
from core.task.contract import Encoder

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    import tensorflow as tf

    from apps.recommendation.catalogue.answers import ScoreTastes
    from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
    from apps.recommendation.catalogue.questions import Question
    from apps.recommendation.choosing import Candidate
    from apps.recommendation.factors.explanations import Past
    from apps.recommendation.factors.least_squares import ImplicitLeastSquares
    from apps.recommendation.linear.weights import ItemWeights
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.explanation import Explanation

VALIDATION_USERS = 5_000  # are judged after each epoch, and to choose a rival's penalty, at most
DENSE_ITEMS = 4_096  # up to which all weights of ease are kept, at most 64 MB
TRIED_SWEEPS = 8  # of least squares, where it is a candidate of auto
LINEAR = ("item_neighbours", "ease")
CANDIDATES: tuple[Mapping[str, Any], ...] = (
    {"method": "item_neighbours", "weighting": "cosine", "shrinkage": 20.0},
    {"method": "item_neighbours", "weighting": "tf_idf", "shrinkage": 5.0},
    {"method": "item_neighbours", "weighting": "bm25", "shrinkage": 20.0},
    {"method": "least_squares"},  # with each of SIZES
    {"method": "ease", "ease_penalty": 100.0},
    {"method": "ease", "ease_penalty": 300.0},
    {"method": "ease", "ease_penalty": 1000.0},
)
# Of least squares, dense choices first; the penalty grows with how often a person or an item occurs.
SIZES: tuple[Mapping[str, Any], ...] = (
    {"dim": 64, "penalty": 0.01, "unobserved": 0.3},
    {"dim": 128, "penalty": 0.01, "unobserved": 0.1},
    {"dim": 256, "penalty": 0.01, "unobserved": 0.03},
    {"dim": 256, "penalty": 0.01, "unobserved": 0.01},
    {"dim": 256, "penalty": 0.03, "unobserved": 0.001},
)
USUAL: Mapping[str, Any] = {"dim": 48, "penalty": 0.01, "unobserved": 0.1}  # where nothing is tried
EASE_PENALTIES = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # chosen from by NDCG on validation


class Rankings(CollaborativeFiltering):
    """Recommends what a user will choose; only the choice counts, whatever its rating."""

    objective: ClassVar[str] = "val_ndcg@10"
    direction: ClassVar[Direction] = "max"
    gives: ClassVar[type[Answers] | None] = RankedAnswers
    figures: ClassVar[Mapping[str, Direction]] = RankedAnswers.figures
    score_name: ClassVar[str] = "score"

    encoder_class: ClassVar[type[Encoder]] = RankingsEncoder

    method: Literal["auto", "item_neighbours", "ease", "least_squares", "factorisation", "two_tower"] = Field(
        "auto",
        description="items by their neighbours, or linear from all items, or factors in closed form; factors "
        "by gradient; deep nets; auto: the best of the first three on choices held out of the training part",
    )
    choice_seconds: float = Field(
        120.0,
        gt=0,
        description="in which candidates are judged, cheapest first, by an estimate that is the same on all "
        "machines; auto only",
    )
    neighbours: int = Field(
        200,
        ge=1,
        description="how many others an item has weights for; item_neighbours, and ease where "
        "there are more than 4,096 items",
    )
    weighting: Literal["cosine", "tf_idf", "bm25"] = Field(
        "cosine", description="of the choices that two items share; item_neighbours only"
    )
    shrinkage: float = Field(
        20.0, ge=0, description="towards 0 of the similarity of items that few chose; item_neighbours only"
    )
    ease_penalty: float = Field(300.0, gt=0, description="on the weights of ease")
    cutoffs: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        (), description="other lengths of the lists, beside 10, at which rankings are judged"
    )
    dim: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = Field(
        "auto",
        description="length of the vectors; auto: least_squares takes what does best on choices held out of "
        "the training part, others take 48",
    )
    penalty: Literal["auto"] | Annotated[float, Field(gt=0)] = Field(
        "auto", description="on the vector of each id; auto: likewise, others take 0.01"
    )
    exponent: float = Field(1.0, ge=0, le=1, description="how the penalties grow with how often an id occurs")
    unobserved: Literal["auto"] | Annotated[float, Field(gt=0, le=1)] = Field(
        "auto", description="weight of a pair that was not chosen; auto: likewise; least_squares only"
    )

    def _examples(self, path: Path) -> tuple[Examples, Sequence[str]]:
        """Return what one file or folder holds, where lists of items and tables without ratings will do."""
        from core.data.choices import read_choices

        return self._in_order(*self.each_pair_once(*read_choices(path, skip_bad=self.skip_bad, how=self.how)))

    def batches(self, examples: Examples, encoder: RatingsEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of numbered users and the items that they chose, which are also the targets."""
        data = encoder.interactions(examples)
        return feed.batches({"user": data.users, "item": data.items}, data.items)

    def build(self, encoder: RatingsEncoder) -> keras.Model:
        """Return the model from users and items to scores."""
        task = self.settled(encoder)
        if task.method not in LINEAR:
            return task.towers(encoder, mean=0.0, bias_penalty=0.0)
        from apps.recommendation.linear.model import linear_model

        return linear_model(encoder, task.num_kept(encoder.num_items))

    def encode(self, train: Examples) -> RankingsEncoder:
        """Return the ids, their counts and titles, and with `auto` which method did best."""
        encoder = RankingsEncoder(**super().encode(train).model_dump())
        return encoder.model_copy(update={"tried": self._tried(encoder, train)}) if self.is_auto else encoder

    @property
    def is_auto(self) -> bool:
        """Whether the method, or sizes of least squares, are chosen by what they find."""
        return self.method == "auto" or (self.method == "least_squares" and len(self._given) < len(USUAL))

    @property
    def _given(self) -> Mapping[str, Any]:
        """The sizes of least squares that are set."""
        return {name: getattr(self, name) for name in USUAL if getattr(self, name) != "auto"}

    @property
    def sizes(self) -> tuple[int, float]:
        """The length of the vectors, and the penalty on them."""
        numbers = {**USUAL, **self._given}
        return numbers["dim"], numbers["penalty"]

    @property
    def learns_by_gradient(self) -> bool:
        """Whether the method is not in closed form, as all are that `auto` chooses from."""
        return self.method in ("factorisation", "two_tower")

    def settled(self, encoder: RatingsEncoder) -> Rankings:
        """Return the task with the method and the settings that `auto` has found to be the best."""
        if not self.is_auto or not isinstance(encoder, RankingsEncoder):
            return self
        return self.model_copy(update=encoder.tried[0]["settings"])

    def left_out(self, splits: Splits, encoder: RatingsEncoder) -> Sequence[str]:
        """Return whom training never saw, and what `auto` has seen of the methods."""
        from apps.recommendation.choosing import in_words

        notes = self._unknown(splits, encoder)
        if not isinstance(encoder, RankingsEncoder) or not encoder.tried:
            return notes
        return (
            *notes,
            f"{'method' if self.method == 'auto' else 'a size'}=auto trains the first of these, by NDCG@10 "
            f"of one choice of each user, held out of the training part: {in_words(encoder.tried)}",
        )

    def _unknown(self, splits: Splits, encoder: RatingsEncoder) -> tuple[str, ...]:
        """Return a note of the users of the test part whom training never saw, if there are any.

        Raises:
            UserError: It saw none of them, so that nothing can be judged.
        """
        users = np.unique(splits.test["user"])
        unknown = int((numbered(users, encoder.user_index) == UNKNOWN).sum())
        if unknown == len(users):
            raise UserError(
                "Training saw nobody of the test part, and rankings know people by what they chose in "
                "training. To judge by people who never train, use recommendation/sequences with "
                f"task.leave_last_out=false. Received: {unknown} users, all unknown."
            )
        if not unknown:
            return ()
        return (
            f"{unknown:,} of {len(users):,} users of the test part were never seen in training: they would "
            "get what is chosen most, and are not judged",
        )

    def num_kept(self, num_items: int) -> int:
        """Return how many weights an item has by a linear method, of a catalogue of so many items."""
        whole = self.method == "ease" and num_items <= DENSE_ITEMS
        return num_items if whole else min(self.neighbours, num_items)

    def item_weights(self, data: Interactions) -> ItemWeights:
        """Return how items speak for each other, by a linear method."""
        from apps.recommendation.linear.ease import Ease
        from apps.recommendation.linear.neighbours import ItemNeighbours

        if self.method == "ease":
            return Ease(data, self.ease_penalty)
        return ItemNeighbours(data, self.weighting, self.shrinkage)

    def _tried(self, encoder: RatingsEncoder, train: Examples) -> list[dict[str, Any]]:
        from apps.recommendation.choosing import judged_candidates, one_of_each

        rest, held = (train.take(rows) for rows in one_of_each(train, self.split_seed))
        data = encoder.interactions(rest)
        candidates = [
            self.model_copy(update=settings).candidate(settings, encoder, data)
            for settings in self._candidates()
        ]
        if not len(held):
            cheapest = min(candidates, key=lambda each: each.seconds)
            return [{"settings": dict(cheapest.settings), "ndcg@10": 0.0, "seconds": 0.0}]
        return judged_candidates(candidates, data, encoder.interactions(held), self.choice_seconds)

    def _candidates(self) -> list[Mapping[str, Any]]:
        """Return the settings that are tried; sizes that are set stay as they are."""
        chosen = [each for each in CANDIDATES if self.method in ("auto", each["method"])]
        sized = [{"method": "least_squares", **sizes, **self._given} for sizes in SIZES]
        different = [each for place, each in enumerate(sized) if each not in sized[:place]]
        plain = [each for each in chosen if each["method"] != "least_squares"]
        return [*plain, *(different if len(plain) < len(chosen) else ())]

    def candidate(
        self, settings: Mapping[str, Any], encoder: RatingsEncoder, data: Interactions
    ) -> Candidate:
        """Return this task as a candidate, whose settings are named, for choices of that size."""
        from apps.recommendation import choosing
        from apps.recommendation.linear.ease import MOST_ITEMS

        seconds = {
            "item_neighbours": lambda: choosing.neighbours_seconds(data),
            "ease": lambda: choosing.ease_seconds(data, MOST_ITEMS),
            "least_squares": lambda: choosing.least_squares_seconds(data, self.sizes[0], TRIED_SWEEPS),
        }[self.method]()
        return choosing.Candidate(
            settings, seconds + choosing.judging_seconds(data), lambda rest: self._fitted(encoder, rest)
        )

    def _fitted(self, encoder: RatingsEncoder, data: Interactions) -> ScoreUsers:
        """Return the scores of a method in closed form, without a Keras model."""
        from apps.recommendation.factors.least_squares import random_factors
        from apps.recommendation.linear.model import scores_of
        from apps.recommendation.linear.weights import strongest_rows

        if self.method in LINEAR:
            items, num_kept = encoder.popular, self.num_kept(data.num_items)
            rows = strongest_rows(self.item_weights(data), items, data.num_items, num_kept)
            return scores_of(data.matrix(), rows)
        problem = self.least_squares(encoder, data)
        factors = random_factors(data.num_users, data.num_items, self.sizes[0], self.split_seed)
        for _ in range(TRIED_SWEEPS):
            factors = problem.sweep(factors)
        return lambda users: factors.users[users] @ factors.items.T

    def fit(self, training: Training) -> keras.callbacks.History:
        """Remember what each user has chosen, then learn by the chosen method."""
        return super(Rankings, self.settled(training.encoder)).fit(training)

    def _in_closed_form(self, training: Training) -> keras.callbacks.History:
        from apps.recommendation.linear.fitting import fit_weights

        if self.method not in LINEAR:
            return super()._in_closed_form(training)
        model, encoder, splits = training.model, training.encoder, training.splits
        weights = self.item_weights(encoder.interactions(splits.train))
        return fit_weights(training, weights, lambda: self.validated(model, encoder, splits))

    def user_scores(self, model: keras.Model) -> ScoreUsers:
        """Return the function from users to their scores of all items."""
        from apps.recommendation.linear import model as linear

        return linear.user_scores(model) if linear.is_linear(model) else super().user_scores(model)

    def taste_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScoreTastes:
        """Return the function from choices by people whom training never saw to their scores of all items."""
        from apps.recommendation.linear import model as linear

        if linear.is_linear(model):
            return linear.taste_scores(model)
        return super(Rankings, self.settled(encoder)).taste_scores(model, encoder)

    def explain(
        self, model: keras.Model, encoder: RatingsEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return which choices, and which factors, made a recommendation or the score of a pair.

        Raises:
            UserError: Training never saw the user, the item or any chosen item, or a method is asked for.
        """
        return super(Rankings, self.settled(encoder)).explain(model, encoder, value, method)

    def _past(
        self, model: keras.Model, encoder: RatingsEncoder, asked: Question, user: int, item: int
    ) -> Past:
        from apps.recommendation.catalogue.answers import interactions_of
        from apps.recommendation.factors.towers import seen_layer
        from apps.recommendation.linear.explanations import past_of_choices

        if self.method not in LINEAR:
            return super()._past(model, encoder, asked, user, item)
        if asked.ratings is None:
            items = seen_layer(model).recall()[user]
        else:
            items = interactions_of([asked.ratings], encoder).items
        return past_of_choices(model, np.unique(items), item)

    def _graph(self, model: keras.Model) -> dict[str, Any]:
        from apps.recommendation.linear import export
        from apps.recommendation.linear import model as linear

        if not linear.is_linear(model):
            return super()._graph(model)
        return {"graph": export.linear_graph(model), "users_at_once": export.users_at_once(model)}

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

        task = self.settled(encoder)
        unobserved = {**USUAL, **task._given}["unobserved"]
        return ImplicitLeastSquares(data, task.sizes[1], task.exponent, unobserved, task.solver)

    def pair_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScorePairs:
        """Return the function from users and items to scores, which are comparable for one user alone."""
        from apps.recommendation.factors import towers
        from apps.recommendation.linear import model as linear

        return (linear if linear.is_linear(model) else towers).pair_scores(model)

    def validated(self, model: keras.Model, encoder: RatingsEncoder, splits: Splits) -> Figures:
        """Return the figures of the ranking of the validation part."""
        from apps.recommendation.catalogue.judging import ranking_figures
        from apps.recommendation.factors.towers import seen_layer

        if not len(splits.validation):
            return {}
        figures = ranking_figures(
            self.user_scores(model),
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
        return ranking_figures(score, encoder.interactions(examples), seen, cutoffs=self.cutoffs)

    def evaluate(
        self, model: keras.Model, encoder: RatingsEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return HitRate, NDCG, MRR and Recall over the full catalogue, without what the users had seen."""
        from apps.recommendation.factors.towers import seen_layer

        score = self.user_scores(model)
        seen = seen_layer(model).matrix(encoder.num_items)
        beyond = self._write_rankings(score, seen, encoder, examples, write)
        return {**self.figures_by(score, model, encoder, examples), **beyond}

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
        from apps.recommendation.linear.ease import ease_name

        train, test = encoder.interactions(splits.train), encoder.interactions(splits.test)
        chosen = encoder.interactions(splits.validation if len(splits.validation) else splits.train)
        seen = train.matrix()

        def judged(score: ScoreUsers) -> float:
            return ranking_figures(score, chosen, seen, VALIDATION_USERS)["ndcg@10"]

        scores = {
            "popularity": rivals.popularity(train),
            "item neighbours": rivals.similar_items(train),
            ease_name(encoder.num_items - 1): rivals.ease(train, EASE_PENALTIES, judged),
        }
        figures = {}
        for name, score in scores.items():
            beyond = self._write_rankings(score, seen, encoder, splits.test, written_by(name, write))
            figures[name] = {**ranking_figures(score, test, seen, cutoffs=self.cutoffs), **beyond}
        return figures

    def _write_rankings(
        self, score: ScoreUsers, seen: Any, encoder: RatingsEncoder, examples: Examples, write: Write | None
    ) -> Figures:
        """Write what each judged user was recommended and chose; return what recommendations are like."""
        from apps.recommendation.catalogue.beyond_accuracy import beyond_accuracy
        from apps.recommendation.catalogue.judging import judged_users, rankings

        data = encoder.interactions(examples)
        chosen = data.by_user()
        recommended = np.zeros(encoder.num_items, np.int64)
        for ranking in rankings(score, judged_users(data), seen):
            recommended += np.bincount(ranking.items.ravel(), minlength=encoder.num_items)
            if write is None:
                continue
            for user, items in zip(ranking.users.tolist(), ranking.items.tolist(), strict=True):
                names = [encoder.items[item - 1] for item in items if item != UNKNOWN]
                found = examples["item"][chosen[user]].tolist()
                write({"user": encoder.users[user - 1], "recommended": names, "chosen": found})
        return beyond_accuracy(recommended[1:], np.array(encoder.item_counts), len(encoder.users))
