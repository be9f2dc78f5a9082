"""What examples are: a hash of each one's content, wherever it stands, and a fingerprint of them all."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import numpy as np

from core.data.examples import Column, Examples, Ragged

DISTINCT = "distinct"  # in place of the seed of a hash: that of `compared`


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
    columns = [examples.columns[name] for name in key]
    if len(columns) == 1 and is_text(columns[0]) and columns[0].ndim == 1:
        columns = [np.array([_plain(text) for text in columns[0]], np.dtypes.StringDType())]
    return _combined(columns, salt)


def compared(parts: Mapping[str, Examples], key: Sequence[str]) -> dict[str, np.ndarray]:
    """Return hashes of the examples of several parts that are equal where a reader sees no difference.

    Texts that stand alone are compared by all that tells them apart (see `distinct_text`), where
    `content_hash`, which only keeps likely twins together, reads letters and digits. Numbers are compared by
    their values, whatever type a part keeps them in.

    Args:
        parts: Name to examples, all with the columns of the key.
        key: The columns that make an example what it is.

    Returns:
        Name to uint64, shape `(num_examples,)`, not to be written into.
    """
    filled = [part for part in parts.values() if len(part)]
    alone = len(key) == 1 and all(is_text(part.columns[key[0]]) for part in filled)
    if alone and all(part.columns[key[0]].ndim == 1 for part in filled):  # type: ignore[union-attr]
        return {name: _distinct_hash(part, key[0]) for name, part in parts.items()}
    shared = {name: _shared_type([part.columns[name] for part in filled]) for name in key}
    return {
        name: _hash_as(part, key, shared) if len(part) else content_hash(part, key)
        for name, part in parts.items()
    }


def _distinct_hash(examples: Examples, name: str) -> np.ndarray:
    known = examples.hashes.get(((name,), DISTINCT))
    if known is None:
        texts = [distinct_text(text) for text in examples[name].tolist()]
        known = _combined([np.array(texts, np.dtypes.StringDType())], "0" * 16)
        examples.hashes[(name,), DISTINCT] = known
    return known


def _shared_type(columns: Sequence[Column]) -> np.dtype | None:
    """Return the type that columns of several parts are brought to, or nothing where they have one."""
    types = {_values(column).dtype for column in columns}
    if len(types) < 2:
        return None
    if any(isinstance(each, np.dtypes.StringDType) for each in types):
        return np.dtypes.StringDType()
    # What was once rounded to single precision is never equal to the number in double precision.
    return np.dtype(np.float32) if np.dtype(np.float32) in types else np.result_type(*types)


def _hash_as(examples: Examples, key: Sequence[str], types: Mapping[str, np.dtype | None]) -> np.ndarray:
    if not any(types.values()):
        return content_hash(examples, key)
    columns = [_as_type(examples.columns[name], types[name]) for name in key]
    return _combined(columns, "0" * 16)


def _values(column: Column) -> np.ndarray:
    return column.values if isinstance(column, Ragged) else column


def _as_type(column: Column, dtype: np.dtype | None) -> Column:
    if dtype is None:
        return column
    return (
        Ragged(column.values.astype(dtype), column.offsets)
        if isinstance(column, Ragged)
        else column.astype(dtype)
    )


def _combined(columns: Sequence[Column], salt: str) -> np.ndarray:
    import pandas as pd

    combined = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # An odd multiplier keeps the order of the columns in the hash; overflow wraps, as it should.
        combined = combined * np.uint64(0x9E3779B97F4A7C15) + _column_hash(column, salt)
        if len(columns) > 1:
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


def distinct_text(text: str) -> str:
    """Return a text without what does not tell it from another: case, blanks, the punctuation of sentences.

    Vowel signs and other marks, symbols, emoji, faces made of punctuation, and + and - stay.

    Example:

    >>> distinct_text("A good  film!"), distinct_text("A well-made film :-)"), distinct_text("-5 + 3")
    ('a good film', 'a well made film :-)', '- 5 + 3')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if folded.isascii():
        return " ".join(_TELLING_OF_ASCII.findall(folded)) or folded.strip()
    telling, unseen = _telling()
    return " ".join(telling.findall(unseen.sub("", folded))) or folded.strip()


# Eyes, perhaps a nose, and a mouth; or the other way round.
_FACES = r"[:;=8][\-o^'*]?[()\[\]{}<>/\\|@*$]|[()\[\]{}][\-o^'*]?[:;=8]|<3"
_SIGNS = r"%&#@*/\\§†‡•‰"  # Unicode counts them as punctuation


def _telling_pattern(marks: str, symbols: str) -> re.Pattern[str]:
    """Return what finds faces, words, symbols, and each - that joins no two words."""
    word = rf"[\w{marks}]"
    return re.compile(rf"{_FACES}|{word}+|[{symbols}{_SIGNS}]|-(?!(?<={word}-)\w)")


_TELLING_OF_ASCII = _telling_pattern("", r"$+<=>^`|~")


@functools.cache
def _telling() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern for all of Unicode, and that of characters that are not seen or vary others."""
    codes: dict[str, list[int]] = {"M": [], "S": [], "C": []}
    for code in range(sys.maxunicode + 1):
        kind = unicodedata.category(chr(code))
        varies = 0xFE00 <= code < 0xFE10 or kind == "Cf"
        group = "C" if varies else kind[0] if kind != "Co" else "S"
        if varies or group in "MS":
            codes[group].append(code)
    marks, symbols, unseen = ("".join(_ranges(codes[group])) for group in "MSC")
    return _telling_pattern(marks, symbols), re.compile(f"[{unseen}]")


def _ranges(codes: Sequence[int]) -> Iterator[str]:
    numbers = np.asarray(codes)
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        yield f"\\U{run[0]:08x}-\\U{run[-1]:08x}"


def row_hash(column: Column) -> np.ndarray:
    """Return a hash of each row of a column of any kind, uint64, shape `(num_rows,)`."""
    return _column_hash(column, "0" * 16)


def _column_hash(column: Column, salt: str) -> np.ndarray:
    import pandas as pd

    if not isinstance(column, Ragged) and column.ndim == 1:
        return pd.util.hash_array(column.astype(object) if is_text(column) else column, hash_key=salt)
    hashes, key = np.empty(len(column), np.uint64), salt.encode()
    for row in range(len(column)):
        digest = hashlib.blake2b(_bytes(column[row]), digest_size=8, key=key)
        hashes[row] = int.from_bytes(digest.digest(), sys.byteorder)
    return hashes


def _bytes(row: np.ndarray) -> bytes | memoryview:
    """Return what stands for a row: of equal numbers the same, whatever whole-number type they have.

    Bytes of pictures and samples of sounds, which runs were split by, stay as they are.
    """
    if row.dtype.kind not in "biuf":
        return repr(row.tolist()).encode()
    if row.dtype.kind in "biu" and row.dtype not in (np.int16, np.uint8):
        row = row.astype(np.int64)
    elif row.dtype.kind == "f":
        row = row.astype(np.float64)
    return np.ascontiguousarray(row).data


def fingerprint(examples: Examples, columns: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change when any of the columns' contents or their order changes."""
    digest = hashlib.blake2b(digest_size=8)
    for name in columns:
        column = examples.columns[name]
        for array in (column.values, column.offsets) if isinstance(column, Ragged) else (column,):
            if is_text(array):
                array = array.reshape(-1)
                for start in range(0, len(array), 10_000):
                    digest.update("\0".join(array[start : start + 10_000].tolist()).encode())
            else:
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()
