"""Which past ratings, and which factors, made a recommendation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from apps.recommendation.factors.least_squares import (
    ExplicitLeastSquares,
    ImplicitLeastSquares,
    UserProblem,
)
from core.task.attribution import deletion_gain, occlusion
from core.task.explanation import Explanation, Part, draw_bars

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

SHOWN = 12


class NamesItems(Protocol):
    """An encoder that knows items."""

    def item_name(self, item: int) -> dict[str, str]:
        """Return the raw id of an item, and its title where there is one."""
        ...


LeastSquares = ExplicitLeastSquares | ImplicitLeastSquares


@dataclass(frozen=True, eq=False)
class Past:
    """What somebody rated, and the score of one item as a function of what is kept of it.

    Args:
        items: That were rated, shape `(num_ratings,)`.
        scores: From rows of ones and zeros, shape `(num_cases, num_ratings)`, to scores.
        adds: What each rating adds to the score.
        method: How that was found.
        score: What the model says of the person and the item.
        factors: What each dimension of the vectors adds to the score; none for deep towers.
    """

    items: np.ndarray
    scores: Callable[[np.ndarray], np.ndarray]
    adds: np.ndarray
    method: str
    score: float
    factors: Sequence[float] = ()


def past_of_user(model: keras.Model, user: int, item: int, problem: LeastSquares | None) -> Past:
    """Return the past of a user whom training knew.

    Args:
        model: Two towers.
        user: Number of the user.
        item: Number of the item that is explained.
        problem: The least squares that the user's vector solves; none for deep towers.
    """
    from apps.recommendation.factors.towers import factorisation_of, pair_scores

    # The model's own score, not kept within what a rating can be, is what the parts add up to.
    score = float(pair_scores(model)(np.array([user]), np.array([item]))[0])
    if problem is None:
        return _past_of_towers(model, user, item, score)
    table = factorisation_of(model)
    products = table.users[user] * table.items[item]
    return _past_of_problem(problem.user_problem(user, item, table), score, products)


def past_of_taste(model: keras.Model, item: int, problem: LeastSquares, score: float) -> Past:
    """Return the ratings of a question, as the past of somebody whose vector is fitted to them.

    Args:
        model: Two towers of factors.
        item: Number of the item that is explained.
        problem: The least squares of these ratings alone.
        score: What the model says of the person and the item.
    """
    from apps.recommendation.factors.towers import factorisation_of

    table = factorisation_of(model)
    vectors, _ = problem.users_given(table)
    return _past_of_problem(problem.user_problem(0, item, table), score, vectors[0] * table.items[item])


def _past_of_problem(problem: UserProblem, score: float, products: np.ndarray) -> Past:
    """Return the past of somebody whose vector is a ridge regression; its shares are exact."""
    return Past(problem.items, problem.scores, problem.adds(), "ridge regression", score, products.tolist())


def _past_of_towers(model: keras.Model, user: int, item: int, score: float) -> Past:
    """Return the past of a user of two deep towers; each item adds what the score loses without it."""
    import keras
    from keras import ops

    from apps.recommendation.factors.towers import ITEM_TOWER, USER_TOWER, seen_layer

    tower = model.get_layer(USER_TOWER)
    rest = keras.Model(list(seen_layer(model).output), tower.output)
    known, latest = seen_layer(model)(ops.convert_to_tensor([user]))
    vector = model.get_layer(ITEM_TOWER)(ops.convert_to_tensor([item]), training=False)
    latest = ops.convert_to_numpy(latest)[0]
    places = np.flatnonzero(latest)

    def scores(kept: np.ndarray) -> np.ndarray:
        histories = np.repeat(latest[None], len(kept), axis=0)
        histories[:, places] = np.where(kept > 0, histories[:, places], 0)
        users = rest([ops.repeat(known, len(kept), axis=0), ops.convert_to_tensor(histories)], training=False)
        return ops.convert_to_numpy(ops.sum(users * vector, axis=-1))

    whole = np.ones(len(places), np.float32)
    adds = occlusion(scores, whole, np.zeros_like(whole), np.eye(len(places), dtype=bool))
    return Past(latest[places], scores, adds, "occlusion", score)


def explained(
    past: Past, answer: dict[str, Any], target: str, encoder: NamesItems, what: str = "past ratings"
) -> Explanation:
    """Return why an item was recommended, or how a rating was guessed.

    Args:
        past: Of the person, for this item.
        answer: What `predict` says.
        target: The item in words.
        encoder: Names the items.
        what: They are called, which speak for the item.
    """
    whole = np.ones(len(past.items), np.float32)
    none = np.zeros_like(whole)
    parts = []
    for item, adds in zip(past.items, past.adds, strict=True):
        named = encoder.item_name(int(item))
        parts.append(Part(named.get("title", named["item"]), float(adds), {"item": named["item"]}))
    base = float(past.scores(none[None])[0])
    checks = {"gap": abs(past.score - base - float(past.adds.sum())) / max(abs(past.score - base), 1e-6)}
    if len(parts) > 1:
        masks = np.eye(len(parts), dtype=bool)
        checks["deletion"] = deletion_gain(past.scores, whole, none, masks, past.adds)
    strongest = sorted(parts, key=lambda part: -abs(part.adds))[:SHOWN]

    def draw(figure: Figure) -> None:
        figure.set_size_inches(9 if past.factors else 6, 1.2 + 0.3 * max(len(strongest), 6))
        panels = figure.subplots(1, 2 if past.factors else 1, squeeze=False)[0]
        figure.suptitle(target)
        draw_bars(panels[0], strongest, f"{what}: added to the score")
        if past.factors:
            order = np.argsort(-np.abs(past.factors))[:SHOWN]
            named = [Part(f"factor {place}", float(past.factors[place])) for place in order]
            draw_bars(panels[1], named, "factors: added to the score")

    return Explanation(
        answer,
        target,
        past.score,
        past.method,
        parts,
        checks,
        draw,
        {"factors": [round(f, 6) for f in past.factors]} if past.factors else {},
    )
