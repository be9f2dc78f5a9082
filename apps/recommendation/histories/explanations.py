"""Which items of a history speak for what is recommended after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import numbered
from apps.recommendation.factors.explanations import Past, explained
from apps.recommendation.histories.answers import asked_histories
from apps.recommendation.histories.encoder import HistoryEncoder
from apps.recommendation.histories.nets import ITEMS, item_table
from core.errors import MethodError, UserError
from core.task.attribution import integrated_gradients, occlusion, scored

if TYPE_CHECKING:
    import keras

    from core.task.explanation import Explanation

METHODS = ("integrated_gradients", "occlusion")


def explained_history(
    model: keras.Model,
    encoder: HistoryEncoder,
    value: Any,
    answer: dict[str, Any],
    length: int,
    method: str | None = None,
) -> Explanation:
    """Return why an item was recommended after a history.

    Args:
        model: A net that reads histories.
        encoder: Of its training.
        value: The raw history.
        answer: What `predict` says.
        length: How many of the last items are read.
        method: One of `METHODS`; integrated gradients by default.

    Raises:
        MethodError: It is none of them.
        UserError: Nothing is left to recommend.
    """
    method = method or METHODS[0]
    if method not in METHODS:
        raise MethodError(f"Histories are explained by {', '.join(METHODS)}. Received: {method!r}.")
    if not answer["recommendations"]:
        raise UserError("Nothing is left to recommend after this history, so there is nothing to explain.")
    best = answer["recommendations"][0]
    [item] = numbered([best["item"]], encoder.item_index)
    histories, _ = asked_histories([value], encoder)
    past = past_of_items(model, histories.before[0][-length:], int(item), method)
    return explained(past, answer, best.get("title", best["item"]), encoder, "items of the history")


def past_of_items(model: keras.Model, items: np.ndarray, item: int, method: str) -> Past:
    """Return what the items of a history add to the score of one item.

    What is left out of a history leaves a gap there: its vector is zero, and the others keep their places.

    Args:
        model: A net that reads histories.
        items: Numbers of known items, oldest first.
        item: Number of the item that is explained.
        method: One of `METHODS`.
    """
    import keras
    from keras import ops

    layer = model.get_layer(ITEMS)
    rest = keras.Model(layer.output, model.output)
    vectors = ops.cast(layer(ops.convert_to_tensor(items[None])), "float32")
    target = ops.cast(ops.take(item_table(model), item, axis=0), "float32")

    def score(kept: Any) -> Any:
        kept = ops.cast(ops.convert_to_tensor(kept), "float32")
        states = rest(vectors * kept[:, :, None], training=False)
        return ops.sum(ops.cast(states[:, -1], "float32") * target, axis=-1)

    whole, none = np.ones(len(items), np.float32), np.zeros(len(items), np.float32)
    if method == "occlusion":
        adds = occlusion(score, whole, none, np.eye(len(items), dtype=bool))
    else:
        adds, _ = integrated_gradients(score, whole, none)
    return Past(items, score, adds, method.replace("_", " "), float(scored(score, whole[None])[0]))
