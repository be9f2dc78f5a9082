"""The learning rate range test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from core.callbacks.learning_rate import LearningRateSchedule, schedule_of
from core.callbacks.model_state import model_state, restore_model_state

# The test ends when the mean of the last few losses has risen so far above the lowest such mean.
_FEW, _RISE = 5, 4.0


class LearningRateFinder(keras.callbacks.Callback):
    """Raises the learning rate from step to step, notes the loss, and leaves the model as it was.

    The range test of Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3, with
    rates that rise geometrically. Run it in a `fit` of its own: one epoch of `num_steps` steps, without other
    callbacks that change the learning rate. The test ends early when the mean of five losses is four times
    the lowest such mean. Weights, optimizer, seeds and running averages are afterwards what they were.
    Steps that are executed together share the rate of the first, and their mean loss counts as one.

    The suggestion is the rate at which the smoothed loss fell fastest, per factor of the rate, before its
    lowest value. It is a peak rate for a schedule, or a rate for training without one.

    Args:
        min_rate: The first learning rate, above 0.
        max_rate: The last learning rate, above `min_rate`.
        num_steps: Steps from the first to the last, at least 10. `steps_per_epoch` must be as large. With
            `steps_per_execution` above 1, take some ten executions or more.

    Attributes:
        rates: The learning rates tried, float64, shape `(num_tried,)`.
        losses: The loss of the batch, or of the batches of one execution, at each, float64, same shape.
        suggestion: The suggested learning rate, None if the loss never fell.

    Raises:
        ValueError: When training begins, if the model's optimizer has no learning rate, or several.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(800, 2))
    >>> finder = LearningRateFinder(num_steps=50)
    >>> history = model.fit(x, x[:, :1], batch_size=16, callbacks=[finder], verbose=0)
    >>> bool(0.001 < finder.suggestion < 1)
    True
    """

    def __init__(self, min_rate: float = 1e-6, max_rate: float = 10.0, num_steps: int = 100) -> None:
        super().__init__()
        if not 0 < min_rate < max_rate or num_steps < 10:
            raise ValueError(
                "min_rate must be above 0 and below max_rate, num_steps at least 10. "
                f"Received: min_rate={min_rate}, max_rate={max_rate}, num_steps={num_steps}."
            )
        self.min_rate = min_rate
        self.max_rate = max_rate
        self.num_steps = num_steps
        self._begin()

    def _begin(self) -> None:
        self.rates = np.zeros(0)
        self.losses = np.zeros(0)
        self.suggestion: float | None = None
        self._lowest = math.inf
        self._rate = self.min_rate
        self._before: dict[str, np.ndarray] = {}
        self._schedule: LearningRateSchedule | None = None

    def on_train_begin(self, logs: Mapping | None = None) -> None:
        """Note the state of the model."""
        self._begin()
        model = self.model
        if model.optimizer is None or hasattr(model.optimizer, "optimizers"):
            raise ValueError(
                "LearningRateFinder tries one learning rate: compile with an optimizer that has one. "
                f"Received: {type(model.optimizer).__name__}."
            )
        self._before = model_state(model)
        self._schedule = schedule_of(model.optimizer)
        if self._schedule is not None:
            start = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
            model.optimizer.learning_rate = _GeometricSchedule(self, start, model.steps_per_execution)
            model.make_train_function(force=True)

    def on_train_batch_begin(self, batch: int, logs: Mapping | None = None) -> None:
        """Set the learning rate of the step."""
        model = self.model
        model.reset_metrics()  # so that the loss in the logs is that of this batch alone
        self._rate = self.rate_at(batch)
        if self._schedule is None:
            model.optimizer.learning_rate = self._rate

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        """Note the loss of the step, and end the test if there is nothing left to learn from it."""
        loss = float((logs or {})["loss"])
        self.rates = np.append(self.rates, self._rate)
        self.losses = np.append(self.losses, loss)
        recent = float(np.mean(self.losses[-_FEW:]))
        self._lowest = min(self._lowest, recent)
        if batch + 1 >= self.num_steps or not math.isfinite(loss) or recent > _RISE * self._lowest:
            self._model.stop_training = True

    def on_train_end(self, logs: Mapping | None = None) -> None:
        """Restore the model and make the suggestion."""
        model = self.model
        if self._schedule is not None:
            model.optimizer.learning_rate = self._schedule
            model.make_train_function(force=True)
        model.reset_metrics()
        restore_model_state(model, self._before)
        model.stop_training = False
        self._before = {}
        self.suggestion = suggested_rate(self.rates, self.losses)

    def rate_at(self, step: Any) -> Any:
        """Return the learning rate of a step from 0."""
        return self.min_rate * (self.max_rate / self.min_rate) ** (step / (self.num_steps - 1))


class _GeometricSchedule(LearningRateSchedule):
    """The rates of the test, for an optimizer that has a schedule and hence no rate that can be set."""

    def __init__(self, finder: LearningRateFinder, start: int, together: int) -> None:
        super().__init__()
        self.finder = finder
        self.start = start
        self.together = together

    def __call__(self, step: Any) -> Any:
        first_of_execution = (step - self.start) // self.together * self.together
        return self.finder.rate_at(keras.ops.cast(first_of_execution, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {"finder": self.finder, "start": self.start, "together": self.together}


def smoothed(losses: np.ndarray) -> np.ndarray:
    """Return the mean of each loss and its neighbours, a tenth of all to either side.

    Args:
        losses: Shape `(num_steps,)`.

    Returns:
        The means, same shape; at the ends there are fewer neighbours.
    """
    window = np.ones(2 * (len(losses) // 10) + 1)
    return np.convolve(losses, window, "same") / np.convolve(np.ones(len(losses)), window, "same")


def suggested_rate(rates: np.ndarray, losses: np.ndarray) -> float | None:
    """Return the rate at which the smoothed loss falls fastest, None if it never falls.

    Args:
        rates: Rising learning rates, shape `(num_steps,)`.
        losses: The loss at each, same shape. What follows the first that is not finite is left out.
    """
    finite = np.isfinite(losses)
    end = len(losses) if finite.all() else int(np.argmin(finite))
    if end < 2:
        return None
    smooth = smoothed(losses[:end])
    lowest = int(np.argmin(smooth))
    if lowest == 0:
        return None
    slopes = np.gradient(smooth[: lowest + 1], np.log(rates[: lowest + 1]))
    steepest = int(np.argmin(slopes))
    return float(rates[steepest]) if slopes[steepest] < 0 else None
