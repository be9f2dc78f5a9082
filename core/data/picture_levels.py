"""Which values of pictures of more than 8 bits are black and white; needs Pillow and NumPy alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

Kind = Literal["bytes", "upper bytes", "integers", "fractions"]
FULL = (1.0, 255.0, 1023.0, 4095.0, 65535.0)  # of fractions, and of 8, 10, 12 and 16 bits
AS_BYTES = (1.0, 255.0, 65535.0)  # those that pictures of 8 bits may stand beside
LEAST_USED = 1 / 16  # of a full range by the brightest value of all pictures


class Levels(NamedTuple):
    """The values of deep pictures that become 0 and 255, alike for all pictures of a run.

    Args:
        black: Becomes 0, as does what is below.
        white: Becomes 255, as does what is above.
        fractions: Whether the values are fractions, or nothing where a person gave the levels.
    """

    black: float
    white: float
    fractions: bool | None = None

    def __str__(self) -> str:
        return f"{self.black:g} to {self.white:g}"


class Depth(NamedTuple):
    """What kind of values a picture holds, and the lowest and highest of them."""

    kind: Kind
    lowest: float = 0.0
    highest: float = 0.0


def kind_of(opened: Image.Image) -> Kind:
    """Return what kind of values a picture holds; it need not be decoded."""
    if opened.mode.startswith("F"):
        return "fractions"
    if opened.mode.startswith("I"):
        return "integers"
    # Of colour of 16 bits Pillow reads the upper 8.
    return "upper bytes" if any(";16" in str(tile[3]) for tile in getattr(opened, "tile", ())) else "bytes"


def depth_of(opened: Image.Image) -> Depth:
    """Return what kind of values a picture holds, and the range of deep ones, for which it is decoded.

    Raises:
        ValueError: It holds values that are not numbers.
    """
    kind = kind_of(opened)
    if kind == "bytes":
        return Depth(kind)
    values = np.asarray(opened)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not numbers")
    return Depth(kind, float(values.min()), float(values.max()))


def learnt_levels(depths: Iterable[Depth]) -> Levels | None:
    """Return the levels of a set of pictures: a full range where they use enough of it, else their own.

    Args:
        depths: Of all pictures of the training.

    Returns:
        The levels, or nothing where all pictures have 8 bits.

    Raises:
        ValueError: It can't be known which values are black and white.

    Example:

    >>> learnt_levels([Depth("integers", 7, 223), Depth("integers", 134, 1854)])
    Levels(black=0.0, white=4095.0, fractions=False)
    >>> learnt_levels([Depth("fractions", 0.01, 0.9)])
    Levels(black=0.0, white=1.0, fractions=True)
    """
    depths = list(depths)
    kinds = {depth.kind for depth in depths}
    upper = [depth.highest for depth in depths if depth.kind == "upper bytes"]
    if upper and max(upper) < 16:
        raise ValueError("their colours of 16 bits are all below 4096, and only the upper 8 bits can be read")
    if {"integers", "fractions"} <= kinds:
        raise ValueError("some hold integers of more than 8 bits, and others fractions")
    deep = [depth for depth in depths if depth.kind in ("integers", "fractions")]
    if not deep:
        return None
    fractions = deep[0].kind == "fractions"
    levels = _levels(min(each.lowest for each in deep), max(each.highest for each in deep), fractions)
    if kinds & {"bytes", "upper bytes"} and (levels.black != 0 or levels.white not in AS_BYTES):
        raise ValueError(f"some have 8 bits, and others values of {levels}")
    return levels


def _levels(lowest: float, highest: float, fractions: bool) -> Levels:
    if lowest < 0:
        most = max(-lowest, highest)
        if fractions and LEAST_USED <= most <= 1:
            return Levels(-1.0, 1.0, True)
        if lowest == highest:
            raise ValueError(f"all their values are {lowest:g}")
        return Levels(lowest, highest, fractions)
    full = next((each for each in FULL[0 if fractions else 1 :] if each >= highest), highest)
    used = not fractions or highest == 0 or highest >= LEAST_USED * full
    return Levels(0.0, full if used else highest, fractions)


def in_8_bits(picture: Image.Image, levels: Levels | None) -> Image.Image:
    """Return a picture of 16 or 32 bits in 8 bits.

    Args:
        picture: Of one channel.
        levels: Of the run's pictures; where all of them have 8 bits and there are none, only the full ranges
            of 16 bits and of fractions are known.

    Raises:
        ValueError: Its values are not such as the run's pictures hold, so their scale can't be known.
    """
    from PIL import Image

    fractions = kind_of(picture) == "fractions"
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not numbers")
    lowest, highest = float(values.min()), float(values.max())
    if levels is None:
        levels = _levels(lowest, highest, fractions)
        if levels.black != 0 or levels.white not in (1.0, 65535.0):
            raise ValueError(
                f"its scale can't be known: it holds values from {lowest:g} to {highest:g}, and the pictures "
                "of the training have 8 bits"
            )
    black, white, expected = levels
    span = white - black
    strange = expected is not None and fractions != expected
    beyond = highest > white + span or lowest < black - span
    # Fractions that end at 1 among others of hundreds are on another scale, and no picture in the dark.
    below = fractions and not strange and black == 0 and white >= 16 and 0 < highest <= 1
    if strange or (expected is not None and (beyond or below)):
        raise ValueError(
            f"its scale can't be known: it holds {'fractions' if fractions else 'integers'} from {lowest:g} "
            f"to {highest:g}, and the pictures of the training have {levels} for black to white"
        )
    width = span if fractions else span + 1
    return Image.fromarray(np.clip((values - black) * (256 / width), 0, 255).astype(np.uint8))


def require_bytes_fit(levels: Levels | None) -> None:
    """Refuse a picture of 8 bits where the run's pictures are deeper and on a scale of their own.

    Raises:
        ValueError: It is so.
    """
    if levels is None or levels.fractions is None:
        return
    if levels.black != 0 or levels.white not in AS_BYTES:
        raise ValueError(
            f"its scale can't be known: it has 8 bits, and the pictures of the training have {levels} for "
            "black to white"
        )
