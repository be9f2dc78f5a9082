"""Alternating least squares: the factors of all users given those of the items, then the other way round.

Either half is one ridge regression a row: solved in closed form, or brought nearer to that from where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.factors.ridge_regressions import solved_rows

if TYPE_CHECKING:
    from core.data.examples import Ragged

BLOCK_BYTES = 2**25  # of gathered factors at a time

Solver = Literal["exact", "conjugate_gradient"]


@dataclass(frozen=True, eq=False)
class Factorisation:
    """What alternating least squares looks for: a vector and a bias for every user and item.

    Args:
        users: float32, shape `(num_users, dim)`; row 0, the unknown user, is zero.
        items: float32, shape `(num_items, dim)`, likewise.
        user_bias: float32, shape `(num_users,)`.
        item_bias: float32, shape `(num_items,)`.
    """

    users: np.ndarray
    items: np.ndarray
    user_bias: np.ndarray
    item_bias: np.ndarray

    def scores(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return the score of each pair, without the mean rating; float32, shape `(num_pairs,)`."""
        scores = self.user_bias[users] + self.item_bias[items]
        size = max(BLOCK_BYTES // (4 * self.users.shape[1]), 1)
        for start in range(0, len(users), size):
            part = slice(start, start + size)
            scores[part] += np.einsum("nd,nd->n", self.users[users[part]], self.items[items[part]])
        return scores


def random_factors(num_users: int, num_items: int, dim: int, seed: int) -> Factorisation:
    """Return factors to begin with, without a Keras model; those of the unknown user and item are zero."""
    random = np.random.default_rng(seed)
    users, items = (
        0.1 * random.standard_normal((rows, dim)).astype(np.float32) for rows in (num_users, num_items)
    )
    users[0] = items[0] = 0.0
    return Factorisation(users, items, np.zeros(num_users, np.float32), np.zeros(num_items, np.float32))


@dataclass(frozen=True, eq=False)
class UserProblem:
    """The ridge regression that gives a user's vector, and so divides a score among the user's ratings.

    Args:
        items: Of the user's ratings, shape `(num_ratings,)`.
        features: Of these items, shape `(num_ratings, dim)`.
        targets: What the vector is to explain of each rating.
        ridge: Shape `(dim, dim)`.
        wanted: The features of the item whose score is asked for, shape `(dim,)`.
        base: The score without any rating.

    Reference:
        Hu, Koren and Volinsky, 2008, Collaborative Filtering for Implicit Feedback Datasets, section 5
    """

    items: np.ndarray
    features: np.ndarray
    targets: np.ndarray
    ridge: np.ndarray
    wanted: np.ndarray
    base: float

    def adds(self) -> np.ndarray:
        """Return what each rating adds to the score; with the base they sum to it."""
        squares = self.features.T @ self.features + self.ridge
        return self.features @ np.linalg.solve(squares, self.wanted) * self.targets

    def scores(self, kept: np.ndarray) -> np.ndarray:
        """Return the scores if only some ratings had been given.

        Args:
            kept: 1 for a rating that is kept and 0 for one that is not, shape `(num_cases, num_ratings)`.
        """
        return np.array([self._score(self.features[case > 0], self.targets[case > 0]) for case in kept])

    def _score(self, features: np.ndarray, targets: np.ndarray) -> float:
        vector = np.linalg.solve(features.T @ features + self.ridge, features.T @ targets)
        return self.base + float(self.wanted @ vector)


@dataclass(frozen=True, eq=False)
class ExplicitLeastSquares:
    """Ratings as numbers: `mean + user_bias + item_bias + <user, item>` is close to each.

    The objective is, over the ratings and then over the rows of both sides,
    `sum (rating - score)^2 + sum count^exponent * (penalty |vector|^2 + bias_penalty bias^2)`. An exponent
    of 0 is the plain ridge, 1 weighs by the number of ratings (ALS-WR).

    Args:
        ratings: What is to be explained.
        mean: Of the ratings.
        penalty: On the vectors, above 0.
        bias_penalty: On the biases, above 0.
        exponent: 0 to 1.
        solver: Of a sweep.

    Reference:
        Zhou et al., 2008, Large-scale Parallel Collaborative Filtering for the Netflix Prize, section 3; with
        the biases of Koren et al., 2009, Matrix Factorization Techniques for Recommender Systems, equation 5
    """

    ratings: Interactions
    mean: float
    penalty: float
    bias_penalty: float
    exponent: float
    solver: Solver = "exact"
    by_user: Ragged = field(init=False)
    by_item: Ragged = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_user", self.ratings.by_user())
        object.__setattr__(self, "by_item", self.ratings.by_item())

    def sweep(self, factors: Factorisation) -> Factorisation:
        """Return the factors after both halves; the objective is never higher than before."""
        warm = self.solver == "conjugate_gradient"
        start = (factors.users, factors.user_bias) if warm else None
        users, user_bias = self._half(
            self.by_user, self.ratings.items, factors.items, factors.item_bias, start
        )
        start = (factors.items, factors.item_bias) if warm else None
        items, item_bias = self._half(self.by_item, self.ratings.users, users, user_bias, start)
        return Factorisation(users, items, user_bias, item_bias)

    def users_given(self, factors: Factorisation) -> tuple[np.ndarray, np.ndarray]:
        """Return the best vectors and biases of the users for the factors of the items."""
        return self._half(self.by_user, self.ratings.items, factors.items, factors.item_bias)

    def _half(
        self,
        groups: Ragged,
        columns: np.ndarray,
        others: np.ndarray,
        other_bias: np.ndarray,
        start: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        # The bias of a row is the weight of a feature that is always 1.
        features = np.column_stack([others, np.ones(len(others), np.float32)])
        penalties = np.full(features.shape[1], self.penalty, np.float32)
        penalties[-1] = self.bias_penalty
        scales = (groups.lengths**self.exponent).astype(np.float32)
        solved = solved_rows(
            groups,
            columns,
            self.ratings.ratings - self.mean - other_bias[columns],
            features,
            scales[:, None] * penalties,
            start=None if start is None else np.column_stack(start),
        )
        return solved[:, :-1], solved[:, -1]

    def user_problem(self, user: int, item: int, factors: Factorisation) -> UserProblem:
        """Return what decides a user's score of an item, given the factors of the items."""
        rows = self.by_user[user]
        items = self.ratings.items[rows]
        ridge = np.full(factors.items.shape[1] + 1, self.penalty)
        ridge[-1] = self.bias_penalty
        return UserProblem(
            items=items,
            features=np.concatenate([factors.items[items], np.ones((len(items), 1))], axis=1),
            targets=self.ratings.ratings[rows] - self.mean - factors.item_bias[items],
            ridge=np.diag(ridge * max(len(items), 1) ** self.exponent),
            wanted=np.append(factors.items[item], 1.0),
            base=self.mean + float(factors.item_bias[item]),
        )

    def objective(self, factors: Factorisation) -> float:
        """Return the objective divided by the number of ratings."""
        data = self.ratings
        error = data.ratings - self.mean - factors.scores(data.users, data.items)
        total = np.sum(error**2, dtype=np.float64)
        for groups, vectors, bias in (
            (self.by_user, factors.users, factors.user_bias),
            (self.by_item, factors.items, factors.item_bias),
        ):
            weight = groups.lengths**self.exponent
            total += weight @ (self.penalty * np.sum(vectors**2, axis=1) + self.bias_penalty * bias**2)
        return float(total / len(data))


@dataclass(frozen=True, eq=False)
class ImplicitLeastSquares:
    """Ratings as choices, whatever the number: `<user, item>` is close to 1 for a choice, and to 0 elsewhere.

    The objective is `sum_chosen (1 - score)^2 + unobserved sum_all score^2`, and over the rows of both sides
    `sum (count + unobserved * num_others)^exponent * penalty |vector|^2`. The sum over all pairs costs no
    more than the product of one side's factors with themselves. The confidence `1 + alpha` of Hu et al. is
    `unobserved = 1 / alpha`, up to scale.

    Args:
        ratings: Of which only the pairs count.
        penalty: On the vectors, above 0.
        exponent: 0 to 1.
        unobserved: Weight of a pair without a rating, above 0.
        solver: Of a sweep.

    Reference:
        Hu, Koren and Volinsky, 2008, Collaborative Filtering for Implicit Feedback Datasets, equations 4 and
        5; objective and penalty of Rendle et al., 2022, Revisiting the Performance of iALS on Item
        Recommendation Benchmarks, https://arxiv.org/abs/2110.14037
    """

    ratings: Interactions
    penalty: float
    exponent: float
    unobserved: float
    solver: Solver = "exact"
    by_user: Ragged = field(init=False)
    by_item: Ragged = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_user", self.ratings.by_user())
        object.__setattr__(self, "by_item", self.ratings.by_item())

    def sweep(self, factors: Factorisation) -> Factorisation:
        """Return the factors after both halves; the objective is never higher than before."""
        warm = self.solver == "conjugate_gradient"
        users = self._half(self.by_user, self.ratings.items, factors.items, factors.users if warm else None)
        items = self._half(self.by_item, self.ratings.users, users, factors.items if warm else None)
        return Factorisation(users, items, factors.user_bias, factors.item_bias)

    def users_given(self, factors: Factorisation) -> tuple[np.ndarray, np.ndarray]:
        """Return the best vectors of the users for the factors of the items, and biases, which are zero."""
        users = self._half(self.by_user, self.ratings.items, factors.items)
        return users, np.zeros(len(users), np.float32)

    def _half(
        self, groups: Ragged, columns: np.ndarray, others: np.ndarray, start: np.ndarray | None = None
    ) -> np.ndarray:
        targets = np.ones(len(columns), np.float32)
        penalties = self._penalties(groups, len(others)).astype(np.float32)[:, None]
        return solved_rows(groups, columns, targets, others, penalties, self.unobserved, start)

    def _penalties(self, groups: Ragged, num_others: int) -> np.ndarray:
        return self.penalty * (groups.lengths + self.unobserved * (num_others - 1)) ** self.exponent

    def user_problem(self, user: int, item: int, factors: Factorisation) -> UserProblem:
        """Return what decides a user's score of an item, given the factors of the items."""
        items = self.ratings.items[self.by_user[user]]
        penalty = self._penalties(self.by_user, len(factors.items))[user]
        gram = self.unobserved * factors.items.T @ factors.items
        return UserProblem(
            items=items,
            features=factors.items[items],
            targets=np.ones(len(items)),
            ridge=gram + penalty * np.eye(len(gram)),
            wanted=factors.items[item],
            base=0.0,
        )

    def objective(self, factors: Factorisation) -> float:
        """Return the objective divided by the number of ratings."""
        data = self.ratings
        scores = factors.scores(data.users, data.items)
        total = np.sum((1 - scores) ** 2, dtype=np.float64)
        total += self.unobserved * np.sum(
            (factors.users.T @ factors.users) * (factors.items.T @ factors.items)
        )
        for groups, vectors, num_others in (
            (self.by_user, factors.users, data.num_items),
            (self.by_item, factors.items, data.num_users),
        ):
            total += self._penalties(groups, num_others) @ np.sum(vectors**2, axis=1)
        return float(total / len(data))
