"""Large tables in Parquet, read piece by piece: numbers in single precision, categories hashed at once.

No vocabulary is kept, and columns that are too large for their share of memory lie on disk, so a table may be
many times as large as memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.impressions.slots import MISSING_CODE, bucket_of, written
from core.data.content import content_hash
from core.data.examples import Examples
from core.data.larger_than_memory import Growing
from core.errors import UserError

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Schema:
    """What the columns of a table are.

    Args:
        label: That of the clicks.
        numbers: Those of amounts.
        categories: All others.
    """

    label: str
    numbers: Sequence[str]
    categories: Sequence[str]


def read_hashed(files: Sequence[Path], schema: Schema, buckets: int, separator: str) -> Examples:
    """Return the rows of files, their categories as the buckets that they fall into.

    Args:
        files: In Parquet, with the same columns.
        schema: What these are.
        buckets: Into which the values of each column of categories fall.
        separator: Between several values, which can't be hashed so; empty where there is none.

    Returns:
        Columns of the schema, float32 or int32, with -1 for what is missing; and `label` and `row`.

    Raises:
        UserError: A file can't be read, a label is missing, or a column holds several values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*schema.numbers, *schema.categories]
    grown = {name: Growing(np.float32, len(names)) for name in schema.numbers}
    grown |= {name: Growing(np.int32, len(names)) for name in schema.categories}
    labels, rows = Growing(np.int32, len(names)), Growing(np.uint64, len(names))
    known: dict[str, int] = {}
    for file in files:
        try:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=[schema.label, *names]):
                columns: dict[str, np.ndarray] = {
                    name: _amounts(batch.column(name)) for name in schema.numbers
                }
                for name in schema.categories:
                    columns[name] = _codes(file, name, batch.column(name), buckets, separator)
                labels.append(_labels(file, schema.label, batch.column(schema.label), known))
                rows.append(content_hash(Examples({**columns, "_": np.zeros(len(batch))}), [*names, "_"]))
                for name in names:
                    grown[name].append(columns[name])
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{file} can't be read as Parquet: {str(error).splitlines()[0]}.") from None
    label = np.array(list(known), np.dtypes.StringDType())[labels.array()]
    whole = {name: each.array() for name, each in grown.items()}
    return Examples({**whole, "label": label, "row": rows.array()}, str(files[0]))


def _amounts(column: Any) -> np.ndarray:
    import pyarrow as pa

    return column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)


def _codes(file: Path, name: str, column: Any, buckets: int, separator: str) -> np.ndarray:
    """Return the bucket of each value; each different one is hashed once."""
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        raise UserError(
            f"{file}: a column of lists is read without buckets alone. Leave {name!r} out of the file, or "
            f"leave buckets out. Received: {column.type}."
        )
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = [written(value) for value in encoded.dictionary.to_pylist()]
    several = next((text for text in texts if separator and separator in text), None)
    if several is not None:
        raise UserError(
            f"{file}: column {name!r} holds several values, which are read without buckets alone; or take "
            f"each text as one value with separator=''. Received: {several[:60]!r}."
        )
    table = np.array([bucket_of(text, buckets) if text else MISSING_CODE for text in texts] + [MISSING_CODE])
    places = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return table[places].astype(np.int32)


def _labels(file: Path, name: str, column: Any, known: dict[str, int]) -> np.ndarray:
    encoded = column.dictionary_encode()
    texts = [written(value) for value in encoded.dictionary.to_pylist()]
    if column.null_count or "" in texts:
        raise UserError(
            f"{file}: column {name!r} is empty in some rows, which is neither click nor no click: leave them "
            f"out of the file. Received: {max(column.null_count, 1)} of them in one piece."
        )
    table = np.array([known.setdefault(text, len(known)) for text in texts])
    return table[encoded.indices.to_numpy(zero_copy_only=False)]
