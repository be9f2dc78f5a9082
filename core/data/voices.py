"""Words spoken by the synthetic voices of eSpeak NG, which espeakng-loader carries."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np

from core.data.examples import Examples, Ragged
from core.errors import UserError
from core.processes import import_environment, python_module
from core.writing import written_whole

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
# Each accent with its speed in words a minute.
ACCENTS = {"en-us": 130, "en-gb-x-rp": 160, "en-gb-scotland": 190, "en-029": 145}
TIMBRES = (
    *(f"m{number}" for number in range(1, 9)),
    *(f"f{number}" for number in range(1, 6)),
    *(
        "Andy",
        "Annie",
        "Gene",
        "Lee",
        "Mario",
        "Michael",
        "Storm",
        "adam",
        "anika",
        "aunty",
        "belinda",
        "boris",
    ),
    *(
        "caleb",
        "croak",
        "david",
        "edward",
        "grandma",
        "grandpa",
        "john",
        "klatt",
        "linda",
        "max",
        "pablo",
        "paul",
    ),
    *("quincy", "rob", "steph", "travis", "victor", "whisper", "zac"),
)

COLUMNS = ("values", "offsets", "label", "speaker")
SEED = 1  # of breath, which is noise
QUALITY = "VHQ"  # the one that soxr computes in float64
SYNCHRONOUS, RATE, PITCH, RANGE, BY_CHARACTER, UTF8, END_PAUSE = 2, 1, 3, 4, 1, 1, 0x1000
SOUND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Synthesiser:
    """Speaks a word or a sentence with a voice, as int16 samples.

    How it sounds depends on all that was spoken in this process before it: the library keeps the state of
    its filters and of its noise, even when it is initialised anew.

    Raises:
        UserError: The speech library does not load on this machine.
    """

    def __init__(self) -> None:
        import espeakng_loader

        try:
            self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise UserError(
                f"The speech synthesiser of the sample does not load here ({error}). Give data=PATH."
            ) from None
        self.heard: list[np.ndarray] = []
        # Kept as an attribute: the library calls it, and does not keep it alive.
        self.listener = SOUND(self._listen)
        folder = espeakng_loader.get_data_path().encode()
        self.sample_rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, folder, 0)
        self.library.espeak_SetSynthCallback(self.listener)
        # Unless told otherwise it takes the clock for a seed.
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(SEED))

    def speak(
        self, word: str, voice: str, speed: int, *, pitch: int | None = None, pitch_range: int | None = None
    ) -> np.ndarray:
        """Return what is spoken as int16 samples at `sample_rate`; empty where there is no such voice.

        Args:
            word: Or a sentence.
            voice: An accent and a timbre, such as `en-us+f2`.
            speed: In words a minute.
            pitch: From 0 to 100, about 50; that which was set last by default.
            pitch_range: How far the pitch moves, from 0, a monotone, to 100; likewise.
        """
        if self.library.espeak_SetVoiceByName(voice.encode()):
            return np.zeros(0, np.int16)
        self.library.espeak_SetParameter(RATE, speed, 0)
        for parameter, value in ((PITCH, pitch), (RANGE, pitch_range)):
            if value is not None:
                self.library.espeak_SetParameter(parameter, value, 0)
        self.heard = []
        text = word.encode() + b"\0"
        self.library.espeak_Synth(text, len(text), 0, BY_CHARACTER, 0, UTF8, None, None)
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    def _listen(self, samples: ctypes.Array, count: int, events: int) -> int:
        if samples and count:
            self.heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def spoken(cache: Path, sample_rate: int) -> Examples:
    """Return every word by every voice in every accent, spoken once and kept in a folder of `cache`.

    Args:
        cache: An existing folder.
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `label` and `speaker`.

    Raises:
        UserError: The speech library does not load on this machine.
    """
    folder = cache / f"commands-{sample_rate}-{_recipe()}"
    if not all((folder / f"{name}.npy").is_file() for name in COLUMNS):
        # A process of its own has spoken nothing before, so everybody hears the same.
        command = python_module("core.data.voices", str(folder.absolute()), str(sample_rate))
        done = subprocess.run(command, capture_output=True, text=True, env=import_environment())
        if done.returncode:
            error_lines = done.stderr.strip().splitlines() or [f"the exit code {done.returncode}"]
            raise UserError(error_lines[-1])
    read = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in COLUMNS}
    return Examples(
        {"wave": Ragged(read["values"], read["offsets"]), "label": read["label"], "speaker": read["speaker"]},
        "the spoken-command sample",
    )


def _recipe() -> str:
    """Return 8 hexadecimal digits that differ wherever other waves might be spoken."""
    libraries = [importlib.metadata.version(name) for name in ("espeakng-loader", "soxr")]
    made_of = repr((WORDS, ACCENTS, TIMBRES, SEED, QUALITY, libraries))
    return hashlib.blake2b(made_of.encode(), digest_size=4).hexdigest()


def speak_all(folder: Path, sample_rate: int) -> None:
    """Speak the whole sample into a folder, which is made; in a process that has not spoken before."""
    synthesiser = Synthesiser()
    waves, labels, speakers = [], [], []
    for timbre, (accent, speed), word in itertools.product(TIMBRES, ACCENTS.items(), WORDS):
        wave = synthesiser.speak(word, f"{accent}+{timbre}", speed)
        if len(wave):
            waves.append(resampled(wave, synthesiser.sample_rate, sample_rate))
            labels.append(word)
            speakers.append(timbre)
    joined = Ragged.from_rows(waves, np.int16)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (joined.values, joined.offsets, np.array(labels), np.array(speakers))
    for name, array in zip(COLUMNS, arrays, strict=True):
        with written_whole(folder / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)


def resampled(wave: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Return a wave at another rate, the same on every machine."""
    import soxr

    # In float64, whose last digits differ between processors and are lost in the rounding.
    exact = soxr.resample(wave.astype(np.float64), rate, sample_rate, QUALITY)
    return np.clip(np.rint(exact), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    try:
        speak_all(Path(sys.argv[1]), int(sys.argv[2]))
    except UserError as error:
        sys.exit(str(error))
