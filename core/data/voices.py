"""Words spoken by the synthetic voices of eSpeak NG, which espeakng-loader carries."""

from __future__ import annotations

import ctypes
import itertools
from pathlib import Path

import numpy as np

from core.data.examples import Examples, Ragged
from core.errors import UserError
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

SYNCHRONOUS, RATE, BY_CHARACTER, UTF8, END_PAUSE = 2, 1, 1, 1, 0x1000
SOUND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Synthesiser:
    """Speaks a word with a voice, as int16 samples.

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
        # Breath is noise, seeded by the clock unless told otherwise.
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))

    def speak(self, word: str, voice: str, speed: int) -> np.ndarray:
        """Return the word as int16 samples at `sample_rate`; empty where there is no such voice."""
        if self.library.espeak_SetVoiceByName(voice.encode()):
            return np.zeros(0, np.int16)
        self.library.espeak_SetParameter(RATE, speed, 0)
        self.heard = []
        text = word.encode() + b"\0"
        self.library.espeak_Synth(text, len(text), 0, BY_CHARACTER, 0, UTF8, None, None)
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    def _listen(self, samples: ctypes.Array, count: int, events: int) -> int:
        if samples and count:
            self.heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def spoken(folder: Path, sample_rate: int) -> Examples:
    """Return every word by every voice in every accent, spoken once and kept in `folder`.

    Args:
        folder: Where the waves are kept; made if need be.
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `label` and `speaker`.
    """
    paths = {name: folder / f"{name}.npy" for name in ("values", "offsets", "label", "speaker")}
    if not all(path.is_file() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        waves, labels, speakers = _speak_all(sample_rate)
        joined = Ragged.from_rows(waves, np.int16)
        arrays = {
            "values": joined.values,
            "offsets": joined.offsets,
            "label": np.array(labels),
            "speaker": np.array(speakers),
        }
        for name, array in arrays.items():
            with written_whole(paths[name]) as temporary:
                np.save(temporary, array, allow_pickle=False)
    read = {name: np.load(path, allow_pickle=False) for name, path in paths.items()}
    return Examples(
        {"wave": Ragged(read["values"], read["offsets"]), "label": read["label"], "speaker": read["speaker"]},
        "the spoken-command sample",
    )


def _speak_all(sample_rate: int) -> tuple[list[np.ndarray], list[str], list[str]]:
    import soxr

    synthesiser = Synthesiser()
    waves, labels, speakers = [], [], []
    for timbre, (accent, speed), word in itertools.product(TIMBRES, ACCENTS.items(), WORDS):
        wave = synthesiser.speak(word, f"{accent}+{timbre}", speed)
        if len(wave):
            waves.append(soxr.resample(wave, synthesiser.sample_rate, sample_rate))
            labels.append(word)
            speakers.append(timbre)
    return waves, labels, speakers
