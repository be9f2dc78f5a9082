"""Losses for one class out of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from core.losses.labels import LabelLoss


def log_probabilities(y_pred: Any, from_logits: bool) -> Any:
    """Return the logarithm of class probabilities, from logits or from the probabilities themselves.

    Args:
        y_pred: Floats of shape `(..., num_classes)`.
        from_logits: Whether `y_pred` holds logits; otherwise it holds probabilities, which are scaled to a
            sum of 1 and kept above `keras.config.epsilon()`.

    Returns:
        Floats of the shape of `y_pred`, at most 0.
    """
    if from_logits:
        return ops.log_softmax(y_pred, axis=-1)
    y_pred = ops.divide_no_nan(y_pred, ops.sum(y_pred, axis=-1, keepdims=True))
    return ops.log(ops.clip(y_pred, keras.config.epsilon(), 1.0))


@keras.saving.register_keras_serializable(package="quartet")
class FocalCrossentropy(LabelLoss):
    """Cross-entropy that turns from easy examples to hard ones, for integer, one-hot or mixed targets.

    For each example the loss is `-sum_k w_k * y_k * (1 - p_k) ** gamma * log(p_k)`, which is equation 5 of
    Lin et al. for a one-hot `y`. `y` is smoothed before it is weighted.

    `keras.losses.CategoricalFocalCrossentropy` computes the same sum, but takes no integer targets, and from
    logits it clips the probabilities, so an example which is wrong by more than 16 has a gradient of
    zero. Here the logarithm is taken of the logits and the gradient stays.

    Args:
        gamma: Focus, at least 0: how fast the weight of an example falls as its probability rises. 0 is plain
            cross-entropy.
        label_smoothing: In [0, 1): the share of each target that is spread evenly over all classes.
        class_weights: One weight of at least 0 per class, or `None` for weights of 1. The loss is divided by
            the number of examples, not by the sum of their weights.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Integer classes of shape `(...)` or `(..., 1)`, or the probability of each class (one-hot,
            MixUp, soft labels) of shape `(..., num_classes)`. An integer that is not in `[0, num_classes)`
            makes the loss of its example NaN.
        y_pred: Floats of shape `(..., num_classes)`, with at least 2 classes.

    Raises:
        ValueError: An argument is out of its range, or the number of classes is not that of the weights.

    Reference:
        Lin et al., 2017, Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002

    Example:

    >>> loss = FocalCrossentropy(gamma=2.0, class_weights=[1.0, 3.0], from_logits=True)
    >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # 3 * 0.25 * log(2)
    0.5199
    """

    def __init__(
        self,
        gamma: float = 2.0,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_crossentropy",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        if gamma < 0:
            raise ValueError(f"`gamma` must be at least 0. Received: gamma={gamma}")
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        if class_weights is not None:
            class_weights = [float(weight) for weight in class_weights]
            if not all(np.isfinite(weight) and weight >= 0 for weight in class_weights):
                raise ValueError(
                    f"`class_weights` must be finite and at least 0. Received: class_weights={class_weights}"
                )
        self.gamma = gamma
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, of shape `(...)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        num_classes = y_pred.shape[-1]
        self._check_num_classes(num_classes)
        y_true = self._target_probabilities(y_true, y_pred)
        if self.label_smoothing:
            y_true = (1.0 - self.label_smoothing) * y_true + self.label_smoothing / num_classes
        # A class without target mass adds nothing, even where its logit is -inf.
        log_p = ops.where(ops.equal(y_true, 0.0), 0.0, log_probabilities(y_pred, self.from_logits))
        loss = -y_true * log_p
        if self.gamma:
            # The floor keeps the gradient of the power finite at p = 1 for gamma below 1.
            loss = loss * ops.power(ops.maximum(-ops.expm1(log_p), keras.config.epsilon()), self.gamma)
        if self.class_weights is not None:
            loss = loss * ops.convert_to_tensor(self.class_weights, dtype=self.dtype)
        return ops.sum(loss, axis=-1)

    def _check_num_classes(self, num_classes: int) -> None:
        if num_classes < 2:
            raise ValueError(
                "`y_pred` must have at least 2 classes in its last dimension; for one probability use "
                f"`keras.losses.BinaryFocalCrossentropy`. Received: {num_classes} class"
            )
        if self.class_weights is not None and len(self.class_weights) != num_classes:
            raise ValueError(
                "`class_weights` must hold one weight per class. "
                f"Received: {len(self.class_weights)} weights for {num_classes} classes"
            )

    def _target_probabilities(self, y_true: Any, y_pred: Any) -> Any:
        num_classes = y_pred.shape[-1]
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == num_classes:
            return y_true
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
            y_true = ops.squeeze(y_true, axis=-1)
        if len(y_true.shape) != len(y_pred.shape) - 1:
            raise ValueError(
                "`y_true` must hold integers of shape (...) or probabilities of shape (..., num_classes) for "
                f"`y_pred` of shape (..., num_classes). Received: y_true.shape={y_true.shape}, "
                f"y_pred.shape={y_pred.shape}"
            )
        known = ops.logical_and(y_true >= 0, y_true < num_classes)
        one_hot = ops.one_hot(ops.cast(y_true, "int32"), num_classes, dtype=self.dtype)
        return ops.where(ops.expand_dims(known, axis=-1), one_hot, float("nan"))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
            "from_logits": self.from_logits,
        }
