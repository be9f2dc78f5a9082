"""Splits kept in a folder as plain arrays, for other processes to map into memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from core.data.examples import Column, Examples, Ragged, Splits
from core.data.larger_than_memory import memory_bytes
from core.data.splitting import PARTS


def write_splits(folder: Path, splits: Splits) -> None:
    """Write splits into an existing folder: `splits.json`, and one or two `.npy` files a column.

    Args:
        folder: Where they go; nothing of it is read.
        splits: Columns of numbers, of text, or ragged.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> reviews = Examples({"text": ["good", "bad"], "label": ["1", "0"]})
    >>> write_splits(folder, Splits(reviews, reviews.take([]), reviews, protocol="as published"))
    >>> read_splits(folder).test["text"].tolist()
    ['good', 'bad']
    """
    kinds: dict[str, dict[str, str]] = {}
    for part in PARTS:
        examples: Examples = getattr(splits, part)
        kinds[part] = {
            name: _write_column(folder / f"{part}-{place}", column)
            for place, (name, column) in enumerate(examples.columns.items())
        }
    described = {
        "protocol": splits.protocol,
        "notes": list(splits.notes),
        "official_test": splits.official_test,
        "sources": {part: getattr(splits, part).source for part in PARTS},
        "columns": kinds,
    }
    (folder / "splits.json").write_text(json.dumps(described), encoding="utf-8")


def read_splits(folder: Path) -> Splits:
    """Return the splits that `write_splits` wrote; columns too large for memory stay on disk."""
    described = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
    parts = {
        part: Examples(
            {
                name: _read_column(folder / f"{part}-{place}", kind)
                for place, (name, kind) in enumerate(described["columns"][part].items())
            },
            described["sources"][part],
        )
        for part in PARTS
    }
    return Splits(
        **parts,
        protocol=described["protocol"],
        notes=tuple(described["notes"]),
        official_test=described["official_test"],
    )


def _write_column(path: Path, column: Column) -> str:
    if isinstance(column, Ragged):
        _write_rows(path, column)
        return "ragged"
    if isinstance(column.dtype, np.dtypes.StringDType):
        texts = [text.encode("utf-8", "surrogatepass") for text in column.tolist()]
        offsets = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
        _write_rows(path, Ragged(np.frombuffer(b"".join(texts), np.uint8), offsets))
        return "text"
    np.save(path.with_suffix(".npy"), column, allow_pickle=False)
    return "numbers"


def _write_rows(path: Path, rows: Ragged) -> None:
    np.save(path.with_suffix(".npy"), rows.values, allow_pickle=False)
    np.save(path.with_suffix(".offsets.npy"), rows.offsets, allow_pickle=False)


def _read_column(path: Path, kind: str) -> Column:
    file = path.with_suffix(".npy")
    values = np.load(file, mmap_mode="r" if file.stat().st_size > memory_bytes() else None)
    if kind == "numbers":
        return values
    rows = Ragged(values, np.load(path.with_suffix(".offsets.npy")))
    if kind == "ragged":
        return rows
    texts = [rows[row].tobytes().decode("utf-8", "surrogatepass") for row in range(len(rows))]
    return np.array(texts, np.dtypes.StringDType())
