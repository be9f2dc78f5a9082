"""Which items of a history speak for what is recommended after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import numbered
from apps.recommendation.factors.explanations import Past, explained
from apps.recommendation.histories.answers import asked_histories
from apps.recommendation.histories.encoder import HistoryEncoder
from apps.recommendation.histories.scoring import Reader
from core.data.examples import Ragged
from core.errors import UserError
from core.task.attribution import occlusion

if TYPE_CHECKING:
    from core.task.explanation import Explanation


def explained_history(
    reader: Reader, encoder: HistoryEncoder, value: Any, answer: dict[str, Any]
) -> Explanation:
    """Return why an item was recommended after a history.

    Args:
        reader: A net that reads histories.
        encoder: Of its training.
        value: The raw history.
        answer: What `predict` says.

    Raises:
        UserError: Nothing is left to recommend.
    """
    if not answer["recommendations"]:
        raise UserError("Nothing is left to recommend after this history, so there is nothing to explain.")
    best = answer["recommendations"][0]
    [item] = numbered([best["item"]], encoder.item_index)
    histories, _ = asked_histories([value], encoder)
    past = past_of_items(reader, histories.before[0][-reader.length :], int(item))
    return explained(past, answer, best.get("title", best["item"]), encoder, "items of the history")


def past_of_items(reader: Reader, items: np.ndarray, item: int) -> Past:
    """Return how much less likely one item would be without each item of a history, as if never chosen.

    Gradients would not do: a net that normalises vectors says the same of them at any length.

    Args:
        reader: A net that reads histories.
        items: Numbers of known items, oldest first.
        item: Number of the item that is explained.
    """
    from keras import ops

    def score(kept: Any) -> np.ndarray:
        rows = [items[row > 0] for row in ops.convert_to_numpy(kept)]
        return reader.log_probabilities(Ragged.from_rows(rows, np.int32))[:, item]

    whole = np.ones(len(items), np.float32)
    adds = occlusion(score, whole, np.zeros_like(whole), np.eye(len(items), dtype=bool))
    return Past(items, score, adds, "occlusion", float(score(whole[None])[0]))
