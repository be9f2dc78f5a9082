"""Where the recordings of every speech task come from: the sample, tensorflow-datasets, or files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError

if TYPE_CHECKING:
    from core.data.audio import SpokenColumns
    from core.data.examples import Examples, Ragged


def read_source(
    data: str,
    sample_rate: int,
    *,
    names: str | None = None,
    full_scale: float | None = None,
    skip_bad: bool = False,
    columns: SpokenColumns | None = None,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read labelled recordings from wherever `data` says.

    Args:
        data: `sample`, `tfds:NAME[/CONFIG]` with the features `audio` and `label`, or a path that
            `core.data.audio.read_recordings` takes.
        sample_rate: Samples a second that every recording is brought to.
        names: What the names of files say, such as `{label}_{speaker}_{take}`.
        full_scale: Of files with floats for samples; by default learnt from the training part.
        skip_bad: Leave out files that can't be read, and count them.
        columns: What a manifest calls its columns.

    Returns:
        The parts that the source names, with columns `wave` (ragged int16), `label` and whatever else the
        source says of a recording; and notes.

    Raises:
        UserError: The source is not there, or not what it should be.
    """
    from core.data.audio import read_recordings
    from core.data.samples import spoken_commands
    from core.data.sources import PREFIX
    from core.data.tables import existing

    if names is not None and (data == "sample" or data.startswith(PREFIX)):
        raise UserError(
            f"names={names!r} says what file names mean, and data={data} has none. Give data=PATH."
        )
    if data == "sample":
        return {"train": spoken_commands(sample_rate)}, ()
    if data.startswith(PREFIX):
        return from_tfds(data, sample_rate, {"wave": ("audio",), "label": ("label",)}), ()
    return read_recordings(
        existing(data),
        sample_rate,
        names=names,
        full_scale=full_scale,
        skip_bad=skip_bad,
        columns=columns,
    )


def from_tfds(data: str, sample_rate: int, columns: Mapping[str, tuple[str, ...]]) -> dict[str, Examples]:
    """Read recordings of tensorflow-datasets by part.

    Args:
        data: `tfds:NAME[/CONFIG]`.
        sample_rate: Samples a second that every recording is brought to.
        columns: The name a column gets, of which one is `wave`, to the names that the feature may have.

    Raises:
        UserError: There is no such data set, or it does not say its rate.
    """
    import tensorflow_datasets as tfds

    from core.data.sources import PREFIX, read_tfds

    parts = read_tfds(data, columns)
    features = tfds.builder(data.removeprefix(PREFIX)).info.features
    rate = next(features[name].sample_rate for name in columns["wave"] if name in features)
    if not rate:
        raise UserError(f"The data set does not say how many samples a second it has. Received: {data}.")
    return {
        name: part.with_columns(wave=_resampled(part.ragged("wave"), rate, sample_rate))
        for name, part in parts.items()
    }


def _resampled(waves: Ragged, rate: int, sample_rate: int) -> Ragged:
    import soxr

    from core.data.examples import Ragged

    if rate == sample_rate:
        return waves
    resampled = (soxr.resample(waves[row], rate, sample_rate) for row in range(len(waves)))
    return Ragged.gathered(resampled, np.int16)
