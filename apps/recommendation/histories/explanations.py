"""Which items of a history speak for what is recommended after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import numbered
from apps.recommendation.factors.explanations import Past, explained
from apps.recommendation.histories.answers import asked_histories
from apps.recommendation.histories.encoder import HistoryEncoder
from apps.recommendation.histories.memory import FADING, LEAST, NOTHING
from apps.recommendation.histories.nets import ITEMS
from apps.recommendation.histories.scoring import Reader
from core.errors import MethodError, UserError
from core.task.attribution import integrated_gradients, occlusion, scored

if TYPE_CHECKING:
    from core.task.explanation import Explanation

METHODS = ("occlusion", "integrated_gradients")


def explained_history(
    reader: Reader,
    encoder: HistoryEncoder,
    value: Any,
    answer: dict[str, Any],
    method: str | None = None,
) -> Explanation:
    """Return why an item was recommended after a history.

    Args:
        reader: A net that reads histories.
        encoder: Of its training.
        value: The raw history.
        answer: What `predict` says.
        method: One of `METHODS`; occlusion by default.

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
    past = past_of_items(reader, histories.before[0][-reader.length :], int(item), method)
    return explained(past, answer, best.get("title", best["item"]), encoder, "items of the history")


def past_of_items(reader: Reader, items: np.ndarray, item: int, method: str) -> Past:
    """Return what the items of a history add to the score of one item.

    What is left out of a history leaves a gap there: its vector is zero, nothing follows it, and the others
    keep their places.

    Args:
        reader: A net that reads histories.
        items: Numbers of known items, oldest first.
        item: Number of the item that is explained.
        method: One of `METHODS`.
    """
    score = _score_of(reader, items, item)
    whole, none = np.ones(len(items), np.float32), np.zeros(len(items), np.float32)
    if method == "occlusion":
        adds = occlusion(score, whole, none, np.eye(len(items), dtype=bool))
    else:
        adds, _ = integrated_gradients(score, whole, none)
    return Past(items, score, adds, method.replace("_", " "), float(scored(score, whole[None])[0]))


def _score_of(reader: Reader, items: np.ndarray, item: int) -> Callable[[Any], Any]:
    """Return the score of an item by how much is kept of each item of a history, 0 to 1."""
    import keras
    from keras import ops

    layer = reader.model.get_layer(ITEMS)
    rest = keras.Model(layer.output, reader.model.output)
    vectors = ops.cast(layer(ops.convert_to_tensor(items[None])), "float32")
    of_item, of_all = _followed_by(reader, items, item)

    def score(kept: Any) -> Any:
        kept = ops.cast(ops.convert_to_tensor(kept), "float32")
        state = ops.cast(rest(vectors * kept[:, :, None], training=False)[:, -1], "float32")
        if not reader.share:
            return ops.matmul(state, reader.table[item][:, None])[:, 0]
        net = ops.softmax(ops.matmul(state, reader.table[1:].T), axis=-1)[:, item - 1]
        total = ops.sum(kept * of_all, axis=-1)
        share = reader.share * ops.cast(total > 0, "float32")
        followed = ops.divide_no_nan(ops.sum(kept * of_item, axis=-1), total)
        return ops.log(ops.maximum((1 - share + LEAST) * net + share * followed, NOTHING))

    return score


def _followed_by(reader: Reader, items: np.ndarray, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often an item, and any, has followed each item of a history, as the last counts most."""
    of_item, of_all = np.zeros(len(items), np.float32), np.zeros(len(items), np.float32)
    followed = reader.followed
    if followed is None:
        return of_item, of_all
    for place, chosen in enumerate(items.tolist()):
        start, end = followed.offsets[chosen : chosen + 2]
        weights = followed.weights[start:end] * FADING ** (len(items) - 1 - place)
        of_item[place] = weights[followed.items[start:end] == item].sum()
        of_all[place] = weights.sum()
    return of_item, of_all
