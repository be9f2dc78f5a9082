"""Where recordings with transcripts come from: the sample, tensorflow-datasets, files, or joined words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    from core.data.examples import Examples

FASTEST = 40.0  # letters a second, about twice as many as people speak
LEAST_LETTERS = 1000  # of a corpus, whose mean says something


def read_transcribed(
    data: str,
    sample_rate: int,
    *,
    names: str | None = None,
    full_scale: float | None = None,
    skip_bad: bool = False,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read recordings with their transcripts from wherever `data` says.

    Args:
        data: `sample`, `tfds:NAME[/CONFIG]`, or a path as `corpora.listed_recordings` takes it.
        sample_rate: Samples a second that every recording is brought to.
        names: What the names of files say, of words spoken alone, such as `{label}_{speaker}_{take}`.
        full_scale: Of files with floats for samples; by default learnt from the training part.
        skip_bad: Leave out what can't be read, and count it.

    Returns:
        The parts that the source names, with columns `wave` (ragged int16), `text` and whatever else is
        known; and notes.

    Raises:
        UserError: The source is not there, or not what it should be.
    """
    from apps.speech.recordings import from_tfds, read_source
    from apps.speech.transcription.corpora import listed_recordings
    from core.data.audio import decoded_parts
    from core.data.samples import spoken_requests
    from core.data.sources import PREFIX
    from core.data.tables import existing

    if names is not None:
        parts, notes = read_source(data, sample_rate, names=names, full_scale=full_scale, skip_bad=skip_bad)
        return {part: each.with_columns(text=each["label"]) for part, each in parts.items()}, notes
    if data == "sample":
        return {"train": spoken_requests(sample_rate)}, ()
    if data.startswith(PREFIX):
        found = {"wave": ("audio", "speech"), "text": ("text", "transcription", "text_normalized")}
        return from_tfds(data, sample_rate, found), ()
    path = existing(data)
    listed, remarks = listed_recordings(path, skip_bad)
    parts, notes = decoded_parts(
        listed, path, sample_rate, full_scale=full_scale, skip_bad=skip_bad, notes=remarks
    )
    return parts, notes


def as_compared(
    parts: Mapping[str, Examples], sample_rate: int, plain: bool, skip_bad: bool
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Return the parts with transcripts as they are learnt and compared, and notes.

    Args:
        parts: With columns `wave` and `text`.
        sample_rate: Of the waves.
        plain: In lower case and without punctuation; else as they are written, but for blanks.
        skip_bad: Leave out transcripts of which nothing remains.

    Raises:
        UserError: Nothing remains of a transcript, or there are more letters than anybody speaks in the time.
    """
    from core.metrics.transcription import plain_words

    notes = []
    compared = {}
    for part, examples in parts.items():
        texts = [plain_words(text) if plain else " ".join(text.split()) for text in examples["text"]]
        empty = np.array([not text for text in texts])
        if empty.any():
            written = str(examples["text"][np.flatnonzero(empty)[0]])
            num_empty = counted(int(empty.sum()), "transcript")
            if not skip_bad or empty.all():
                raise UserError(
                    f"{examples.source}: no word remains of {num_empty}, such as "
                    f"{written[:40]!r}. Write what is said, or leave such recordings out with skip_bad=true."
                )
            notes.append(f"{counted(int(empty.sum()), 'recording')} of {part} without words left out")
        compared[part] = examples.with_columns(text=texts).take(~empty)
        _require_time(compared[part], sample_rate)
    return compared, tuple(notes)


def _require_time(examples: Examples, sample_rate: int) -> None:
    """Refuse sound that is much too short for its text, as where a header says a wrong rate."""
    letters = sum(len(text) for text in examples["text"])
    seconds = examples.ragged("wave").lengths.sum() / sample_rate
    if letters >= LEAST_LETTERS and letters > FASTEST * seconds:
        raise UserError(
            f"{examples.source}: {letters / max(seconds, 1e-3):.0f} letters a second are more than anybody "
            "speaks. Look whether the transcripts are of other recordings, or the headers say a wrong sample "
            f"rate. Received: {letters} letters in {seconds:.1f} s."
        )
