"""Pictures of sounds: how like the truth they are, and their spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, DOTS, WIDTH, canvas, png
from core.answers.kind import Tree
from core.answers.sounds.likeness import wave_of
from core.shown import LONGEST_SOUND, Sound, data_uri

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANGE = 80  # decibels below the loudest point of all that is drawn


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where there is no truth."""
    return {"distortion": _distortion(tree)}


def _distortion(tree: Tree) -> Figure | None:
    bars = tree["details"]["distortion"]
    if not bars:
        return None
    figure, axes = canvas(3.2)
    axes.bar(bars["edges"][:-1], bars["counts"], np.diff(bars["edges"]), align="edge", color=COLOURS[0])
    median = tree["details"]["spread"]["mel_cepstral_distortion"]["median"]
    axes.axvline(median, color="#333333", linewidth=1, linestyle="--", label=f"median {median:.2f}")
    axes.set(xlabel="mel-cepstral distortion (decibels)", ylabel="sounds")
    axes.legend(frameon=False, fontsize=9)
    return figure


def spectrograms(sounds: Mapping[str, Sound]) -> str:
    """Return the spectrograms of sounds below each other, on the same scales, as a data URI.

    Args:
        sounds: Name to sound; of each the first ten seconds are drawn.
    """
    from matplotlib.figure import Figure

    from core.metrics.sound import SILENCE, spectrogram

    powers = {
        name: spectrogram(wave_of(sound)[: LONGEST_SOUND * sound.sample_rate], sound.sample_rate)
        for name, sound in sounds.items()
    }
    levels = {name: 10 * np.log10(np.maximum(power, SILENCE)) for name, power in powers.items()}
    loudest = max(float(level.max()) for level in levels.values())
    figure = Figure(figsize=(WIDTH, 1.5 * len(sounds) + 0.2), dpi=DOTS * 2 // 3, layout="constrained")
    panels = figure.subplots(len(sounds), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, level) in zip(panels, levels.items(), strict=True):
        sound = sounds[name]
        seconds = min(len(sound.wave) / sound.sample_rate, LONGEST_SOUND)
        extent = (0.0, max(seconds, 0.01), 0.0, sound.sample_rate / 2000)
        axes.imshow(level.T, origin="lower", aspect="auto", extent=extent, vmin=loudest - RANGE, vmax=loudest)
        axes.set_ylabel("kHz")
        axes.set_title(name, loc="left", fontsize=9)
    longest = max(min(len(sound.wave) / sound.sample_rate, LONGEST_SOUND) for sound in sounds.values())
    panels[-1].set(xlim=(0, max(longest, 0.01)), xlabel="seconds")
    return data_uri("image/png", png(figure))
