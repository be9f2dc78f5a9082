"""How a model is fitted, and all that a fit is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.errors import UserError
from core.settings import Settings

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.callbacks import ExactResume, Throughput
    from core.data.examples import Splits


class Fit(Settings):
    """How a model is fitted: the optimizer, its rate over time, and when to stop."""

    epochs: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        10,
        description="passes over the training part, at most; auto: least_epochs, and more where these are "
        "fewer than least_steps",
    )
    least_epochs: int = Field(10, ge=1, description="where epochs is auto")
    least_steps: int = Field(400, ge=1, description="of the optimizer, where epochs is auto")
    batch_size: int = Field(64, ge=1, description="examples a step")
    optimizer: Literal[
        "adam", "adamw", "sgd", "rmsprop", "adagrad", "lion", "muon", "lazy_adam", "row_wise_adagrad"
    ] = Field("adam", description="Keras optimizer, or one of core.optimizers for large tables")
    learning_rate: float = Field(1e-3, gt=0, description="highest learning rate")
    schedule: Literal["constant", "cosine"] = Field("constant", description="learning rate over the steps")
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the steps in which the rate rises from 0")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the whole gradient")
    average_weights: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="momentum of an exponential average of the weights, which is kept at the end",
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="Keras dtype policy while training; auto tries whether bfloat16 is faster"
    )
    jit_compile: bool | Literal["auto"] = Field(
        "auto", description="compile the step with XLA; auto tries whether that is faster"
    )
    steps_per_execution: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto",
        description="steps that run at one call, a divisor of those of an epoch; auto tries whether several "
        "are faster",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="stop after so many epochs without gain on validation and keep the best weights",
    )
    imbalance: Literal["none", "weights", "sampler"] = Field(
        "none", description="rare classes: weighted in the loss, or drawn more often"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and augmentation")
    checkpoint_seconds: float = Field(
        30.0, ge=0, description="time between checkpoints for --resume; 0: every step"
    )
    rescues: int = Field(
        3,
        ge=0,
        description="how often a loss that is not finite is answered by the last good state and a lower rate",
    )
    tensorboard: bool = Field(True, description="write logs/ for TensorBoard")

    @property
    def planned_epochs(self) -> int:
        """Passes over the training part; where they are left to its size, those of a large one."""
        return self.least_epochs if self.epochs == "auto" else self.epochs

    def epochs_of(self, num_steps: int) -> int:
        """Return the passes over a training part of so many steps each.

        Example:

        >>> Fit(epochs="auto", least_epochs=12, least_steps=400).epochs_of(num_steps=6)
        67
        """
        return max(self.planned_epochs, -(-self.least_steps // num_steps) if self.epochs == "auto" else 1)

    def steps_together(self, num_steps: int) -> int:
        """Return how many steps run at one call, for epochs of `num_steps`; one where that is left open.

        Raises:
            UserError: They do not divide an epoch, which Keras would let run over its end.
        """
        together = 1 if self.steps_per_execution == "auto" else self.steps_per_execution
        if num_steps % together:
            raise UserError(
                f"fit.steps_per_execution must divide the {num_steps} steps of an epoch. "
                f"Received: {together}."
            )
        return together

    def keras_optimizer(self, num_steps: int) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer for a training of `num_steps` steps in all."""
        import keras

        rate: Any = self.learning_rate
        if self.schedule == "cosine" or self.warmup:
            warmup_steps = round(self.warmup * num_steps)
            rate = keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0 if warmup_steps else rate,
                warmup_target=rate if warmup_steps else None,
                warmup_steps=warmup_steps,
                decay_steps=max(num_steps - warmup_steps, 1),
                alpha=0.0 if self.schedule == "cosine" else 1.0,
            )
        extra: dict[str, Any] = {"momentum": 0.9, "nesterov": True} if self.optimizer == "sgd" else {}
        return _optimizer_class(self.optimizer)(
            learning_rate=rate,
            weight_decay=self.weight_decay or None,  # which spares a pass over all weights
            global_clipnorm=self.clip_norm,
            use_ema=self.average_weights is not None,
            ema_momentum=self.average_weights or 0.99,
            **extra,
        )


def _optimizer_class(name: str) -> type[keras.optimizers.Optimizer]:
    import keras

    from core import optimizers

    own: dict[str, type[keras.optimizers.Optimizer]] = {
        "adam": optimizers.FusedAdam,
        "adamw": optimizers.FusedAdam,  # Adam with weight decay
        "lazy_adam": optimizers.LazyAdam,
        "row_wise_adagrad": optimizers.RowWiseAdagrad,
    }
    return own.get(name) or type(keras.optimizers.get(name))


@dataclass(frozen=True, eq=False)
class Training:
    """All that `Task.fit` is given.

    Args:
        model: What `Task.build` returned; it is trained in place.
        encoder: What `Task.encode` returned.
        splits: Of which the train and validation parts are used.
        fit: Epochs, batch size, optimizer and the rest.
        resume: Says in which epoch and at which step to start; it is the last of the callbacks.
        callbacks: All that follow the training, in the order of their calls, `resume` among them.
        throughput: Measures the speed, and how long the training waits for data; nothing where nobody asks.
    """

    model: keras.Model
    encoder: Any
    splits: Splits
    fit: Fit
    resume: ExactResume
    callbacks: Sequence[keras.callbacks.Callback]
    throughput: Throughput | None = None

    def watched(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Return the same batches, whose arrival `throughput` measures."""
        return batches if self.throughput is None else self.throughput.watch(batches)
