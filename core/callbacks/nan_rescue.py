"""Go back and lower the learning rate when a training diverges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from core.callbacks.learning_rate import ScaledSchedule, rated_optimizers, schedule_of
from core.callbacks.model_state import lacks_weights, model_state, restore_model_state


class DivergedError(ArithmeticError):
    """Training gave losses or weights that are not finite more often than `NaNRescue` may mend."""


class NaNRescue(keras.callbacks.Callback):
    """Goes back to the last good state, with a lower learning rate, when a loss or a weight is not finite.

    A good state is the whole model with its optimizer, random seeds and running averages, kept in memory at
    the beginning of every epoch and every so many steps. After a rescue the training goes on with the next
    batch. Callbacks that set the learning rate themselves, such as `keras.callbacks.LearningRateScheduler`,
    undo its lowering; schedules of the optimizer do not.

    Losses are the logs named `loss` or `..._loss`. Place this callback before those that save.

    Args:
        max_rescues: How often to go back, at least 0. At the next divergence training ends with
            `DivergedError`, and the model holds the last good state.
        factor: What each rescue multiplies the learning rate by, between 0 and 1.
        every_steps: Steps between the good states that are kept within an epoch, at least 1. Each costs a
            copy of all variables. Steps that are executed together are looked at together.

    Attributes:
        rescues: How often it has gone back.
        events: What happened, a sentence for each.

    Raises:
        DivergedError: While training, see `max_rescues`.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(1e30), "mse")
    >>> rescue = NaNRescue(max_rescues=4, factor=1e-9)
    >>> history = model.fit(np.ones((32, 1)), np.zeros((32, 1)), epochs=2, callbacks=[rescue], verbose=0)
    >>> bool(np.isfinite(model.get_weights()[0]).all())
    True
    """

    def __init__(self, max_rescues: int = 3, factor: float = 0.5, every_steps: int = 100) -> None:
        super().__init__()
        if max_rescues < 0 or every_steps < 1 or not 0 < factor < 1:
            raise ValueError(
                "max_rescues must be at least 0, every_steps at least 1, factor between 0 and 1. "
                f"Received: max_rescues={max_rescues}, every_steps={every_steps}, factor={factor}."
            )
        self.max_rescues = max_rescues
        self.factor = factor
        self.every_steps = every_steps
        self._begin()

    def _begin(self) -> None:
        self.rescues = 0
        self.events: list[str] = []
        self._epoch = self._step = self._next_batch = 0
        self._good: dict[str, np.ndarray] | None = None

    def on_train_begin(self, logs: Mapping | None = None) -> None:
        """Forget the last training."""
        self._begin()

    def on_epoch_begin(self, epoch: int, logs: Mapping | None = None) -> None:
        """Keep the state."""
        self._epoch, self._step, self._next_batch = epoch, 0, 0
        if self._good is not None or not lacks_weights(self.model):
            self._keep()

    def on_train_batch_begin(self, batch: int, logs: Mapping | None = None) -> None:
        """Lower the schedules again after a resume, which restores `rescues` but not the schedules."""
        self._next_batch = batch
        if batch == 0:
            self._scale_schedules()

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        """Go back if a loss is not finite, or keep the state if it is time to."""
        # Keras counts the batches of a resumed epoch anew, and calls once for steps executed together.
        steps_before = self._step
        self._step += batch + 1 - self._next_batch
        self._next_batch = batch + 1
        bad = [
            f"{name} was {value}"
            for name, value in (logs or {}).items()
            if (name == "loss" or name.endswith("_loss")) and not math.isfinite(value)
        ]
        if bad:
            self._rescue(", ".join(bad))
        elif self._good is None or self._step // self.every_steps > steps_before // self.every_steps:
            self._keep()
        elif self._step >= ((self.params or {}).get("steps") or math.inf):  # before the epoch is validated
            self._check_weights()

    def on_epoch_end(self, epoch: int, logs: Mapping | None = None) -> None:
        """Go back if a weight is not finite, before the epoch is saved: its last step may have had no end."""
        self._check_weights()

    def _keep(self) -> None:
        model = self.model
        if model.built and self._check_weights():
            self._good = model_state(model)

    def _check_weights(self) -> bool:
        spoilt = _spoilt_variable(self.model)
        if spoilt is not None:
            self._rescue(f"weight {spoilt} was not finite")
        return spoilt is None

    def _rescue(self, what: str) -> None:
        model = self.model
        where = f"{what} in epoch {self._epoch}, step {self._step}"
        if self._good is None:
            raise DivergedError(f"Before any good state {where}. Look at the data and the initial weights.")
        rates = {optimizer: _rate(optimizer) for optimizer in rated_optimizers(model)}
        model.reset_metrics()
        restore_model_state(model, self._good)
        if self.rescues == self.max_rescues:
            raise DivergedError(
                f"After {self.rescues} rescues {where}. The model holds the last good state. Look at the "
                "data, or start with a lower learning rate. "
                f"Received: learning rate {', '.join(map(str, rates.values()))}."
            )
        self.rescues += 1
        for optimizer, rate in rates.items():
            if schedule_of(optimizer) is None:
                optimizer.learning_rate = rate * self.factor
        self._scale_schedules()
        self.events.append(f"{where}: back to the last good state, learning rate times {self.factor}")

    def _scale_schedules(self) -> None:
        scale, changed = self.factor**self.rescues, False
        for optimizer in rated_optimizers(self._model):
            schedule: Any = schedule_of(optimizer)
            if schedule is None:
                continue
            scaled = schedule if isinstance(schedule, ScaledSchedule) else ScaledSchedule(schedule, 1.0)
            if scaled.scale != scale:
                optimizer.learning_rate = ScaledSchedule(scaled.schedule, scale)
                changed = True
        if changed:  # the compiled step has the former schedule in it
            self._model.make_train_function(force=True)


def _rate(optimizer: keras.optimizers.Optimizer) -> float:
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def _spoilt_variable(model: keras.Model) -> str | None:
    """Return the path of a variable that is NaN somewhere or, if it is trained, infinite."""
    trained = {id(variable) for variable in model.trainable_variables}
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            value = keras.ops.convert_to_numpy(variable)
            if np.isnan(value).any() or (id(variable) in trained and np.isinf(value).any()):
                return variable.path
    return None
