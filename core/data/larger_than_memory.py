"""Columns that are too large for memory: each lies in a file without a name, which dies with it."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar

import numpy as np

from core.errors import UserError

BLOCK_BYTES = 16 * 1024**2
# Of an own machine as of a container: what of its memory a column may take, and the most on a large one.
SHARE, MOST_BYTES = 1 / 8, 2 * 1024**3
CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
AHEAD = 256

Item = TypeVar("Item")
Result = TypeVar("Result")


@functools.cache
def memory_bytes() -> int:
    """Return the size from which on a column lies on disk: an eighth of the memory, at most 2 GiB."""
    limits = [MOST_BYTES / SHARE]
    with contextlib.suppress(AttributeError, ValueError, OSError):  # where the system does not say
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in CONTAINER_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # there is no such limit, or it is `max`
            limits.append(int(Path(path).read_text(encoding="ascii")))
    return int(min(limits) * SHARE)


def allocated(shape: Sequence[int], dtype: np.typing.DTypeLike, share: int = 1) -> np.ndarray:
    """Return an array to be filled: in memory, or a memory map of a file where it is too large for that.

    Args:
        shape: Of the array.
        dtype: Of numbers; what else there may be stays in memory.
        share: Of how many columns like it, which have the memory of one column together.

    Raises:
        UserError: The disk has no room for it.
    """
    dtype = np.dtype(dtype)
    num_bytes = math.prod(shape) * dtype.itemsize
    if num_bytes <= memory_bytes() // share or dtype.kind not in "biufc":
        return np.empty(tuple(shape), dtype)
    return np.memmap(_file(num_bytes), dtype, "w+", shape=tuple(shape))


def _file(num_bytes: int) -> IO[bytes]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        # A file that outgrows its disk while it is mapped would end the process without a word.
        raise UserError(
            f"{folder} has no room for data that are too large for memory: name a larger disk by TMPDIR. "
            f"Received: {num_bytes / 1e9:.1f} GB of data, {free / 1e9:.1f} GB left."
        )
    return tempfile.TemporaryFile()


def blocks(num_rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of rows in order, each of about 16 MiB, for work in bounded memory.

    Example:

    >>> list(blocks(5, row_bytes=7_000_000))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = max(BLOCK_BYTES // max(row_bytes, 1), 1)
    for start in range(0, num_rows, size):
        yield slice(start, min(start + size, num_rows))


def blocks_of(column: np.ndarray) -> Iterator[slice]:
    """Yield slices of a column's rows in order, each of about 16 MiB."""
    return blocks(len(column), column.dtype.itemsize * math.prod(column.shape[1:]))


def rows_of(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the rows of a column at some indices, on disk where they are too large for memory.

    What lies on disk for being one of many columns stays there, where it is more than a block.
    """
    is_large = isinstance(column, np.memmap) and column.dtype.itemsize * len(rows) > BLOCK_BYTES
    share = memory_bytes() // BLOCK_BYTES if is_large else 1
    chosen_rows = allocated((len(rows), *column.shape[1:]), column.dtype, share)
    for block in blocks_of(chosen_rows):
        chosen_rows[block] = column[rows[block]]
    return chosen_rows


def end_to_end(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return columns end to end, on disk where they are too large for memory."""
    dtype = np.result_type(*columns)
    joined = allocated((sum(map(len, columns)), *columns[0].shape[1:]), dtype)
    start = 0
    for column in columns:
        for block in blocks_of(column):
            joined[start + block.start : start + block.stop] = column[block]
        start += len(column)
    return joined


class Growing:
    """Values that come one after another, however many, kept in memory until they are too large for it.

    Args:
        dtype: Of the values.
        share: Of how many columns like it, which have the memory of one column together.

    Example:

    >>> waves = Growing(np.int16)
    >>> waves.append(np.array([1, 2]))
    >>> waves.append(np.array([3]))
    >>> waves.array().tolist()
    [1, 2, 3]
    """

    def __init__(self, dtype: np.typing.DTypeLike, share: int = 1) -> None:
        self.dtype = np.dtype(dtype)
        self._most_bytes = max(memory_bytes() // share, 1)
        self._file = tempfile.SpooledTemporaryFile(max_size=self._most_bytes)  # noqa: SIM115

    def append(self, values: np.ndarray) -> None:
        """Add values, of any shape, at the end."""
        self._file.write(np.ascontiguousarray(values, self.dtype).data)

    def array(self) -> np.ndarray:
        """Return all values as one flat array; nothing can be added after that."""
        num_bytes = self._file.tell()
        if num_bytes > self._most_bytes:
            self._file.flush()
            return np.memmap(self._file, self.dtype, "r+", shape=(num_bytes // self.dtype.itemsize,))
        self._file.seek(0)
        return np.frombuffer(bytearray(self._file.read()), self.dtype)


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `work(item)` of each item, in order, by several threads that are not far ahead of the reader.

    A pool's own `map` takes all items at once, and keeps every result that nobody has asked for yet.

    Example:

    >>> list(in_threads(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ThreadPoolExecutor() as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
