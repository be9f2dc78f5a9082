"""The net from windows of frames to hidden states, with the alignment that it learns from."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from apps.speech.transcription.nets import LOGITS, MOMENTUM, NETS, thinned
from core.layers import FusedBatchNormalization

ALIGNMENT = "alignment"  # the layer's name


@keras.saving.register_keras_serializable(package="quartet")
class Alignment(layers.Layer):
    """Hands on the scores of hidden states, and holds which state each training frame is in.

    Both are weights that no gradient changes, so a checkpoint has them.

    Args:
        num_frames: Of the training part.
        num_states: Hidden states.

    Attributes:
        states: The state of each training frame, int32, shape `(num_frames,)`.
        log_prior: The logarithm of the share of frames that each state has, shape `(num_states,)`.
    """

    def __init__(self, num_frames: int, num_states: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_frames = num_frames
        self.num_states = num_states
        self.states = self.add_weight(
            shape=(max(num_frames, 1),), dtype="int32", initializer="zeros", trainable=False, name="states"
        )
        self.log_prior = self.add_weight(
            shape=(num_states,), initializer="zeros", trainable=False, name="log_prior"
        )

    def build(self, input_shape: Any) -> None:
        """Have nothing to make: the weights do not depend on the scores."""

    def call(self, inputs: Any) -> Any:
        """Return the scores."""
        return inputs

    def of(self, frames: Any) -> Any:
        """Return the states of training frames by number, int32."""
        return ops.take(self.states, ops.clip(frames, 0, max(self.num_frames - 1, 0)), axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the scores."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_frames": self.num_frames, "num_states": self.num_states}


@keras.saving.register_keras_serializable(package="quartet")
class HybridRecogniser(keras.Model):
    """From waves to the scores of hidden states, a row a frame; learns the states that its alignment says."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean over frames of how unlikely their states are, in nats.

        Args:
            x: Not needed.
            y: The number of each frame among those of the training part, below 0 where there is none, int32,
                `(batch_size, num_frames)`.
            y_pred: Logits, `(batch_size, num_frames, num_states)`.
            sample_weight: Of each recording.
            training: Not needed.
        """
        frames = ops.cast(y, "int32")
        losses = keras.losses.sparse_categorical_crossentropy(
            self.get_layer(ALIGNMENT).of(frames), y_pred, from_logits=True
        )
        weights = ops.cast(frames >= 0, losses.dtype)
        if sample_weight is not None:
            weights = weights * ops.expand_dims(ops.cast(sample_weight, losses.dtype), 1)
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)


def windows(x: Any, width: int, depth: int, dropout: float, context: int) -> Any:
    """Return frames that know of a window around each, by dense layers.

    Args:
        x: Shape `(batch_size, num_frames, num_features)`, zero beyond the end of each recording.
        width: Half the units of a layer.
        depth: Layers after the first, which sees the window.
        dropout: Share of units dropped in each.
        context: Frames of the window before, and as many after.

    Returns:
        Shape `(batch_size, num_frames, 2 * width)`.
    """
    # A window of all features would have most of the weights of the net.
    x = layers.Dense(width, use_bias=False)(x)
    x = layers.Conv1D(2 * width, 2 * context + 1, padding="same", use_bias=False)(x)
    for _ in range(depth):
        x = layers.Dropout(dropout)(layers.ReLU()(FusedBatchNormalization(momentum=MOMENTUM)(x)))
        x = layers.Dense(2 * width, use_bias=False)(x)
    return layers.ReLU()(FusedBatchNormalization(momentum=MOMENTUM)(x))


def hybrid_recogniser(
    listen: Any,
    *,
    net: str,
    num_states: int,
    num_frames: int,
    stages: int,
    width: int,
    depth: int,
    dropout: float,
    context: int,
) -> HybridRecogniser:
    """Return the model from waves and their lengths to the logits of hidden states.

    Args:
        listen: From symbolic waves and lengths to a spectrogram and how many frames it has.
        net: `windows`, or what a recogniser by CTC has.
        num_states: Hidden states.
        num_frames: Of the training part.
        stages: Convolutions that each leave every second frame.
        width: Half the units of a layer; a quarter of it is the channels of the first convolutions.
        depth: Layers.
        dropout: Share of units dropped.
        context: Frames before and after each, of windows.
    """
    wave = keras.Input((None,), name="wave")
    num_samples = keras.Input((), dtype="int32", name="num_samples")
    spectrogram, frames_of_each = listen(wave, num_samples)
    x, frames_of_each = thinned(spectrogram, frames_of_each, max(width // 4, 4), stages)
    if net == "windows":
        x = windows(x, width, depth, dropout, context)
    else:
        x = NETS[net](x, frames_of_each, width, depth, dropout)
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(num_states, dtype="float32", name=LOGITS)(x)
    outputs = Alignment(num_frames, num_states, name=ALIGNMENT, dtype="float32")(logits)
    return HybridRecogniser({"wave": wave, "num_samples": num_samples}, outputs, name="recogniser")
