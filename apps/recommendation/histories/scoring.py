"""What a net says of histories: the state after the last item of each, and the scores of all items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.catalogue.interactions import padded
from apps.recommendation.histories.memory import NOTHING, mixed
from apps.recommendation.histories.nets import item_table, memory_layer
from core.data.examples import Ragged

if TYPE_CHECKING:
    import keras

    from apps.recommendation.catalogue.judging import ScoreUsers
    from apps.recommendation.histories.encoder import Histories

ROWS = 512  # histories that are read at once
MULTIPLE = 4  # of which the steps of a batch are, so that there are few shapes


def latest(rows: Ragged, length: int) -> Ragged:
    """Return the last values of each row, `length` at most.

    Example:

    >>> latest(Ragged.from_rows([[1, 2, 3], [4]]), 2).values.tolist()
    [2, 3, 4]
    """
    kept = np.minimum(rows.lengths, length)
    offsets = np.concatenate([[0], np.cumsum(kept)])
    places = np.arange(offsets[-1]) + np.repeat(rows.offsets[1:] - offsets[1:], kept)
    return Ragged(rows.values[places], offsets)


def last_states(model: keras.Model, histories: Ragged) -> np.ndarray:
    """Return the state after the last item of each history.

    Args:
        model: A net that reads histories.
        histories: Numbers of known items, oldest first.

    Returns:
        float32, shape `(num_histories, width)`; zeros where a history is empty.
    """
    from core.data.feed import for_backend

    order = np.argsort(-histories.lengths, kind="stable")[: np.count_nonzero(histories.lengths)]
    states = np.zeros((len(histories), model.output_shape[-1]), np.float32)
    model.jit_compile = False  # XLA would compile the net anew for each shape
    for start in range(0, len(order), ROWS):
        block = order[start : start + ROWS]
        own = histories.take(block)
        steps = -(-int(own.lengths.max()) // MULTIPLE) * MULTIPLE
        items, _ = padded(own, length=steps)
        read = np.asarray(model.predict_on_batch(for_backend({"history": items})), np.float32)
        states[block] = read[np.arange(len(block)), own.lengths - 1]
    return states


class Reader:
    """A trained net as a function from histories to scores; the vectors of the items are taken once.

    Args:
        model: A net that reads histories.
        length: How many of the last items are read.
        counts: How often each item was chosen, which are the scores where a history is empty, shape
            `(num_items,)`.
        share: Of what has followed the items of a history in training, 0 to 1; by default what the net holds.
    """

    def __init__(
        self, model: keras.Model, length: int, counts: np.ndarray, share: float | None = None
    ) -> None:
        from keras import ops

        memory = memory_layer(model)
        self.model, self.length, self.counts = model, length, counts
        self.table = np.asarray(ops.convert_to_numpy(item_table(model)), np.float32)
        self.followed = None if memory is None else memory.recall()
        held = 0.0 if memory is None else float(ops.convert_to_numpy(memory.share))
        self.share = held if share is None else share

    def __call__(self, histories: Histories) -> ScoreUsers:
        """Return the function from numbers of people, from 1, to their scores of all items.

        These are the net's own; or where it has a share of what has followed, logarithms of probabilities.
        """
        read = latest(histories.before, self.length)
        states, nothing = last_states(self.model, read), read.lengths == 0

        def scores(people: np.ndarray) -> np.ndarray:
            found = states[people - 1] @ self.table.T
            if self.share:
                found = mixed(found, self._followed(read.take(people - 1)), self.share)
            found[nothing[people - 1]] = self.counts
            return found

        return scores

    def log_probabilities(self, histories: Ragged) -> np.ndarray:
        """Return the logarithm of the probability of each item after each history.

        Where a history is empty, they are those of an item that anybody has chosen.

        Returns:
            float32, shape `(num_histories, num_items)`.
        """
        logits = last_states(self.model, histories) @ self.table.T
        logits[histories.lengths == 0] = np.log(np.maximum(self.counts, np.float32(NOTHING)))
        return mixed(logits, self._followed(histories), self.share)

    def _followed(self, histories: Ragged) -> np.ndarray:
        if self.followed is None:
            return np.zeros((len(histories), len(self.counts)), np.float32)
        return self.followed.after(histories.values, histories.offsets)
