"""How much of the texts a model never reads, since they are longer than it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.data.examples import Splits

MOST = 2000  # texts of a part that are looked at, evenly spread over it


def told_truncation(
    splits: Splits, cut_off: Callable[[np.ndarray], np.ndarray], length: str
) -> tuple[str, ...]:
    """Return a note of the share of texts that are cut, in training and in test; nothing where none is.

    Args:
        splits: With a column `text`.
        cut_off: From texts to which of them are longer than what is read, bool.
        length: What is read of a text, in words.
    """
    shares = {"train": _share(splits.train["text"], cut_off), "test": _share(splits.test["text"], cut_off)}
    if not any(shares.values()):
        return ()
    words = " and ".join(f"{_percent(share)} of the texts of {part}" for part, share in shares.items())
    return (f"{words} are longer than the {length} that are read of each: max_length sets how many",)


def _share(texts: np.ndarray, cut_off: Callable[[np.ndarray], np.ndarray]) -> float:
    if not len(texts):
        return 0.0
    rows = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), MOST)).astype(np.int64))
    return float(cut_off(texts[rows]).mean())


def _percent(share: float) -> str:
    return "less than 1%" if 0 < share < 0.01 else f"{share:.0%}"
