"""How much of a text stands in the training texts word for word."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
from pydantic import Field

from core.answers.texts.differences import WORDS
from core.settings import Settings

RUN = 8  # words, beyond which few texts agree by chance
MOST = 50_000  # runs of the training texts that are kept; of more, a sample by their hashes
CHUNK = 1 << 20  # characters whose words are held at once
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits as even as can be
HALF = np.uint64(32)


class KnownRuns(Settings):
    """The runs of eight words of training texts, or a fair sample of them where there are many.

    A run is kept if its hash is below a bound, so the share of a text's runs below it that are known is that
    of all its runs, but for chance.

    Example:

    >>> text = "one two three four five six seven eight nine ten"
    >>> runs = KnownRuns.of([text])
    >>> runs.share([text[4:] + " eleven"])
    (0.666..., 3)
    """

    bound: int = Field(ge=0, description="only hashes below it are kept")
    hashes: str = Field(description="sorted, uint32, in base 85")

    @classmethod
    def of(cls, texts: Iterable[str]) -> KnownRuns:
        """Return the runs of texts."""
        bound, known = 2**32, np.zeros(0, np.uint32)
        for text in texts:
            for hashes in _hashes(text):
                known = np.union1d(known, hashes[hashes < bound])
                if len(known) > MOST:
                    bound = int(known[MOST])
                    known = known[:MOST]
        return cls(bound=bound, hashes=base64.b85encode(known.astype("<u4").tobytes()).decode())

    @cached_property
    def _known(self) -> np.ndarray:
        return np.frombuffer(base64.b85decode(self.hashes), "<u4")

    def share(self, texts: Sequence[str]) -> tuple[float, int]:
        """Return which share of the runs of texts is known, and of how many it is told; 0 of none."""
        runs = [hashes for text in texts for hashes in _hashes(text)]
        hashes = np.concatenate(runs) if runs else np.zeros(0, np.uint32)
        hashes = hashes[hashes < self.bound]
        return float(np.isin(hashes, self._known).mean()) if len(hashes) else 0.0, len(hashes)


def _hashes(text: str) -> Iterator[np.ndarray]:
    """Yield hashes of each run of words of a text, uint32, part by part."""
    codes: dict[str, int] = {}
    left: list[int] = []
    for part in _parts(text):
        for word in WORDS.findall(part):
            if word not in codes:
                codes[word] = zlib.crc32(word.encode("utf-8", "surrogatepass"))
            left.append(codes[word])
        numbers = np.array(left, np.uint64)
        count = len(numbers) - RUN + 1
        if count > 0:
            hashes = np.zeros(count, np.uint64)
            for place in range(RUN):
                hashes = (hashes ^ numbers[place : place + count]) * FACTOR
                hashes ^= hashes >> HALF
            yield (hashes * FACTOR >> HALF).astype(np.uint32)
            left = left[count:]


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts that end at a blank, where there is one."""
    start = 0
    while start < len(text):
        end = start + CHUNK
        if end < len(text):
            blank = re.compile(r"\s").search(text, end)
            end = blank.start() if blank and blank.start() < end + CHUNK else end
        yield text[start:end]
        start = end
