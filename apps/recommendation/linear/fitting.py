"""Fitting a linear recommender in closed form; an epoch is a part of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.factors.closed_form import sweeps
from apps.recommendation.factors.towers import seen_layer
from apps.recommendation.linear.model import weights_layer
from apps.recommendation.linear.weights import ItemWeights, strongest_rows, unexplained
from core.errors import UserError

if TYPE_CHECKING:
    import keras

    from core.answers.rows import Figures
    from core.fit import Training


def fit_weights(
    training: Training, weights: ItemWeights, validated: Callable[[], Figures]
) -> keras.callbacks.History:
    """Fill the weights of a model part by part; the loss is the share of all choices not yet explained.

    Args:
        training: Of a linear model that knows what each user has seen.
        weights: Of the method.
        validated: Judges the model as it is.

    Raises:
        UserError: The training is to end early, which would leave a part of the catalogue without weights.
    """
    if training.fit.patience:
        raise UserError(
            "An epoch of a linear ranking is a part of the catalogue, and none may be left out: set "
            f"fit.patience=null. Received: fit.patience={training.fit.patience}."
        )
    layer, encoder = weights_layer(training.model), training.encoder
    seen = seen_layer(training.model).matrix(layer.num_items)
    parts = np.array_split(encoder.popular, training.fit.planned_epochs)
    counts = np.array([0, *encoder.item_counts], np.float64)
    shares = np.ones(layer.num_items)

    def fill(epoch: int) -> Figures:
        if epoch == training.resume.epoch:  # what was done before a resume is in the weights by now
            done = encoder.popular[: sum(len(part) for part in parts[:epoch])]
            shares[done] = unexplained(seen, layer.recall(), done)
        rows = strongest_rows(weights, parts[epoch], layer.num_items, layer.num_kept)
        layer.remember((layer.recall() + rows).tocsr())
        shares[parts[epoch]] = unexplained(seen, rows, parts[epoch])
        return {"loss": float(counts @ shares / counts.sum())}

    return sweeps(training, fill, validated)
