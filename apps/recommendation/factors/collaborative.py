"""What all tasks share that learn from who rated what: data, towers, training, and recommending."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.catalogue.interactions import Interactions, last_held_out
from apps.recommendation.catalogue.tables import FromRatings
from core.answers.rows import Figures
from core.errors import MethodError, UserError
from core.inputs import Input, Ratings
from core.task.contract import Ability, Encoder, Predict

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from apps.recommendation.catalogue.answers import ScoreTastes
    from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
    from apps.recommendation.catalogue.questions import Question
    from apps.recommendation.factors.explanations import Past
    from apps.recommendation.factors.least_squares import ExplicitLeastSquares, ImplicitLeastSquares
    from core.data.examples import Examples, Splits
    from core.fit import Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

LARGE_TABLE = 50_000  # rows, from which on Adam's step takes far longer than the batch asks for


class CollaborativeFiltering(FromRatings):
    """Learns from who rated what; every method ends in two towers, whose vectors' product is the score."""

    encoder_class: ClassVar[type[Encoder]] = RatingsEncoder
    content: ClassVar[tuple[str, ...]] = ("user", "item")
    sample_licence: ClassVar[str | None] = "MovieLens 100K: research alone, not to be sold (GroupLens)"
    takes: ClassVar[Mapping[str, Input]] = {"question": Ratings()}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export"})
    score_name: ClassVar[str]
    """What the score of a user and an item is called in an answer."""

    method: str = Field("least_squares", description="which of its methods a task learns by")
    solver: Literal["exact", "conjugate_gradient"] = Field(
        "exact",
        description="each sweep to the best factors, or a few cheap steps towards them; least_squares only",
    )
    exponent: float = Field(
        0.5, ge=0, le=1, description="how the penalties grow with an id's number of ratings"
    )
    hidden: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (64,), description="units of each tower's hidden layers; two_tower only"
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="share of hidden units dropped; two_tower only")
    history: int = Field(50, ge=1, description="latest items that describe a user; two_tower only")
    history_dropout: float = Field(0.5, ge=0, lt=1, description="share of them left out; two_tower only")
    leave_last_out: bool = Field(
        False, description="test on the last rating of each user and validate on the one before"
    )
    ordered: bool = Field(
        False, description="the order of lines is that of events, where the source has no times"
    )
    validation_data: str | None = Field(None, description="file of the validation part, as data names one")
    test_data: str | None = Field(None, description="file of the test part, likewise")
    titles_data: str | None = Field(
        None, description="table with a column of items and one of titles; by default found beside data"
    )
    top: int = Field(10, ge=1, le=1000, description="how many items to recommend")

    def load(self) -> Splits:
        """Return the parts of a MovieLens-style file, a `movielens` of tensorflow-datasets, or the sample."""
        if self.leave_last_out and (self.split_time or self.split_group):
            raise UserError(
                "leave_last_out says what the test part is, so split_time and split_group must be null. "
                f"Received: split_time={self.split_time}, split_group={self.split_group}."
            )

        parts, notes = self._read()
        if self.time_format is not None and self.split_time == "time":
            # The reader has brought the times to seconds.
            return self.model_copy(update={"time_format": "s"})._divided(parts, notes)
        return self._divided(parts, notes)

    def _divided(self, parts: Mapping[str, Examples], notes: Sequence[str]) -> Splits:
        from apps.recommendation.catalogue.reading import require_times

        for examples in parts.values():
            bad = int((~np.isfinite(examples["rating"])).sum())
            if bad:
                raise UserError(f"Ratings of {examples.source} must be finite. Received: {bad} that are not.")
        require_times(parts, self.split_time)
        if not self.leave_last_out:
            return self.divided(parts, notes)
        if len(parts) > 1:
            return self.divided(
                parts, (*notes, "leave_last_out is passed over, as the source names its parts")
            )
        if "time" in parts["train"] or "order" in parts["train"]:
            return last_held_out(parts["train"], notes)
        lacking = (
            "leave_last_out finds no times, so the parts are split at random; where the order of lines is "
            "that of events, set task.ordered=true"
        )
        return self.divided(parts, (*notes, lacking))

    def _read(self) -> tuple[Mapping[str, Examples], Sequence[str]]:
        from apps.recommendation.catalogue.reading import read_parts

        named = {"validation_data": self.validation_data, "test_data": self.test_data}
        return read_parts(self.data, self._examples, **named)

    def _examples(self, path: Path) -> tuple[Examples, Sequence[str]]:
        """Return what one file or folder holds."""
        from core.data import ratings

        read = ratings.read_ratings(path, skip_bad=self.skip_bad, how=self.how)
        return self._in_order(*self.each_pair_once(*read))

    def _in_order(self, examples: Examples, notes: Sequence[str]) -> tuple[Examples, Sequence[str]]:
        """Return examples with their order where the setting says that it is that of events."""
        from apps.recommendation.catalogue.reading import in_order

        return in_order(examples, ordered=self.ordered), notes

    def encode(self, train: Examples) -> RatingsEncoder:
        """Return the ids, their counts and titles, and the mean and range of the ratings."""
        from apps.recommendation.catalogue.reading import read_titles_of, titles_of_items

        users, user_counts = np.unique(train["user"], return_counts=True)
        items, item_counts = np.unique(train["item"], return_counts=True)
        titles = titles_of_items(read_titles_of(self.data, self.titles_data), items.tolist(), train.source)
        ratings = train["rating"]
        return RatingsEncoder(
            users=users.tolist(),
            items=items.tolist(),
            user_counts=user_counts.tolist(),
            item_counts=item_counts.tolist(),
            titles=titles,
            mean=float(ratings.mean(dtype=np.float64)),
            lowest=float(ratings.min()),
            highest=float(ratings.max()),
        )

    def towers(self, encoder: RatingsEncoder, *, mean: float, bias_penalty: float) -> keras.Model:
        """Return the model of the chosen method, from users and items to scores.

        Args:
            encoder: Says how many users, items and ratings there are.
            mean: The score of an unknown user and an unknown item.
            bias_penalty: On the biases, at least 0.
        """
        from apps.recommendation.factors import towers
        from apps.recommendation.factors.layers import Factors, PooledItems, SeenItems

        deep = self.method == "two_tower"
        length = self.history if deep else 0
        seen = SeenItems(encoder.num_users, sum(encoder.user_counts), length, name="seen")
        dim, penalty = self.sizes
        penalties = penalty, bias_penalty, self.exponent
        users = Factors(encoder.num_users, dim, *penalties, name="user_factors")
        items = Factors(encoder.num_items, dim, *penalties, name="item_factors")
        if deep:
            pooled = PooledItems(encoder.num_items, dim, self.history_dropout)
            user_tower = towers.deep_user_tower(seen, users, pooled, self.hidden, self.dropout)
            item_tower = towers.deep_item_tower(items, self.hidden, self.dropout)
        else:
            user_tower, item_tower = towers.user_factor_tower(seen, users), towers.item_factor_tower(items)
        users.set_counts(encoder.user_counts)
        items.set_counts(encoder.item_counts)
        return towers.two_towers(user_tower, item_tower, mean)

    def fit(self, training: Training) -> keras.callbacks.History:
        """Remember what each user has seen, then learn by the chosen method."""
        from apps.recommendation.factors.towers import seen_layer

        train = training.splits.train
        data = training.encoder.interactions(train)
        seen_layer(training.model).remember(data.items_by_user(train.columns.get("time")))
        self._balance(train, training.fit)  # refuses what asks for classes
        return self.descend(training) if self.learns_by_gradient else self._in_closed_form(training)

    @property
    def learns_by_gradient(self) -> bool:
        """Whether the method is not in closed form."""
        return self.method != "least_squares"

    def descend(self, training: Training) -> keras.callbacks.History:
        """Learn by gradient; Adam gives way to its lazy form where a table has many rows."""
        encoder, fit = training.encoder, training.fit
        if fit.optimizer == "adam" and max(encoder.num_users, encoder.num_items) >= LARGE_TABLE:
            training = replace(training, fit=fit.model_copy(update={"optimizer": "lazy_adam"}))
        return super().fit(training)

    def _in_closed_form(self, training: Training) -> keras.callbacks.History:
        """Alternate between users and items; an epoch is a sweep over both."""
        from apps.recommendation.factors.closed_form import sweeps
        from apps.recommendation.factors.towers import factorisation_of, set_factorisation

        model, encoder, splits = training.model, training.encoder, training.splits
        problem = self.least_squares(encoder, encoder.interactions(splits.train))

        def sweep(epoch: int) -> Figures:
            factors = problem.sweep(factorisation_of(model))
            set_factorisation(model, factors)
            return {"loss": problem.objective(factors)}

        return sweeps(training, sweep, lambda: self.validated(model, encoder, splits))

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, float]:
        """The length of the vectors, and the penalty on them."""

    def inputs(self, encoder: RatingsEncoder) -> dict[str, Input]:
        """Return questions, with the users and items that training saw, those with most ratings first."""
        active = np.argsort(-np.array(encoder.user_counts), kind="stable").tolist()
        items = [encoder.items[number - 1] for number in encoder.popular.tolist()]
        known = {
            "user": {encoder.users[place]: encoder.users[place] for place in active},
            "item": {item: encoder.titles.get(item, item) for item in items},
            "rating": {f"{rating:g}": f"{rating:g}" for rating in _scale(encoder.lowest, encoder.highest)},
        }
        return {"question": Ratings(known)}

    @abstractmethod
    def least_squares(
        self, encoder: RatingsEncoder, data: Interactions
    ) -> ExplicitLeastSquares | ImplicitLeastSquares:
        """Return the problem that alternating least squares solves."""

    @abstractmethod
    def validated(self, model: keras.Model, encoder: RatingsEncoder, splits: Splits) -> Figures:
        """Return the figures on the validation part, named `val_...`; none where that part is empty."""

    def taste_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScoreTastes:
        """Return the function from ratings by people whom training never saw to their scores of all items.

        Factors of such a person are those that fit their ratings best, with the factors of the items as they
        are; nets hear what was rated, and not how.
        """
        from apps.recommendation.factors import towers

        scores = towers.vector_scores(model)
        if self.method == "two_tower":
            described = towers.history_vectors(model, self.history)
            return lambda tastes: scores(described(tastes.items_by_user()))
        factors = towers.factorisation_of(model)
        return lambda tastes: scores(
            towers.factor_vectors(*self.least_squares(encoder, tastes).users_given(factors))
        )

    def bounded(self, scores: np.ndarray, encoder: RatingsEncoder) -> np.ndarray:
        """Return scores of pairs, none beyond what a score can be."""
        return scores

    def user_scores(self, model: keras.Model) -> ScoreUsers:
        """Return the function from users to their scores of all items."""
        from apps.recommendation.factors.towers import user_scores

        return user_scores(model)

    @abstractmethod
    def pair_scores(self, model: keras.Model, encoder: RatingsEncoder) -> ScorePairs:
        """Return the function from users and items to scores."""

    @abstractmethod
    def figures_by(
        self, score: ScoreUsers, model: keras.Model, encoder: RatingsEncoder, examples: Examples
    ) -> Figures:
        """Return the figures of `evaluate` for whatever scores all items for users.

        Args:
            score: What is judged, such as an export of the model.
            model: Says what the users had seen.
            encoder: Of the training.
            examples: What should be found.
        """

    def portable(self, model: keras.Model, encoder: RatingsEncoder) -> Portable:
        """Return the graph from users to the scores of all items, and what each user has seen."""
        from apps.recommendation.factors.export import portable_recommender

        def figures_by(score: ScoreUsers, examples: Examples) -> Figures:
            return self.figures_by(score, model, encoder, examples)

        return portable_recommender(
            model,
            encoder,
            figures_by=figures_by,
            bounds=self.bounded(np.array([-np.inf, np.inf]), encoder).tolist(),
            score_name=self.score_name,
            top=self.top,
            scores=self.user_scores(model),
            **self._graph(model),
        )

    def _graph(self, model: keras.Model) -> dict[str, Any]:
        """Return the graph of an export where it isn't the product of the towers' vectors."""
        return {}

    def predict(
        self, model: keras.Model, encoder: RatingsEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Recommend items to a raw user id or to a taste, or score a pair `{"user": ..., "item": ...}`.

        What the user has rated already is not recommended. A user that training never saw gets the most rated
        items, and the answer says so; with `{"ratings": {item: rating}}` instead of a user, what fits these.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            inputs: Raw user ids, and questions as mappings or as JSON text.
            options: There are none.
        """
        return self.predictor(model, encoder)(inputs)

    def predictor(self, model: keras.Model, encoder: RatingsEncoder, options: Any = None) -> Predict:
        """Return `predict` of one model; the vectors of the items are computed once."""
        from apps.recommendation.catalogue.answers import Recommender
        from apps.recommendation.factors.towers import seen_layer

        recommender = Recommender(
            encoder,
            self.user_scores(model),
            self.pair_scores(model, encoder),
            self.taste_scores(model, encoder),
            seen_layer(model).matrix(encoder.num_items),
            self.top,
            self.score_name,
            lambda scores: self.bounded(scores, encoder),
        )
        return lambda inputs: recommender.answers([self.asked(value, encoder) for value in inputs])

    def asked(self, value: Any, encoder: RatingsEncoder) -> Question:
        """Return what a raw input asks.

        Raises:
            UserError: It is no question, or holds what no rating can be.
        """
        from apps.recommendation.catalogue.questions import question

        return question(value)

    def explain(
        self, model: keras.Model, encoder: RatingsEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return which ratings and which factors made a recommendation, or the score of a pair.

        The ratings are those of the question, or are read from the task's data again. Factors in closed form
        divide a score exactly; those learnt by gradient nearly so, which the gap tells; a deep tower is asked
        what it would say without each item of the user's past.

        Raises:
            UserError: Training never saw the user, the item or any rated item, or a method is asked for.
        """
        from apps.recommendation.catalogue.interactions import UNKNOWN, numbered
        from apps.recommendation.factors import explanations

        if method is not None:
            raise MethodError(f"Recommendations take no method of explanation. Received: {method!r}.")
        asked = self.asked(value, encoder)
        if asked.ratings is not None and self.method == "two_tower":
            raise UserError("Deep towers are explained for users of the data alone. Received: ratings.")
        answer = self.predict(model, encoder, [value])[0]
        best = answer["recommendations"][0] if "recommendations" in answer else answer
        [item] = numbered([best["item"]], encoder.item_index)
        if asked.ratings is None:
            known = numbered([asked.user], encoder.user_index)
        else:
            known = numbered(list(asked.ratings), encoder.item_index)
        if item == UNKNOWN or (known == UNKNOWN).all():
            raise UserError(
                f"Training never saw this user or item: there is no past to tell. Received: {value}."
            )
        past = self._past(model, encoder, asked, int(known[0]), int(item))
        return explanations.explained(past, answer, best.get("title", best["item"]), encoder)

    def _past(
        self, model: keras.Model, encoder: RatingsEncoder, asked: Question, user: int, item: int
    ) -> Past:
        """Return what made the score of an item for a known user, or for the ratings of a question."""
        from apps.recommendation.catalogue.answers import interactions_of
        from apps.recommendation.factors import explanations

        if asked.ratings is None:
            data = encoder.interactions(self.load().train) if self.method != "two_tower" else None
            problem = self.least_squares(encoder, data) if data is not None else None
            return explanations.past_of_user(model, user, item, problem)
        tastes = interactions_of([asked.ratings], encoder)
        score = float(self.taste_scores(model, encoder)(tastes)[0, item])
        return explanations.past_of_taste(model, item, self.least_squares(encoder, tastes), score)


def _scale(lowest: float, highest: float, most: int = 10) -> list[float]:
    """Return the ratings that somebody may choose from: whole ones, halves too where they are few."""
    step = 0.5 if (lowest % 1 or highest % 1) else max(1.0, round((highest - lowest) / most))
    return np.arange(lowest, highest + step / 1000, step).tolist()
