"""The nets of a click prediction: what they make of the fields of a row, as one logit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from core.layers import FactorisationMachine, FieldEmbedding

if TYPE_CHECKING:
    pass

WEIGHTS, FIELDS, ALONE, ROW = "weights", "fields", "alone", "row"
CROSSED_BY = 4  # the matrices of a cross layer are this much narrower than the row


@dataclass(frozen=True)
class Shape:
    """What a net is told of rows.

    Args:
        slots: Ids that each field has in a row.
        num_ids: Those of all fields and the padding.
        num_numbers: Columns of numbers.
        log_odds: Of a click in training.
    """

    slots: Sequence[int]
    num_ids: int
    num_numbers: int
    log_odds: float


@dataclass(frozen=True)
class Sizes:
    """How large a net is, and what of it is dropped while it learns.

    Args:
        dim: Length of the vector of a value.
        width: Units of a hidden layer.
        depth: Hidden layers, and layers of crosses.
        dropout: Share of units, and of the numbers in vectors, that are dropped.
        penalty: On the squares of the vectors of a row, which draws those of rare values towards 0.
    """

    dim: int
    width: int
    depth: int
    dropout: float
    penalty: float = 0.0


@dataclass(frozen=True)
class Parts:
    """A row as a net sees it, as Keras tensors.

    Args:
        weights: Of each value by itself, `(batch_size, num_fields)`.
        vectors: `(batch_size, num_fields, dim)`; nothing where a net needs none.
        numbers: Standardised, none missing, `(batch_size, num_numbers)`; nothing where there are none.
    """

    weights: Any
    vectors: Any
    numbers: Any


def click_model(shape: Shape, sizes: Sizes, method: str) -> keras.Model:
    """Return the model from ids and numbers to the logits of no click and of a click.

    Whatever it makes of a row comes from the layer `row`: the weights of its fields, then their vectors, and
    behind them the numbers. What values say by themselves, the layers `weights` and `alone`, is kept as it is
    but in a logistic regression.

    Args:
        shape: Of the rows.
        sizes: Of the net.
        method: One of `NETS`.
    """
    dim = 0 if method == "logistic" else sizes.dim
    inputs = {"ids": keras.Input((sum(shape.slots),), dtype="int32", name="ids")}
    tables = {WEIGHTS: 1, FIELDS: dim} if dim else {WEIGHTS: 1}
    row = []
    for name, size in tables.items():
        vectors = keras.initializers.RandomNormal(stddev=0.01) if size > 1 else "zeros"
        table = FieldEmbedding(shape.slots, shape.num_ids, size, vectors, name=name)
        table.trainable = name != WEIGHTS or not dim
        row.append(keras.layers.Flatten()(table(inputs["ids"])))
    if shape.num_numbers:
        inputs["numbers"] = keras.Input((shape.num_numbers,), name="numbers")
        row.append(KnownNumbers(name="known_numbers")(inputs["numbers"]))
    whole = joined(row)
    parts = _parts(whole, len(shape.slots), dim, shape.num_numbers)
    if dim and sizes.penalty:
        penalised = keras.layers.ActivityRegularization(l2=sizes.penalty, name="penalty")(parts.vectors)
        parts = replace(parts, vectors=penalised)
    logit = NETS[method](parts, sizes, shape.log_odds)
    return keras.Model(inputs, ops.pad(logit, [[0, 0], [1, 0]]), name="clicks")


def joined(parts: Sequence[Any]) -> Any:
    """Return the layer `row`: what a net sees of a row, in one vector."""
    if len(parts) > 1:
        return keras.layers.Concatenate(name=ROW)(list(parts))
    return keras.layers.Identity(name=ROW)(parts[0])


def _parts(row: Any, num_fields: int, dim: int, num_numbers: int) -> Parts:
    size = num_fields * (1 + dim)
    vectors = keras.layers.Reshape((num_fields, dim))(row[:, num_fields:size]) if dim else None
    return Parts(row[:, :num_fields], vectors, row[:, size:] if num_numbers else None)


def _logistic(parts: Parts, sizes: Sizes, log_odds: float) -> Any:
    """Return what each value adds by itself."""
    weights = ops.sum(parts.weights, axis=1, keepdims=True)
    numbers = [] if parts.numbers is None else [parts.numbers]
    last = keras.layers.Dense(
        1,
        bias_initializer=keras.initializers.Constant(log_odds),
        kernel_initializer="zeros",
        dtype="float32",
        name=ALONE,
        trainable=parts.vectors is None,
    )
    # A constant stands in for numbers where there are none, so that there always is a bias.
    return weights + last(numbers[0] if numbers else ops.zeros_like(weights))


def _factorisation(parts: Parts, sizes: Sizes, log_odds: float) -> Any:
    """Return what values add by themselves and in pairs.

    Reference:
        Rendle, Factorization Machines (2010)
    """
    vectors = keras.layers.Dropout(sizes.dropout)(parts.vectors)
    return _logistic(parts, sizes, log_odds) + FactorisationMachine(name="pairs")(vectors)


def _deepfm(parts: Parts, sizes: Sizes, log_odds: float) -> Any:
    """Return a factorisation machine beside a net over the same vectors.

    Reference:
        Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction (2017)
    """
    hidden = _hidden(_flat(parts, sizes.dropout), sizes)
    deep = keras.layers.Dense(1, use_bias=False, dtype="float32", name="deep")(hidden)
    return _factorisation(parts, sizes, log_odds) + deep


def _cross(parts: Parts, sizes: Sizes, log_odds: float) -> Any:
    """Return layers of crosses beside a net over the same vectors.

    Reference:
        Wang et al., DCN V2: Improved Deep & Cross Network (2021), the parallel structure, of low rank
    """
    from keras_rs.layers import FeatureCross

    start = _flat(parts, sizes.dropout)
    rank = max(start.shape[-1] // CROSSED_BY, 1)
    crossed = start
    for _ in range(sizes.depth):
        crossed = FeatureCross(projection_dim=rank)(start, crossed)
    both = keras.layers.Concatenate()([crossed, _hidden(start, sizes)])
    deep = keras.layers.Dense(1, use_bias=False, dtype="float32", name="deep")(both)
    return _logistic(parts, sizes, log_odds) + deep


def _flat(parts: Parts, dropout: float) -> Any:
    vectors = keras.layers.Flatten()(parts.vectors)
    whole = vectors if parts.numbers is None else keras.layers.Concatenate()([vectors, parts.numbers])
    return keras.layers.Dropout(dropout)(whole)


def _hidden(values: Any, sizes: Sizes) -> Any:
    for _ in range(sizes.depth):
        values = keras.layers.Dense(sizes.width, "relu", kernel_initializer="he_normal")(values)
        values = keras.layers.Dropout(sizes.dropout)(values)
    return values


NETS: dict[str, Callable[[Parts, Sizes, float], Any]] = {
    "logistic": _logistic,
    "factorisation": _factorisation,
    "deepfm": _deepfm,
    "cross": _cross,
}


@keras.saving.register_keras_serializable(package="quartet")
class KnownNumbers(keras.layers.Layer):
    """Puts the mean, 0, in the place of what is missing, and draws in what lies far out.

    Args:
        furthest: Standard deviations from the mean.
    """

    def __init__(self, furthest: float = 4.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.furthest = furthest

    def call(self, numbers: Any) -> Any:
        """Return numbers of the same shape."""
        known = ops.where(ops.isnan(numbers), ops.zeros_like(numbers), numbers)
        return ops.clip(known, -self.furthest, self.furthest)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "furthest": self.furthest}
