"""Gradient-boosted trees as a Keras model: grown by scikit-learn, on numbers and rates of clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from apps.recommendation.factors.closed_form import sweeps
from apps.recommendation.impressions.nets import FIELDS, Shape, joined
from apps.recommendation.impressions.rates import click_rates, rates_without_own
from core.answers.calibration import LEAST_PROBABILITY
from core.layers import FieldEmbedding, TreeEnsemble

if TYPE_CHECKING:
    from apps.recommendation.impressions.columns import ClicksEncoder
    from core.answers.rows import Figures
    from core.fit import Training
    from core.task.classification import Classification

TREES = "trees"
MOST_LEAVES, DEEPEST = 31, 10
MOST_JUDGED = 100_000  # training rows whose loss is followed


def tree_model(shape: Shape, places: list[int], num_trees: int) -> keras.Model:
    """Return the model from ids and numbers to the logits of no click and of a click, without any tree.

    Args:
        shape: Of the rows.
        places: Which of the rates of all fields, and behind them the numbers, trees look at.
        num_trees: At most.
    """
    inputs = {"ids": keras.Input((sum(shape.slots),), dtype="int32", name="ids")}
    rates = FieldEmbedding(shape.slots, shape.num_ids, 1, "zeros", name=FIELDS, trainable=False)
    row = [keras.layers.Flatten()(rates(inputs["ids"]))]
    if shape.num_numbers:
        inputs["numbers"] = keras.Input((shape.num_numbers,), name="numbers")
        row.append(inputs["numbers"])
    whole = joined(row)
    trees = TreeEnsemble(num_trees, 2 * MOST_LEAVES - 1, DEEPEST, name=TREES)
    logit = trees(ops.take(whole, places, axis=1))
    return keras.Model(inputs, ops.pad(logit, [[0, 0], [1, 0]]), name="clicks")


def places_of(encoder: ClicksEncoder) -> list[int]:
    """Return where the columns of trees stand: among the rates of all fields, or the numbers behind them."""
    places, number = [], len(encoder.read_fields)
    for place, field in enumerate(encoder.read_fields):
        places.append(number if field.is_number else place)
        number += field.is_number
    return places


def grow(
    task: Classification, training: Training, num_trees: int, shrinkage: float
) -> keras.callbacks.History:
    """Grow trees and put them into a model, part by part; an epoch is a part.

    All are grown at once, and a resume grows the same again.

    Args:
        task: Whose model it is.
        training: What it learns from.
        num_trees: In all.
        shrinkage: How much of its part a tree says.
    """
    model, encoder, train = training.model, training.encoder, training.splits.train
    clicks = encoder.ids(train["label"], train.source)
    features = encoder.model_copy(update={"own": True}).features(train)
    columns = rates_without_own(encoder, features, clicks, training.fit.seed)
    booster = booster_of(num_trees, shrinkage, training.fit.seed).fit(columns, clicks)
    trees = [nodes_of(predictors[0].nodes) for predictors in booster._predictors]
    losses = _losses(booster, columns[:MOST_JUDGED], clicks[:MOST_JUDGED])
    model.get_layer(FIELDS).set_weights([click_rates(encoder, features["ids"], clicks)[:, None]])
    edges = np.linspace(0, num_trees, training.fit.planned_epochs + 1).round().astype(int)

    def put(epoch: int) -> Figures:
        first, stop = edges[epoch], edges[epoch + 1]
        start = float(booster._baseline_prediction.item())
        model.get_layer(TREES).set_trees(first, trees[first:stop], start)
        return {"loss": losses[max(stop, 1) - 1], "log_loss": losses[max(stop, 1) - 1]}

    return sweeps(training, put, lambda: _validated(task, training))


def _losses(booster: Any, columns: np.ndarray, clicks: np.ndarray) -> list[float]:
    """Return the log loss after each tree, of training rows by the rates in other folds."""
    rows = np.arange(len(clicks))
    return [
        float(-np.log(np.maximum(said[rows, clicks], LEAST_PROBABILITY)).mean())
        for said in booster.staged_predict_proba(columns)
    ]


def _validated(task: Classification, training: Training) -> Figures:
    validation = training.splits.validation
    if not len(validation):
        return {}
    targets = training.encoder.ids(validation["label"], validation.source)
    said = task.probabilities(training.model, training.encoder, validation)
    own = said[np.arange(len(targets)), targets]
    loss = float(-np.log(np.maximum(own, LEAST_PROBABILITY)).mean())
    return {"val_loss": loss, "val_log_loss": loss}


def booster_of(num_trees: int, shrinkage: float, seed: int) -> Any:
    """Return what grows the trees: scikit-learn's histograms, as LightGBM has them."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=num_trees,
        learning_rate=shrinkage,
        max_leaf_nodes=MOST_LEAVES,
        max_depth=DEEPEST,
        early_stopping=False,
        random_state=seed,
    )


def nodes_of(nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the nodes of a tree of scikit-learn as a `TreeEnsemble` takes them."""
    own, is_leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
    return {
        "feature": np.where(is_leaf, 0, nodes["feature_idx"]),
        "threshold": at_most(np.where(is_leaf, 0, nodes["num_threshold"])),
        "missing_left": np.where(is_leaf, 0, nodes["missing_go_to_left"]),
        "left": np.where(is_leaf, own, nodes["left"]),
        "right": np.where(is_leaf, own, nodes["right"]),
        "value": np.where(is_leaf, nodes["value"], 0.0),
    }


def at_most(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest float32 that are no larger: numbers in single precision then go the same way."""
    single = thresholds.astype(np.float32)
    too_large = single.astype(np.float64) > thresholds
    return np.where(too_large, np.nextafter(single, np.float32(-np.inf)), single)
