"""Cross-entropy of a chosen item and of many sampled ones, each on its own, with probabilities set right."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.losses.labels import LabelLoss
from core.losses.ranking import check_candidates, left_out


@keras.saving.register_keras_serializable(package="quartet")
class GeneralizedBinaryCrossentropy(LabelLoss):
    """Binary cross-entropy of a chosen item and sampled ones, of which too few make a model overconfident.

    With few negatives an item is far likelier to be the chosen one among those that are scored than in the
    catalogue, and a model that learns those odds tells the best items no longer apart. So the probability of
    the chosen item is raised to a power below 1, `beta`, by which the probabilities are those of the
    catalogue again: `-beta log(sigmoid(s_chosen)) - sum_j log(1 - sigmoid(s_j))`.

    Args:
        num_items: Of the catalogue, more than one.
        calibration: How much of the error is undone: 0 is plain binary cross-entropy, 1 all of it.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Ids of the items, of shape `(batch, 1 + num_negatives)`, below 2**24. A sampled item with the
            id of the chosen one, or with an id below 0 (padding), is left out. A row whose chosen item is
            padding costs 0 and has no gradient; the mean counts it, unless its sample weight is 0.
        y_pred: Scores of these items, of the same shape; the chosen item is the first column.

    Raises:
        ValueError: The shapes differ, there are no sampled items, or an argument is out of range.

    Reference:
        Petrov and Macdonald, 2023, gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with
        Negative Sampling, equations 11 to 13, https://arxiv.org/abs/2308.07192

    Example:

    >>> loss = GeneralizedBinaryCrossentropy(num_items=5, calibration=1.0)
    >>> round(float(loss([[3, 1, 2]], [[0.0, 0.0, 0.0]])), 4)  # log(2) times beta, which is 2 / 4, and twice
    1.7329
    """

    def __init__(
        self,
        num_items: int,
        calibration: float = 0.75,
        reduction: str | None = "sum_over_batch_size",
        name: str = "generalized_binary_crossentropy",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        if num_items < 2 or not 0 <= calibration <= 1:
            raise ValueError(
                "num_items must be at least 2, and calibration from 0 to 1. "
                f"Received: num_items={num_items}, calibration={calibration}."
            )
        self.num_items, self.calibration = num_items, calibration

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row, of shape `(batch,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_candidates(y_true, y_pred)
        share = min((y_pred.shape[1] - 1) / (self.num_items - 1), 1.0)
        beta = share * (self.calibration * (1 - 1 / share) + 1 / share)
        counts = ops.cast(ops.logical_not(left_out(y_true)), y_pred.dtype)[:, 1:]
        losses = beta * ops.softplus(-y_pred[:, 0]) + ops.sum(ops.softplus(y_pred[:, 1:]) * counts, axis=-1)
        return ops.where(y_true[:, 0] >= 0, losses, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "num_items": self.num_items, "calibration": self.calibration}
