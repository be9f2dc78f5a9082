"""Which past ratings, and which factors, made a recommendation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.encoder import RatingsEncoder
from apps.recommendation.least_squares import Factorisation, UserProblem
from core.explanation import Explanation, Part, deletion_gain, draw_bars, occlusion

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

SHOWN = 12


@dataclass(frozen=True, eq=False)
class History:
    """A user's past, and the score of one item as a function of what is kept of it.

    Args:
        items: What the user rated, shape `(num_ratings,)`.
        scores: From rows of ones and zeros, shape `(num_cases, num_ratings)`, to scores.
        adds: What each rating adds to the score.
        method: How that was found.
    """

    items: np.ndarray
    scores: Callable[[np.ndarray], np.ndarray]
    adds: np.ndarray
    method: str


def history_of_problem(problem: UserProblem) -> History:
    """Return the past of a user whose vector is a ridge regression; its shares are exact."""
    return History(problem.items, problem.scores, problem.adds(), "ridge regression")


def history_of_towers(model: keras.Model, user: int, item: int) -> History:
    """Return the past of a user of two deep towers; each item adds what the score loses without it."""
    import keras
    from keras import ops

    from apps.recommendation.towers import ITEM_TOWER, USER_TOWER, seen_layer

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
    return History(latest[places], scores, adds, "occlusion")


def explained(
    history: History,
    answer: dict[str, Any],
    target: str,
    score: float,
    encoder: RatingsEncoder,
    factors: Sequence[float],
) -> Explanation:
    """Return why an item was recommended, or how a rating was guessed.

    Args:
        history: Of the user, for this item.
        answer: What `predict` says.
        target: The item in words.
        score: What the model says of user and item.
        encoder: Names the items.
        factors: What each dimension of the vectors adds to the score; none for deep towers.
    """
    whole = np.ones(len(history.items), np.float32)
    none = np.zeros_like(whole)
    parts = []
    for item, adds in zip(history.items, history.adds, strict=True):
        named = encoder.item_name(int(item))
        parts.append(Part(named.get("title", named["item"]), float(adds), {"item": named["item"]}))
    base = float(history.scores(none[None])[0])
    checks = {"gap": abs(score - base - float(history.adds.sum())) / max(abs(score - base), 1e-6)}
    if len(parts) > 1:
        masks = np.eye(len(parts), dtype=bool)
        checks["deletion"] = deletion_gain(history.scores, whole, none, masks, history.adds)
    strongest = sorted(parts, key=lambda part: -abs(part.adds))[:SHOWN]

    def draw(figure: Figure) -> None:
        figure.set_size_inches(9 if factors else 6, 1.2 + 0.3 * max(len(strongest), 6))
        panels = figure.subplots(1, 2 if factors else 1, squeeze=False)[0]
        figure.suptitle(target)
        draw_bars(panels[0], strongest, "past ratings: added to the score")
        if factors:
            order = np.argsort(-np.abs(factors))[:SHOWN]
            named = [Part(f"factor {place}", float(factors[place])) for place in order]
            draw_bars(panels[1], named, "factors: added to the score")

    return Explanation(
        answer,
        target,
        score,
        history.method,
        parts,
        checks,
        draw,
        {"factors": [round(f, 6) for f in factors]},
    )


def factor_products(factors: Factorisation, user: int, item: int) -> list[float]:
    """Return what each dimension of the two vectors adds to the score of user and item."""
    return [float(product) for product in factors.users[user] * factors.items[item]]
