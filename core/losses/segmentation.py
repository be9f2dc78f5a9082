"""Losses for masks: overlap of regions together with the cross-entropy of pixels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class DiceCrossentropy(keras.losses.Loss):
    """Cross-entropy of pixels, and one minus the overlap of each class, from whole-number masks and logits.

    Keras' own `Dice` and `Tversky` take one-hot masks and probabilities, have no class that is left out, and
    mean over no classes. With `alpha` and `beta` of 0.5 the overlap is Dice, with other ones Tversky's.

    Args:
        overlap_weight: Weight of the overlap, from 0 to 1; what is left is that of the cross-entropy.
        alpha: Weight of pixels that are wrongly said to be of a class.
        beta: Weight of pixels of a class that are missed.
        gamma: Of a focal cross-entropy: 0 weighs all pixels alike, 2 those that are right already little.
        ignore_class: Value of pixels that nobody has judged.
        smooth: Pixels that are added to both parts of the overlap, so that a class that is not there counts
            as found where it is not predicted.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: Whole numbers of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.

    Raises:
        ValueError: A weight is out of its range.

    Reference:
        Milletari et al., 2016, V-Net; Salehi et al., 2017, Tversky loss function for image segmentation; Lin
        et al., 2017, Focal loss for dense object detection; the sum as in Isensee et al., 2021, nnU-Net.

    Example:

    >>> loss = DiceCrossentropy(overlap_weight=1.0, smooth=0.0)
    >>> round(float(loss([[[0, 1]]], [[[[50.0, 0.0], [50.0, 0.0]]]])), 4)  # Dice 2/3 and 0
    0.6667
    """

    def __init__(
        self,
        overlap_weight: float = 0.5,
        alpha: float = 0.5,
        beta: float = 0.5,
        gamma: float = 0.0,
        ignore_class: int | None = None,
        smooth: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice_crossentropy",
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not 0 <= overlap_weight <= 1 or min(alpha, beta, gamma, smooth) < 0:
            raise ValueError(
                "`overlap_weight` must be from 0 to 1, and alpha, beta, gamma and smooth at least 0. "
                f"Received: overlap_weight={overlap_weight}, alpha={alpha}, beta={beta}, gamma={gamma}, "
                f"smooth={smooth}."
            )
        self.overlap_weight, self.alpha, self.beta, self.gamma = overlap_weight, alpha, beta, gamma
        self.ignore_class, self.smooth = ignore_class, smooth

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each picture, shape `(batch_size,)`."""
        y_pred = ops.cast(y_pred, self.dtype)
        y_true = ops.cast(y_true, "int32")
        known = ops.ones_like(y_true, dtype=self.dtype)
        if self.ignore_class is not None:
            known = ops.cast(ops.not_equal(y_true, self.ignore_class), self.dtype)
            y_true = ops.where(ops.equal(y_true, self.ignore_class), 0, y_true)
        truth = ops.one_hot(y_true, y_pred.shape[-1], dtype=self.dtype)
        logs = ops.log_softmax(y_pred, axis=-1)
        axes = (1, 2)
        log = ops.sum(truth * logs, axis=-1)
        entropy = -log * (1.0 - ops.exp(log)) ** self.gamma if self.gamma else -log
        entropy = ops.sum(entropy * known, axis=axes) / ops.maximum(ops.sum(known, axis=axes), 1.0)
        return (1 - self.overlap_weight) * entropy + self.overlap_weight * self._missing(
            truth * known[..., None], ops.exp(logs) * known[..., None]
        )

    def _missing(self, truth: Any, shares: Any) -> Any:
        axes = (1, 2)
        both = ops.sum(truth * shares, axis=axes)
        wrong, missed = ops.sum(shares, axis=axes) - both, ops.sum(truth, axis=axes) - both
        whole = both + self.alpha * wrong + self.beta * missed
        overlap = (both + self.smooth) / (whole + self.smooth + 1e-7)
        return 1.0 - ops.mean(overlap, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        own = ("overlap_weight", "alpha", "beta", "gamma", "ignore_class", "smooth")
        return {**super().get_config(), "dtype": self.dtype, **{name: getattr(self, name) for name in own}}
