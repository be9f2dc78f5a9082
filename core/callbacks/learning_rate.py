"""Learning rates that a callback can change, be they variables or schedules."""

from __future__ import annotations

from typing import Any

import keras
from keras.optimizers.schedules import LearningRateSchedule

from core.callbacks.model_state import optimizers_of


@keras.saving.register_keras_serializable(package="quartet")
class ScaledSchedule(LearningRateSchedule):
    """A learning rate schedule times a constant.

    Args:
        schedule: The schedule.
        scale: What its rates are multiplied by, above 0.

    Example:

    >>> decay = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    >>> float(ScaledSchedule(decay, 0.1)(2))
    0.0025...
    """

    def __init__(self, schedule: LearningRateSchedule, scale: float) -> None:
        super().__init__()
        self.schedule = schedule
        self.scale = scale

    def __call__(self, step: Any) -> Any:
        """Return the rate at a step, a scalar."""
        return self.schedule(step) * self.scale

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {
            "schedule": keras.optimizers.schedules.serialize(self.schedule),
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ScaledSchedule:
        """Construct from what `get_config` returned."""
        return cls(keras.optimizers.schedules.deserialize(config["schedule"]), config["scale"])


def rated_optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """Return the optimizers that have a learning rate: a `MultiOptimizer` leaves that to its parts."""
    return [
        part for optimizer in optimizers_of(model) for part in getattr(optimizer, "optimizers", [optimizer])
    ]


def schedule_of(optimizer: keras.optimizers.Optimizer) -> LearningRateSchedule | None:
    """Return an equal of the optimizer's schedule, None if its learning rate is a variable."""
    if isinstance(optimizer.learning_rate, keras.Variable):
        return None
    config = optimizer.get_config()
    while "inner_optimizer" in config:  # a LossScaleOptimizer
        config = config["inner_optimizer"]["config"]
    return keras.optimizers.schedules.deserialize(config["learning_rate"])
