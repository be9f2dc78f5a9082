"""What examples are: a hash of each one's content, wherever it stands, and a fingerprint of them all."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from core.data.examples import Column, Examples, Ragged


def content_hash(examples: Examples, key: Sequence[str], seed: int = 0) -> np.ndarray:
    """Return a stable 64-bit hash of each example's content.

    The content is read once: the examples keep their hashes, and so do those that are taken of them.

    Args:
        examples: Any number of them.
        key: The columns that make an example what it is. Equal content has equal hashes, whatever its place;
            a text that stands alone is read blind to case, blanks and punctuation.
        seed: Another seed gives unrelated hashes.

    Returns:
        uint64, shape `(num_examples,)`, not to be written into.
    """
    known = examples.hashes.get((tuple(key), seed))
    if known is None:
        known = examples.hashes[tuple(key), seed] = _content_hash(examples, key, f"{seed:016d}"[:16])
    return known


def _content_hash(examples: Examples, key: Sequence[str], salt: str) -> np.ndarray:
    import pandas as pd

    combined = np.zeros(len(examples), np.uint64)
    for name in key:
        column = examples.columns[name]
        if len(key) == 1 and is_text(column):
            column = np.array([_plain(text) for text in column], np.dtypes.StringDType())
        # An odd multiplier keeps the order of the columns in the hash; overflow wraps, as it should.
        combined = combined * np.uint64(0x9E3779B97F4A7C15) + _column_hash(column, salt)
        if len(key) > 1:
            # A sum alone would put items with neighbouring hashes into the same part for every user.
            combined = pd.util.hash_array(combined)
    combined.flags.writeable = False
    return combined


def is_text(column: Column) -> TypeGuard[np.ndarray]:
    """Return whether a column holds texts."""
    return not isinstance(column, Ragged) and isinstance(column.dtype, np.dtypes.StringDType)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded.strip()


def _column_hash(column: Column, salt: str) -> np.ndarray:
    import pandas as pd

    if not isinstance(column, Ragged) and column.ndim == 1:
        return pd.util.hash_array(column.astype(object) if is_text(column) else column, hash_key=salt)
    hashes, key = np.empty(len(column), np.uint64), salt.encode()
    for row in range(len(column)):
        digest = hashlib.blake2b(np.ascontiguousarray(column[row]).data, digest_size=8, key=key)
        hashes[row] = int.from_bytes(digest.digest(), sys.byteorder)
    return hashes


def fingerprint(examples: Examples, columns: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change when any of the columns' contents or their order changes."""
    digest = hashlib.blake2b(digest_size=8)
    for name in columns:
        column = examples.columns[name]
        for array in (column.values, column.offsets) if isinstance(column, Ragged) else (column,):
            if is_text(array):
                for start in range(0, len(array), 10_000):
                    digest.update("\0".join(array[start : start + 10_000].tolist()).encode())
            else:
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()
