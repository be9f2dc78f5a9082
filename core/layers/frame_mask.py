"""Silences what lies beyond the end of each sequence of a batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class FrameMask(keras.layers.Layer):
    """Sets the frames beyond the length of each sequence to 0.

    Behind each convolution over time it keeps an answer from depending on how far a batch is padded.

    Args:
        with_mask: Give the layers that follow a Keras mask as well, as recurrent ones and attention need it.

    Call arguments:
        inputs: A pair: frames, float, shape `(batch_size, num_frames, ...)`, and lengths, integers, shape
            `(batch_size,)`.

    Output shape:
        That of the frames.

    Example:

    >>> frames = keras.ops.ones((2, 3, 1))
    >>> keras.ops.squeeze(FrameMask()([frames, keras.ops.array([1, 3])]), -1).numpy().tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """

    def __init__(self, with_mask: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.with_mask = with_mask
        self.supports_masking = True

    def call(self, inputs: tuple[Any, Any]) -> Any:
        """Return the frames, those beyond the ends as 0."""
        frames, lengths = inputs
        inside = ops.cast(_inside(frames, lengths), frames.dtype)
        return frames * ops.reshape(inside, (*ops.shape(inside), *[1] * (len(frames.shape) - 2)))

    def compute_mask(self, inputs: tuple[Any, Any], previous_mask: Any = None) -> Any:
        """Return which frames lie within their sequence, bool, shape `(batch_size, num_frames)`."""
        return _inside(*inputs) if self.with_mask else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the frames."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "with_mask": self.with_mask}


def _inside(frames: Any, lengths: Any) -> Any:
    while len(frames.shape) > 2:
        frames = frames[..., 0]
    # Counted rather than made by `arange`, which knows no length while a model is put together.
    place = ops.cumsum(ops.ones_like(frames, dtype="int32"), axis=1)
    return place <= ops.expand_dims(ops.cast(lengths, "int32"), 1)
