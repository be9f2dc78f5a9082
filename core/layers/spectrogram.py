"""Spectrograms on the mel scale."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

# The loudest band of a recording below this power is silence: about a tenth of a 16-bit step of white noise.
SILENCE = 1e-10
ARGUMENTS = (
    *("sample_rate", "num_mels", "frame_seconds", "hop_seconds"),
    *("min_hertz", "max_hertz", "decibels", "transform"),
)


@keras.saving.register_keras_serializable(package="quartet")
class LogMelSpectrogram(keras.layers.Layer):
    """Turns waves into log-mel spectrograms, in decibels below each wave's own loudest point.

    The result does not depend on the gain of a recording, nor on the other waves of the batch, on which
    `keras.layers.MelSpectrogram` takes its range of decibels. It has no weights.

    Args:
        sample_rate: Samples a second, at least 1,000.
        num_mels: Bands, at least 1.
        frame_seconds: Length of a Hann window.
        hop_seconds: Time from one window to the next, at most `frame_seconds`.
        min_hertz: Lower edge of the lowest band.
        max_hertz: Upper edge of the highest band, at most half the sample rate, which is the default.
        decibels: Range below the loudest point, positive; whatever is softer counts as that soft.
        transform: `fft`, or `convolution`: slower, and what ONNX and LiteRT can hold.
        dtype: Precision, float32 under any policy: half precision hears quantisation noise.

    Input shape:
        Waves, float, shape `(batch_size, num_samples)`, full scale at 1.

    Output shape:
        `(batch_size, num_frames, num_mels)`, from 0, which is `decibels` below the loudest point, to 1.
        Silence is 0 everywhere.

    Reference:
        Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition,
        1980; the mel scale `2595 log10(1 + f / 700)` with triangles of equal height, as in HTK.

    Example:

    >>> LogMelSpectrogram(sample_rate=8000)(np.zeros((2, 8000), "float32")).shape.as_list()
    [2, 98, 40]
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        num_mels: int = 40,
        frame_seconds: float = 0.025,
        hop_seconds: float = 0.01,
        min_hertz: float = 40.0,
        max_hertz: float | None = None,
        decibels: float = 60.0,
        transform: Literal["fft", "convolution"] = "fft",
        dtype: Any = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, **kwargs)
        top = sample_rate / 2 if max_hertz is None else max_hertz
        if sample_rate < 1000 or num_mels < 1 or not 0 <= min_hertz < top <= sample_rate / 2:
            raise ValueError(
                "LogMelSpectrogram needs sample_rate >= 1000, num_mels >= 1 and 0 <= min_hertz < max_hertz "
                f"<= sample_rate / 2. Received: sample_rate={sample_rate}, num_mels={num_mels}, "
                f"min_hertz={min_hertz}, max_hertz={max_hertz}."
            )
        if not 0 < hop_seconds <= frame_seconds or decibels <= 0:
            raise ValueError(
                "LogMelSpectrogram needs 0 < hop_seconds <= frame_seconds and decibels > 0. "
                f"Received: hop_seconds={hop_seconds}, frame_seconds={frame_seconds}, decibels={decibels}."
            )
        if transform not in ("fft", "convolution"):
            raise ValueError(f"transform must be 'fft' or 'convolution'. Received: {transform!r}.")
        self.sample_rate = sample_rate
        self.num_mels = num_mels
        self.frame_seconds = frame_seconds
        self.hop_seconds = hop_seconds
        self.min_hertz = min_hertz
        self.max_hertz = max_hertz
        self.decibels = decibels
        self.transform = transform
        self.frame_length = round(frame_seconds * sample_rate)
        self.hop = round(hop_seconds * sample_rate)
        self.fft_length = 2 ** int(np.ceil(np.log2(self.frame_length)))
        self.window = np.hanning(self.frame_length)
        density = np.full((self.fft_length // 2 + 1, 1), 2 / np.sum(self.window**2))
        density[[0, -1]] /= 2  # these stand for themselves alone, the others for negative frequencies too
        self.bands = density * mel_bands(len(density), num_mels, sample_rate, min_hertz, top)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the shape of the waves."""
        if len(input_shape) != 2 or (input_shape[1] or self.frame_length) < self.frame_length:
            raise ValueError(
                f"Waves must be of shape (batch_size, num_samples), of {self.frame_length} samples or more. "
                f"Received: {input_shape}."
            )

    def call(self, waves: Any) -> Any:
        """Return the spectrograms of waves."""
        transformed = self._fft(waves) if self.transform == "fft" else self._convolution(waves)
        power = ops.matmul(sum(map(ops.square, transformed)), ops.cast(self.bands, self.compute_dtype))
        loudest = ops.maximum(ops.max(power, axis=(1, 2), keepdims=True), SILENCE)
        softest = loudest * 10 ** (-self.decibels / 10)
        return ops.log10(ops.maximum(power, softest) / softest) * (10 / self.decibels)

    def _fft(self, waves: Any) -> tuple[Any, Any]:
        frames = ops.extract_sequences(waves, self.frame_length, self.hop)
        return ops.rfft(frames * ops.cast(self.window, waves.dtype), self.fft_length)

    def _convolution(self, waves: Any) -> list[Any]:
        turns = np.outer(np.arange(self.frame_length), np.arange(self.fft_length // 2 + 1)) / self.fft_length
        waves = ops.expand_dims(waves, -1)
        kernels = (self.window[:, None] * wave(2 * np.pi * turns) for wave in (np.cos, np.sin))
        return [
            ops.conv(waves, ops.cast(kernel[:, None], waves.dtype), self.hop, padding="valid")
            for kernel in kernels
        ]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return `(batch_size, num_frames, num_mels)`."""
        batch_size, num_samples = input_shape
        num_frames = None if num_samples is None else 1 + (num_samples - self.frame_length) // self.hop
        return batch_size, num_frames, self.num_mels

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), **{name: getattr(self, name) for name in ARGUMENTS}}


def mel_bands(
    num_bins: int, num_mels: int, sample_rate: float, min_hertz: float, max_hertz: float
) -> np.ndarray:
    """Return the triangles that gather a power spectrum into mel bands.

    A band narrower than the spectrum's bins would be empty: it gets the bin nearest to its centre.

    Args:
        num_bins: Of the spectrum, from 0 to half the sample rate.
        num_mels: Bands.
        sample_rate: Samples a second.
        min_hertz: Where the lowest triangle begins.
        max_hertz: Where the highest triangle ends.

    Returns:
        float32, shape `(num_bins, num_mels)`, from 0 to 1.
    """
    low, high = 2595 * np.log10(1 + np.array([min_hertz, max_hertz]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, num_mels + 2) / 2595) - 1)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    hertz = np.linspace(0, sample_rate / 2, num_bins)[:, None]
    bands = np.maximum(0, np.minimum((hertz - left) / (centre - left), (right - hertz) / (right - centre)))
    empty = np.flatnonzero(~bands.any(axis=0))
    bands[np.abs(hertz - centre[empty]).argmin(axis=0), empty] = 1
    return bands.astype(np.float32)
