"""Columns of Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.impressions.slots import written
from core.errors import UserError

SUFFIXES = (".parquet", ".pq")


def read(path: Path, separator: str = "|") -> dict[str, np.ndarray]:
    """Return the columns of a file: numbers as float64 or as they are, all else as texts.

    Args:
        path: The file.
        separator: Put between the values of a column of lists.

    Raises:
        UserError: It is no Parquet, has no rows, or a column holds neither texts nor numbers nor lists.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} can't be read as Parquet: {str(error).splitlines()[0]}.") from None
    if not table.num_rows:
        raise UserError(f"{path} has no rows. Received: the columns {', '.join(table.column_names[:12])}.")
    return {name: _column(path, name, table.column(name), separator) for name in table.column_names}


def column_types(path: Path) -> dict[str, str]:
    """Return what the columns of a file hold, by name: `integer`, `number` or `text`.

    Raises:
        UserError: It is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} can't be read as Parquet: {str(error).splitlines()[0]}.") from None
    return {field.name: _type_name(field.type) for field in schema}


def _type_name(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "integer"
    return "number" if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else "text"


def _column(path: Path, name: str, column: Any, separator: str) -> np.ndarray:
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_struct(kind) or pa.types.is_map(kind) or pa.types.is_binary(kind):
        raise UserError(
            f"{path}: column {name!r} must hold texts, numbers, or lists of them. Leave it out of the file. "
            f"Received: {kind}."
        )
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy()
    return np.array([written(value, separator) for value in column.to_pylist()], np.dtypes.StringDType())
