"""Which past choices speak for an item: a linear score is the sum of their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.factors.explanations import Past
from apps.recommendation.linear.model import weights_layer

if TYPE_CHECKING:
    import keras


def past_of_choices(model: keras.Model, items: np.ndarray, item: int) -> Past:
    """Return the past of somebody who chose some items.

    Args:
        model: A linear one.
        items: That were chosen, each once, shape `(num_choices,)`.
        item: Number of the item that is explained.
    """
    row = weights_layer(model).recall()[[item]].toarray()[0]
    adds = row[items].astype(np.float64)
    return Past(items, lambda kept: np.asarray(kept) @ adds, adds, "item weights", float(adds.sum()))
