"""What every speech model begins with: waves in, varied while training, and their log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.settings import Settings

if TYPE_CHECKING:
    import keras

SPECTROGRAM = "log_mel"  # the layer's name


class Listening(Settings):
    """How a speech task listens to recordings of any length; it lies inside the model.

    Levels are taken relative to the loudest point of each recording, so its gain makes no difference.
    """

    sample_rate: int = Field(
        16000, ge=4000, le=48000, description="samples a second that every recording is brought to"
    )
    num_mels: int = Field(40, ge=8, le=128, description="bands of the log-mel spectrogram")
    decibels: float = Field(60.0, ge=20, le=120, description="range below the loudest point of a recording")
    noise: float = Field(0.5, ge=0, le=1, description="training: share of recordings that get noise")
    equalizer: float = Field(
        0.5,
        ge=0,
        le=3,
        description="training: random slope over frequency, in standard deviations",
    )
    masks: int = Field(2, ge=0, le=10, description="training: masks over time and over frequency")


class FrontEnd(Listening):
    """How a speech task listens through a window of fixed length."""

    speed: float = Field(0.2, ge=0, lt=1, description="training: largest change of speed and pitch, share")
    shift: float = Field(0.1, ge=0, le=1, description="training: longest move in time, share of the window")

    def spectrogram(self, waves: Any) -> Any:
        """Return log-mel spectrograms of waves, each band with mean 0 and variance 1 over the training data.

        Args:
            waves: Symbolic, float, shape `(batch_size, num_samples)`, full scale at 1.

        Returns:
            Symbolic, shape `(batch_size, num_frames, num_mels)`, a frame every 10 ms.
        """
        import keras

        from core.layers import LogMelSpectrogram, RandomEqualizer, RandomNoise, RandomSpeed, SpecAugment

        x = RandomSpeed(self.speed, self.shift)(waves)
        x = RandomNoise(self.noise)(x)
        x = LogMelSpectrogram(self.sample_rate, self.num_mels, decibels=self.decibels, name=SPECTROGRAM)(x)
        x = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False)(x)
        x = RandomEqualizer(self.equalizer)(x)
        return SpecAugment(self.masks)(x)


def exportable(model: keras.Model) -> Callable[[Any], Any]:
    """Return a trained model of speech as a function of waves that ONNX and LiteRT can hold.

    Neither has a Fourier transform; a convolution gives the same spectrogram.
    """
    import keras

    from core.layers import LogMelSpectrogram

    heard = model.get_layer(SPECTROGRAM)
    listen = LogMelSpectrogram.from_config({**heard.get_config(), "transform": "convolution"})
    understand = keras.Model(heard.output, model.output)
    return lambda waves: understand(listen(waves), training=False)
