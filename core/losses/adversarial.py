"""Losses of generative adversarial networks, for the discriminator and for the generator.

Each is made twice, once for either network, and called in the `train_step` of a model:

```python
discriminator_loss, generator_loss = HingeAdversarial("discriminator"), HingeAdversarial("generator")

scores = keras.ops.concatenate([discriminator(pictures), discriminator(generated)])
is_real = keras.ops.concatenate([keras.ops.ones((batch, 1)), keras.ops.zeros((batch, 1))])
discriminator_loss(is_real, scores)
generator_loss(keras.ops.zeros((batch, 1)), discriminator(generated))
```

Where the papers add the mean over real and the mean over generated samples, one call over both, as many of
the one as of the other, gives half that sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

ROLES = ("discriminator", "generator")


class AdversarialLoss(keras.losses.Loss, ABC):
    """What the adversarial losses share: two roles, and one term for each kind of sample."""

    def __init__(
        self,
        role: str,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if role not in ROLES:
            raise ValueError(f"`role` must be one of {ROLES}. Received: role={role!r}")
        self.role = role

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each score, of the shape of `y_pred`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if self.role == "generator":
            return self.generated_for_generator(y_pred)
        if len(y_true.shape) != len(y_pred.shape):
            raise ValueError(
                "`y_true` must say of each score in `y_pred` whether its sample is real, in the same shape. "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        return y_true * self.real(y_pred) + (1.0 - y_true) * self.generated(y_pred)

    @abstractmethod
    def real(self, scores: Any) -> Any:
        """Return what a real sample costs the discriminator."""

    @abstractmethod
    def generated(self, scores: Any) -> Any:
        """Return what a generated sample costs the discriminator."""

    @abstractmethod
    def generated_for_generator(self, scores: Any) -> Any:
        """Return what a generated sample costs the generator."""

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.dtype, "role": self.role}


@keras.saving.register_keras_serializable(package="quartet")
class NonSaturatingAdversarial(AdversarialLoss):
    """Logistic loss of real against generated; the generator maximises `log D` of its own samples.

    The discriminator pays `softplus(-s)` for a real sample and `softplus(s)` for a generated one, the
    generator `softplus(-s)`, which keeps its gradient where the discriminator is sure. The first is
    `keras.losses.BinaryCrossentropy(from_logits=True)`, and stands here so that a model can change its
    adversarial loss by name.

    Args:
        role: `"discriminator"` or `"generator"`.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: 1 for a real and 0 for a generated sample, in the shape of `y_pred`; a number between smooths
            the label. The generator's loss does not look at it.
        y_pred: Scores of the discriminator (logits) of any shape, such as `(batch, 1)` or one per patch.

    Raises:
        ValueError: `role` is unknown, or `y_true` and `y_pred` differ in rank.

    Reference:
        Goodfellow et al., 2014, section 3, https://arxiv.org/abs/1406.2661

    Example:

    >>> round(float(NonSaturatingAdversarial("generator")([[0.0]], [[0.0]])), 4)  # log(2)
    0.6931
    """

    def real(self, scores: Any) -> Any:
        """Return `-log D`."""
        return ops.softplus(-scores)

    def generated(self, scores: Any) -> Any:
        """Return `-log(1 - D)`."""
        return ops.softplus(scores)

    def generated_for_generator(self, scores: Any) -> Any:
        """Return `-log D`."""
        return ops.softplus(-scores)


@keras.saving.register_keras_serializable(package="quartet")
class HingeAdversarial(AdversarialLoss):
    """Hinge loss of real against generated; scores beyond 1 and -1 cost the discriminator nothing.

    The discriminator pays `max(0, 1 - s)` for a real sample and `max(0, 1 + s)` for a generated one, the
    generator `-s`.

    Args:
        role: `"discriminator"` or `"generator"`.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: 1 for a real and 0 for a generated sample, in the shape of `y_pred`. The generator's loss does
            not look at it.
        y_pred: Scores of the discriminator of any shape, such as `(batch, 1)` or one per patch.

    Raises:
        ValueError: `role` is unknown, or `y_true` and `y_pred` differ in rank.

    Reference:
        Lim and Ye, 2017, Geometric GAN, https://arxiv.org/abs/1705.02894; Miyato et al., 2018, equations 16
        and 17, https://arxiv.org/abs/1802.05957

    Example:

    >>> float(HingeAdversarial("discriminator")([[1.0], [0.0]], [[0.5], [0.5]]))  # (0.5 + 1.5) / 2
    1.0
    """

    def real(self, scores: Any) -> Any:
        """Return how far the score is below 1."""
        return ops.relu(1.0 - scores)

    def generated(self, scores: Any) -> Any:
        """Return how far the score is above -1."""
        return ops.relu(1.0 + scores)

    def generated_for_generator(self, scores: Any) -> Any:
        """Return the score with its sign turned."""
        return -scores


@keras.saving.register_keras_serializable(package="quartet")
class WassersteinAdversarial(AdversarialLoss):
    """Difference of the mean scores of generated and real samples; wants a critic with bounded slope.

    The discriminator (critic) pays `-s` for a real sample and `s` for a generated one, the generator `-s`.
    Add `10 * gradient_penalty(critic, real, generated)` to the loss of the critic, which one call over as
    many real as generated samples gives at half the scale of the paper (so 5 times the penalty there).

    Args:
        role: `"discriminator"` or `"generator"`.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: 1 for a real and 0 for a generated sample, in the shape of `y_pred`. The generator's loss does
            not look at it.
        y_pred: Scores of the critic of any shape, such as `(batch, 1)`.

    Raises:
        ValueError: `role` is unknown, or `y_true` and `y_pred` differ in rank.

    Reference:
        Arjovsky et al., 2017, equations 2 and 3, https://arxiv.org/abs/1701.07875

    Example:

    >>> float(WassersteinAdversarial("discriminator")([[1.0], [0.0]], [[3.0], [1.0]]))  # (-3 + 1) / 2
    -1.0
    """

    def real(self, scores: Any) -> Any:
        """Return the score with its sign turned."""
        return -scores

    def generated(self, scores: Any) -> Any:
        """Return the score."""
        return scores

    def generated_for_generator(self, scores: Any) -> Any:
        """Return the score with its sign turned."""
        return -scores


def gradient_penalty(
    critic: Callable[[Any], Any],
    real: Any,
    generated: Any,
    seed: int | keras.random.SeedGenerator | None = None,
) -> Any:
    """Return how far the slope of a critic is from 1 between real and generated samples.

    The mean over the batch of `(norm(gradient of critic(x) with respect to x) - 1) ** 2`, at a random point
    `x` of the line between each real sample and its generated one. It can be differentiated with respect to
    the weights of the critic and compiled.

    Works on TensorFlow (`tf.GradientTape`) and on JAX (`jax.grad`); elsewhere it raises. On JAX the critic
    must be a function of its input alone, such as `lambda x: critic.stateless_call(weights, state, x)[0]`;
    called as a layer, it must change no state. On every backend it must not mix the samples of a batch: no
    batch normalisation.

    Args:
        critic: Takes floats of the shape of `real` and returns one score per sample, or several, whose sum
            counts.
        real: Floats of shape `(batch, ...)`.
        generated: Floats of the same shape.
        seed: Where on the line: an integer for the same place at each call, a `keras.random.SeedGenerator`
            for another one each time. `None` is another one each time, but not under `jax.jit`.

    Returns:
        A float of shape `()`, in float32.

    Raises:
        NotImplementedError: The backend is neither TensorFlow nor JAX.

    Reference:
        Gulrajani et al., 2017, Improved Training of Wasserstein GANs, equation 3 and algorithm 1,
        https://arxiv.org/abs/1704.00028

    Example:

    >>> def critic(x):
    ...     return 2.0 * keras.ops.sum(x, axis=-1)
    >>> float(gradient_penalty(critic, keras.ops.ones((2, 4)), keras.ops.zeros((2, 4))))  # (4 - 1) ** 2
    9.0
    """
    real, generated = ops.convert_to_tensor(real), ops.convert_to_tensor(generated)
    generated = ops.cast(generated, real.dtype)
    batch_size = ops.shape(real)[0]
    place = keras.random.uniform((batch_size,) + (1,) * (len(real.shape) - 1), dtype=real.dtype, seed=seed)
    gradient = input_gradient(critic, real + place * (generated - real))
    gradient = ops.reshape(ops.cast(gradient, "float32"), (batch_size, -1))
    # The small constant keeps the gradient of the root finite where the critic is flat.
    norm = ops.sqrt(ops.sum(ops.square(gradient), axis=-1) + 1e-12)
    return ops.mean(ops.square(norm - 1.0))


def input_gradient(function: Callable[[Any], Any], inputs: Any) -> Any:
    """Return the gradient of the sum of a function's values with respect to its input."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = ops.sum(function(inputs))
        return tape.gradient(total, inputs, unconnected_gradients="zero")
    if backend == "jax":
        import jax

        return jax.grad(lambda x: ops.sum(function(x)))(inputs)
    raise NotImplementedError(
        f"`gradient_penalty` needs the TensorFlow or the JAX backend. Received: backend={backend!r}"
    )
