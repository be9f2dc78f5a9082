"""Sound from frames by a trained voice, a few frames at a time, compiled once."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from apps.speech.voice.nets import CONDITIONS, WAVENET
from core.layers.wavenet import WaveNet

AT_ONCE = 10  # frames at one call, whose number is always the same, so that one compilation is enough

_generators: weakref.WeakKeyDictionary[keras.Model, keras.Model] = weakref.WeakKeyDictionary()


class Generator(keras.Model):
    """Goes on with one wave, as a model of its own that its backend compiles."""

    def __init__(self, wavenet: WaveNet) -> None:
        super().__init__(name="generator")
        self.wavenet = wavenet
        self.compile(jit_compile=True)

    def call(self, inputs: Any) -> Any:
        """Return the levels of some frames and the state behind them."""
        levels, state = self.wavenet.generate(
            inputs["state"],
            inputs["conditions"],
            inputs["noise"],
            temperature=inputs["temperature"][0],
            lags=inputs["lags"],
        )
        return {"levels": levels, "state": state}


def generator(model: keras.Model) -> keras.Model:
    """Return what generates by the weights of a voice; the same for the same model."""
    if model not in _generators:
        made = Generator(model.get_layer(WAVENET))
        made.built = True
        _generators[model] = made
    return _generators[model]


def generated(
    model: keras.Model,
    frames: np.ndarray,
    lags: np.ndarray,
    random: np.random.Generator,
    temperature: float,
) -> Iterator[np.ndarray]:
    """Yield the levels of one wave, a few frames at a time.

    Args:
        model: A trained voice.
        frames: Normalised, float32, shape `(num_frames, num_features)`.
        lags: The period of the pitch at each, in samples, int32, shape `(num_frames,)`.
        random: Draws a number a sample.
        temperature: Divides the scores of levels.

    Yields:
        int32, shape `(num_samples,)`; all together `num_frames` times the samples of a frame.
    """
    net: Any = model.get_layer(WAVENET)
    hop, num_frames = net.samples_per_frame, len(frames)
    whole = -(-num_frames // AT_ONCE) * AT_ONCE
    conditions = keras.ops.convert_to_numpy(model.get_layer(CONDITIONS)(frames[None], training=False))
    conditions = np.pad(conditions, ((0, 0), (0, whole - num_frames), (0, 0)))
    lags = np.pad(lags, (0, whole - num_frames), mode="edge")[None]
    speak, state = generator(model), net.silence(1)
    for start in range(0, num_frames, AT_ONCE):
        answer = speak.predict_on_batch(
            {
                "state": state,
                "conditions": conditions[:, start : start + AT_ONCE],
                "lags": lags[:, start : start + AT_ONCE],
                "noise": random.random((1, AT_ONCE * hop), np.float32),
                "temperature": np.array([temperature], np.float32),
            }
        )
        state = answer["state"]
        yield np.asarray(answer["levels"])[0, : (num_frames - start) * hop]
