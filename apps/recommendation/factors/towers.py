"""Recommenders as two towers: a vector for each user, one for each item, and their product as the score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from apps.recommendation.catalogue.interactions import UNKNOWN, padded
from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
from apps.recommendation.factors.layers import Factors, PooledItems, SeenItems
from apps.recommendation.factors.least_squares import Factorisation
from core.data.examples import Ragged
from core.layers import LookupModel

USER_TOWER, ITEM_TOWER = "user_tower", "item_tower"


def two_towers(user_tower: keras.Model, item_tower: keras.Model, mean: float) -> keras.Model:
    """Return the model that maps users and items, int32 of shape `(batch,)`, to scores of shape `(batch,)`.

    Args:
        user_tower: From users to vectors.
        item_tower: From items to vectors of the same length.
        mean: What the score of an unknown user and an unknown item is.
    """
    user = keras.Input((), dtype="int32", name="user")
    item = keras.Input((), dtype="int32", name="item")
    product = layers.Dot(axes=-1, dtype="float32")([user_tower(user), item_tower(item)])
    score = layers.Rescaling(1.0, offset=mean, dtype="float32", name="mean")(product)
    return LookupModel(
        {"user": user, "item": item}, layers.Reshape((), name="score")(score), name="two_towers"
    )


def batch_scores(model: keras.Model) -> keras.Model:
    """Return a model on the same towers that scores every user of the batch with every item of the batch."""
    user, item = keras.Input((), dtype="int32", name="user"), keras.Input((), dtype="int32", name="item")
    users, items = model.get_layer(USER_TOWER)(user), model.get_layer(ITEM_TOWER)(item)
    scores = layers.Activation("linear", dtype="float32")(ops.matmul(users, ops.transpose(items)))
    return LookupModel({"user": user, "item": item}, scores, name="batch_scores")


def user_factor_tower(seen: SeenItems, factors: Factors) -> keras.Model:
    """Return a tower that looks up a user's vector and bias."""
    ids = keras.Input((), dtype="int32", name="user_ids")
    known, _ = seen(ids)
    return keras.Model(ids, _of_user(*factors(known)), name=USER_TOWER)


def item_factor_tower(factors: Factors) -> keras.Model:
    """Return a tower that looks up an item's vector and bias."""
    ids = keras.Input((), dtype="int32", name="item_ids")
    return keras.Model(ids, _of_item(*factors(ids)), name=ITEM_TOWER)


def deep_user_tower(
    seen: SeenItems, factors: Factors, pooled: PooledItems, hidden: Sequence[int], dropout: float
) -> keras.Model:
    """Return a net on a user's own vector and on the items that they have seen."""
    ids = keras.Input((), dtype="int32", name="user_ids")
    known, items = seen(ids)
    vectors, bias = factors(known)
    deep = _deep(ops.concatenate([vectors, pooled(items)], axis=-1), factors.dim, hidden, dropout)
    return keras.Model(ids, _of_user(deep, bias), name=USER_TOWER)


def deep_item_tower(factors: Factors, hidden: Sequence[int], dropout: float) -> keras.Model:
    """Return a net on an item's own vector."""
    ids = keras.Input((), dtype="int32", name="item_ids")
    vectors, bias = factors(ids)
    return keras.Model(ids, _of_item(_deep(vectors, factors.dim, hidden, dropout), bias), name=ITEM_TOWER)


def _deep(inputs: keras.KerasTensor, dim: int, hidden: Sequence[int], dropout: float) -> keras.KerasTensor:
    """Apply hidden layers, and a linear path past them that lets the net begin as a factorisation."""
    outputs = inputs
    for units in hidden:
        outputs = layers.Dropout(dropout)(layers.Dense(units, "relu")(outputs))
    return layers.Dense(dim)(ops.concatenate([inputs, outputs], axis=-1) if hidden else inputs)


# The product of both sides' vectors adds their biases: each side has a 1 where the other has its bias.
def _of_user(vectors: keras.KerasTensor, bias: keras.KerasTensor) -> keras.KerasTensor:
    return ops.concatenate([vectors, bias, ops.ones_like(bias)], axis=-1)


def _of_item(vectors: keras.KerasTensor, bias: keras.KerasTensor) -> keras.KerasTensor:
    return ops.concatenate([vectors, ops.ones_like(bias), bias], axis=-1)


def seen_layer(model: keras.Model) -> SeenItems:
    """Return the layer that keeps what each user has seen."""
    return model.get_layer(USER_TOWER).get_layer("seen")


def factorisation_of(model: keras.Model) -> Factorisation:
    """Return the factors of a model that has no nets; whoever changes them does not change the model."""
    users, items = _factors(model)
    tables = (np.array(ops.convert_to_numpy(table)) for table in (users.vectors, items.vectors))
    biases = (np.array(ops.convert_to_numpy(table))[:, 0] for table in (users.bias, items.bias))
    return Factorisation(*tables, *biases)


def set_factorisation(model: keras.Model, factors: Factorisation) -> None:
    """Give a model that has no nets these factors."""
    users, items = _factors(model)
    users.vectors.assign(factors.users)
    items.vectors.assign(factors.items)
    users.bias.assign(factors.user_bias[:, None])
    items.bias.assign(factors.item_bias[:, None])


def _factors(model: keras.Model) -> tuple[Factors, Factors]:
    return (
        model.get_layer(USER_TOWER).get_layer("user_factors"),
        model.get_layer(ITEM_TOWER).get_layer("item_factors"),
    )


def pair_scores(model: keras.Model) -> ScorePairs:
    """Return the function from a block of users and items to their scores."""
    user_tower, item_tower = model.get_layer(USER_TOWER), model.get_layer(ITEM_TOWER)
    mean = np.float32(model.get_layer("mean").offset)

    def scores(users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.einsum("nd,nd->n", _vectors(user_tower, users), _vectors(item_tower, items)) + mean

    return scores


def user_scores(model: keras.Model) -> ScoreUsers:
    """Return the function from a block of users to their scores of all items, one matrix product a block."""
    user_tower, scores = model.get_layer(USER_TOWER), vector_scores(model)
    return lambda users: scores(_vectors(user_tower, users))


def vector_scores(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function from vectors of users, shape `(block, length)`, to their scores of all items."""
    by_dimension = item_vectors(model).T
    mean = model.get_layer("mean").offset
    return lambda vectors: vectors @ by_dimension + np.float32(mean)


def item_vectors(model: keras.Model) -> np.ndarray:
    """Return the vectors of all items, float32, shape `(num_items, length)`."""
    item_tower = model.get_layer(ITEM_TOWER)
    num_items = item_tower.get_layer("item_factors").num_ids
    blocks = np.array_split(np.arange(num_items), num_items // 65_536 + 1)
    return np.concatenate([_vectors(item_tower, ids) for ids in blocks])


def factor_vectors(vectors: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return what a tower without nets makes of factors of users, shapes `(block, dim)` and `(block,)`."""
    return np.concatenate([vectors, bias[:, None], np.ones_like(bias)[:, None]], axis=1)


def history_vectors(model: keras.Model, length: int) -> Callable[[Ragged], np.ndarray]:
    """Return the function from the items that unknown users have seen to their vectors, by a tower with nets.

    Args:
        model: Two towers.
        length: How many of somebody's latest items describe them.
    """
    tower = model.get_layer(USER_TOWER)
    described = keras.Model(tower.get_layer("seen").output, tower.output)

    def vectors(seen: Ragged) -> np.ndarray:
        latest = Ragged.from_rows([seen[row][-length:] for row in range(len(seen))], np.int32)
        items, _ = padded(latest, length=length)
        unknown = np.full(len(items), UNKNOWN, np.int32)
        return _called(described, [unknown, items])

    return vectors


def _vectors(tower: keras.Model, ids: np.ndarray) -> np.ndarray:
    return _called(tower, ids.astype(np.int32))


def _called(tower: keras.Model, inputs: np.ndarray | list[np.ndarray]) -> np.ndarray:
    """Return the vectors of a block of any size, without XLA, which would compile the tower anew for each."""
    tower.jit_compile = False
    return np.asarray(tower.predict_on_batch(inputs), np.float32)
