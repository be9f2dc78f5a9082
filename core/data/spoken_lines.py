"""Lines that the synthetic voices speak, kept in a cache: the samples of speech that are more than words."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import numpy as np

from core.data.examples import Ragged
from core.data.voices import QUALITY, SEED, Synthesiser, resampled
from core.errors import UserError
from core.processes import import_environment, python_module
from core.writing import written_whole

ARRAYS = ("values", "offsets")


@dataclass(frozen=True)
class Line:
    """What is spoken, and how.

    Args:
        text: A word or a sentence.
        voice: An accent and a timbre, such as `en-us+f2`.
        speed: In words a minute.
        pitch: From 0 to 100.
        pitch_range: How far the pitch moves, from 0, a monotone, to 100.
    """

    text: str
    voice: str
    speed: int = 160
    pitch: int = 50
    pitch_range: int = 50


def spoken_lines(cache: Path, name: str, lines: Sequence[Line], sample_rate: int) -> Ragged:
    """Return lines as they are spoken, once, and kept in a folder of `cache`.

    Args:
        cache: An existing folder.
        name: Of the sample, for the name of its folder.
        lines: In whose order they are spoken, which is part of how they sound.
        sample_rate: Samples a second.

    Returns:
        Ragged int16 waves, one a line.

    Raises:
        UserError: The speech library does not load on this machine.
    """
    folder = cache / f"{name}-{sample_rate}-{_recipe(lines)}"
    if not all((folder / f"{each}.npy").is_file() for each in ARRAYS):
        # A process of its own has spoken nothing before, so everybody hears the same.
        command = python_module("core.data.spoken_lines", str(folder.absolute()), str(sample_rate))
        content = json.dumps([asdict(line) for line in lines])
        done = subprocess.run(
            command, input=content, capture_output=True, text=True, env=import_environment()
        )
        if done.returncode:
            error_lines = done.stderr.strip().splitlines() or [f"the exit code {done.returncode}"]
            raise UserError(error_lines[-1])
    return Ragged(*(np.load(folder / f"{each}.npy", allow_pickle=False) for each in ARRAYS))


def _recipe(lines: Sequence[Line]) -> str:
    """Return 8 hexadecimal digits that differ wherever other waves might be spoken."""
    libraries = [importlib.metadata.version(name) for name in ("espeakng-loader", "soxr")]
    made_of = repr(([astuple(line) for line in lines], SEED, QUALITY, libraries))
    return hashlib.blake2b(made_of.encode(), digest_size=4).hexdigest()


def speak_lines(lines: Sequence[Line], folder: Path, sample_rate: int) -> None:
    """Speak lines into a folder, which is made; in a process that has not spoken before.

    Raises:
        UserError: There is no such voice, or the speech library does not load.
    """
    synthesiser = Synthesiser()
    waves = []
    for line in lines:
        wave = synthesiser.speak(
            line.text, line.voice, line.speed, pitch=line.pitch, pitch_range=line.pitch_range
        )
        if not len(wave):
            raise UserError(f"The speech synthesiser of the sample has no voice {line.voice!r}.")
        waves.append(resampled(wave, synthesiser.sample_rate, sample_rate))
    joined = Ragged.from_rows(waves, np.int16)
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(ARRAYS, (joined.values, joined.offsets), strict=True):
        with written_whole(folder / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)


if __name__ == "__main__":
    try:
        speak_lines([Line(**each) for each in json.load(sys.stdin)], Path(sys.argv[1]), int(sys.argv[2]))
    except UserError as error:
        sys.exit(str(error))
