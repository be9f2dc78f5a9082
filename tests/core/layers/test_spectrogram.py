from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy import signal

from core.layers import LogMelSpectrogram
from core.layers.spectrogram import mel_bands

RATE = 8000


def noise(num_waves: int = 2, num_samples: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (num_waves, num_samples)).astype("float32")


def heard(waves: np.ndarray, **arguments: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(LogMelSpectrogram(sample_rate=RATE, **arguments)(waves))


def triangle(hertz: float, left: float, centre: float, right: float) -> float:
    if not left < hertz < right:
        return 0.0
    return (hertz - left) / (centre - left) if hertz <= centre else (right - hertz) / (right - centre)


def by_scipy(wave: np.ndarray, num_mels: int, decibels: float) -> np.ndarray:
    """The same by scipy's STFT of 200 samples every 80, and mel triangles one by one."""
    _, _, transform = signal.stft(
        wave, RATE, signal.get_window("hann", 200, fftbins=False), 200, 120, 256, boundary=None, padded=False
    )
    power = np.abs(transform.T) ** 2
    power[:, 1:-1] *= 2
    mel = np.linspace(2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 4000 / 700), num_mels + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(129) * RATE / 256
    bands = np.array([[triangle(f, *edges[m : m + 3]) for m in range(num_mels)] for f in bins])
    level = 10 * np.log10(power @ bands)
    return np.maximum(level - level.max(), -decibels) / decibels + 1


@pytest.mark.parametrize("transform", ["fft", "convolution"])
def test_log_mel_values_equal_those_of_scipy_and_triangles_by_hand(transform):
    waves = noise()
    expected = np.stack([by_scipy(wave, 20, 60.0) for wave in waves])
    np.testing.assert_allclose(heard(waves, num_mels=20, transform=transform), expected, atol=2e-4)


def test_log_mel_values_do_not_depend_on_gain_or_on_the_rest_of_the_batch():
    waves = noise(3)
    together = heard(waves * np.array([[1.0], [0.01], [5.0]], "float32"))
    alone = np.concatenate([heard(wave[None]) for wave in waves])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_log_mel_value_of_silence_is_zero():
    assert np.all(heard(np.zeros((1, 800), "float32")) == 0)


def test_a_tone_is_loudest_in_the_band_around_it():
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / RATE).astype("float32")[None]
    mel = np.linspace(2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 4000 / 700), 42)[1:-1]
    nearest = np.abs(700 * (10 ** (mel / 2595) - 1) - 1000).argmin()
    assert np.all(heard(tone).argmax(axis=-1) == nearest)


def test_no_band_is_empty_even_where_bands_are_narrower_than_bins():
    assert np.all(mel_bands(129, 80, RATE, 40.0, 4000.0).sum(axis=0) > 0)


def test_log_mel_layer_is_the_same_after_a_round_trip_through_a_file(tmp_path):
    inputs = keras.Input((4000,))
    model = keras.Model(inputs, LogMelSpectrogram(sample_rate=RATE, num_mels=12, decibels=50.0)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(noise(), verbose=0), model.predict(noise(), verbose=0))


def test_log_mel_layer_has_no_weights_and_stays_in_float32_under_mixed_precision():
    layer = LogMelSpectrogram(sample_rate=RATE)
    layer.build((None, 4000))
    assert layer.variables == []
    assert layer.compute_dtype == "float32"


@pytest.mark.parametrize(
    "arguments",
    [
        *({"sample_rate": 10}, {"num_mels": 0}, {"max_hertz": 9000.0}, {"hop_seconds": 0.1}),
        *({"decibels": 0.0}, {"transform": "wavelet"}),
    ],
)
def test_log_mel_layer_refuses_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received"):
        LogMelSpectrogram(**arguments)


@pytest.mark.parametrize("shape", [(1, 16000, 2), (1, 399)])
def test_log_mel_layer_refuses_waves_with_channels_and_those_shorter_than_a_frame(shape):
    with pytest.raises(ValueError, match=r"\(batch_size, num_samples\), of 400 samples"):
        LogMelSpectrogram()(np.zeros(shape, "float32"))
