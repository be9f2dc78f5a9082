"""How much of each text is worth reading, by the lengths of the training texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.data.letters import Reading

if TYPE_CHECKING:
    from core.data.text import Pieces

LEAST = 256  # words, which cost no more than shorter texts need
SHARE = 0.95  # of the training texts are read whole
LONGEST = {"bag": 4096, "convolutional": 1024, "recurrent": 512, "transformer": 512, "backbone": 512}
MOST_IDS = 2**28  # of all training texts, which take a gibibyte
LOOKED_AT = 2_000  # texts, evenly over the training part
RATE_LOOKED_AT = 200


def length_of(texts: np.ndarray, cut: Callable[[int, Reading], Pieces], encoder: str) -> int:
    """Return how many words or characters to read of each text.

    Args:
        texts: Of the training part.
        cut: From a length and a reading to what cuts texts into pieces of that many words.
        encoder: What reads them; one of `LONGEST`.

    Returns:
        The 95th percentile of their lengths, at least 256, and at most what the encoder can hold.
    """
    from core.data.text import Pieces

    rows = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), LOOKED_AT)).astype(np.int64))
    looked_at, longest = texts[rows], LONGEST[encoder]
    lengths = Pieces(cut(longest, "folded").split, longest)(looked_at).row_lengths().numpy()
    wanted = int(np.ceil(np.quantile(lengths, SHARE)))
    if encoder == "backbone":
        wanted = wanted * 4 // 3 + 2  # sub-words, and the marks of begin and end
    wanted = min(max(wanted, LEAST), longest)
    few = looked_at[:: max(len(rows) // RATE_LOOKED_AT, 1)]
    words = lengths[:: max(len(rows) // RATE_LOOKED_AT, 1)]
    rate = cut(longest, "folded")(few).row_lengths().numpy().sum() / max(words.sum(), 1)
    while wanted > LEAST and np.minimum(lengths, wanted).mean() * len(texts) * rate > MOST_IDS:
        wanted = max(wanted * 3 // 4, LEAST)
    return wanted
