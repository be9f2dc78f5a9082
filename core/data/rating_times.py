"""Times of ratings as seconds since 1970, however a table has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.examples import Examples
from core.data.times import times_of
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

# The least that a time of our days is when it counts parts of a second, and how many they are of one.
PARTS_OF_A_SECOND = {"ns": (1e17, 10**9), "us": (1e14, 10**6), "ms": (1e11, 10**3)}
MOST = 1e20  # beyond which a number counts nothing of the kind


def seconds_of(
    texts: np.ndarray, path: Path, time_format: str | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return times as seconds, and notes of how they were read.

    Args:
        texts: As the table has them, or missing, shape `(num_rows,)`.
        path: Of the table, for messages.
        time_format: How they are written, where that is left open.

    Returns:
        float64, nan where there is none, as numbers are where they are seconds.

    Raises:
        UserError: Most are no numbers, and one is no time, or they can be read in more than one way.

    Example:

    >>> seconds_of(np.array(["2020-11-15T23:02:47", "1970-01-01"]), Path("a.csv"))[0].tolist()
    [1605481367.0, 0.0]
    """
    import pandas as pd

    values = pd.Series(texts, dtype="str")
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    filled = values.notna().to_numpy() & (values.str.strip() != "").to_numpy(bool)
    if filled.any() and np.isnan(numbers[filled]).mean() > 0.5:
        iso = _iso_seconds(values)
        # What is none among many is the mistake of a line, which the reader tells of.
        if time_format is None and np.isfinite(iso[filled]).mean() >= 0.5:
            return iso, ()
        return _dates(values.to_numpy(object), filled, path, time_format)
    median = float(np.median(np.abs(numbers[~np.isnan(numbers)]))) if filled.any() else 0.0
    for unit, (least, number) in PARTS_OF_A_SECOND.items():
        if least <= median < MOST:
            return np.floor(numbers / number), (f"times of {path.name} read as {unit} since 1970",)
    return numbers, ()


def _iso_seconds(values: pd.Series) -> np.ndarray:
    import pandas as pd

    dates = pd.to_datetime(values.str.strip(), format="ISO8601", utc=True, errors="coerce")
    return np.floor((dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(np.float64))


def _dates(
    texts: np.ndarray, filled: np.ndarray, path: Path, time_format: str | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    rows = Examples({"time": [str(text).strip() for text in texts[filled]]}, str(path))
    times = times_of([rows], "time", time_format)
    if not times.dated:
        raise UserError(f"The times of {path} are no moments. Received: {rows['time'][0]}.")
    seconds = np.full(len(texts), np.nan)
    seconds[filled] = times.values // 10**6
    return seconds, ((f"times of {path.name} read {times.form}",) if times.form else ())
