"""How like recordings sounds are, and whether another run hears the right words in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.answers.rows import Figures, Write
from core.answers.sounds import SpokenSounds, spoken_likeness
from core.errors import UserError
from core.shown import Sound


class Judge:
    """Compares sounds with recordings, and asks a recogniser where there is one.

    Args:
        sample_rate: Of sounds and recordings.
        recogniser: The folder of a finished run that names words.

    Raises:
        UserError: It is no such run.
    """

    def __init__(self, sample_rate: int, recogniser: str | None) -> None:
        self.sample_rate = sample_rate
        self.run: Any = None
        if recogniser is not None:
            from core.run import Run

            self.run = Run(recogniser)
            task = self.run.experiment.task
            if list(task.takes) != ["wave"] or task.label is None:
                raise UserError(
                    "recogniser must be a run of speech/commands, which names the word of a recording. "
                    f"Received: {recogniser}, a run of {type(task).__name__}."
                )

    def judged(
        self,
        words: Sequence[str],
        sounds: Sequence[np.ndarray],
        recordings: Sequence[np.ndarray],
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of sounds, and write a row for each.

        Args:
            words: That are said.
            sounds: int16 waves.
            recordings: True ones, likewise.
            write: Takes a row.
        """
        heard = self._heard(sounds)
        rows = []
        for row, (word, sound, recording) in enumerate(zip(words, sounds, recordings, strict=True)):
            predicted, true = Sound(sound, self.sample_rate), Sound(recording, self.sample_rate)
            rows.append(
                {
                    "row": row,
                    "text": word,
                    **({"heard": heard[row]} if heard else {}),
                    "predicted": predicted,
                    "true": true,
                    **spoken_likeness(predicted, true),
                }
            )
            if write:
                write(rows[-1])
        figures = SpokenSounds.from_rows(rows).statistics(np.arange(len(rows)))
        if heard:
            figures["recognised"] = float(
                np.mean([one == word for one, word in zip(heard, words, strict=True)])
            )
        return figures

    def _heard(self, sounds: Sequence[np.ndarray]) -> list[str]:
        """Return the words that the recogniser hears, if there is one."""
        if self.run is None:
            return []
        import soxr

        task = self.run.experiment.task
        waves = [soxr.resample(sound, self.sample_rate, task.sample_rate) for sound in sounds]
        return [answer["label"] for answer in task.predict(self.run.model, self.run.encoder, waves)]
