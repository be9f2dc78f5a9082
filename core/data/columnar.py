"""Tables in Parquet, Arrow and Excel files, as rows of texts."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.json_tables import Nested, value_within
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
EXCEL = (".xlsx", ".xlsm")
COLUMNAR = (*PARQUET, *ARROW, *EXCEL)


def columnar_frame(path: Path, headless: bool, inner: Collection[str]) -> tuple[pd.DataFrame, Nested]:
    """Return the rows of a file as texts, missing where they are blank or null.

    Args:
        path: Of one of these formats.
        headless: Of Excel, the first row is one of data, and columns are named by their positions from 0.
        inner: Dotted names of values within columns of structs.

    Raises:
        UserError: It is no such file, or what reads it is not installed.
    """
    import pandas as pd

    if path.suffix.lower() in EXCEL:
        return _excel_frame(path, headless), {}
    table = arrow_table(path)
    values = {name: table.column(name).to_pylist() for name in table.column_names}
    for name in (name for name in inner if name not in values):
        column, _, rest = name.partition(".")
        if column in values:
            values[name] = [value_within(value, rest) for value in values[column]]
    nested: Nested = {}
    texts: dict[str | int, list[str | None]] = {}
    for place, (name, column_values) in enumerate(values.items()):
        texts[place if headless else name] = [_text(value) for value in column_values]
        first = next(
            (row for row, value in enumerate(column_values) if isinstance(value, list | dict | bytes)), None
        )
        if first is not None:
            nested[name] = first + 1, str(column_values[first])[:60]
    return pd.DataFrame(texts, dtype="str"), nested


def arrow_table(path: Path) -> pa.Table:
    """Return what a Parquet or Arrow file holds, its categories as what they name.

    Raises:
        UserError: It is no such file, or has several columns of one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import ipc

    kind = "Parquet" if path.suffix.lower() in PARQUET else "Arrow"
    try:
        if kind == "Parquet":
            table = pq.read_table(path)
        else:
            with pa.memory_map(str(path)) as file:
                table = _whole(ipc, pa, file).read_all()
    except (pa.ArrowException, OSError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise UserError(f"{path} can't be read as {kind}: {lines[0].rstrip('.')}.") from None
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated:
        raise UserError(f"{path} has several columns of one name. Received: {', '.join(repeated)}.")
    return table


def _whole(ipc: Any, pa: Any, file: Any) -> Any:
    """Return the reader of a file of either form: with an index at its end, or a stream."""
    try:
        return ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        return ipc.open_stream(file)


def _text(value: Any) -> str | None:
    return None if value is None or value == "" or value != value else str(value)


def _excel_frame(path: Path, headless: bool) -> pd.DataFrame:
    import pandas as pd

    with _excel_reported(path):
        frame = pd.read_excel(path, header=None, dtype=object, keep_default_na=False, na_values=[""])
    frame = frame.dropna(how="all").map(_text).astype("str")
    if headless or frame.empty:
        return frame
    names = frame.iloc[0].fillna("")
    named = frame.iloc[1:].set_axis(list(names), axis=1)
    repeated = sorted({name for name in names if name and list(names).count(name) > 1})
    if repeated:
        raise UserError(f"{path} has several columns of one name. Received: {', '.join(repeated)}.")
    return named.loc[:, [name != "" for name in names]]


@contextlib.contextmanager
def _excel_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise UserError(
            f"Reading Excel takes openpyxl: pip install 'keras-quartet[excel]', or save the sheet as CSV. "
            f"Received: {path}."
        ) from None
    except Exception as error:  # what a reader of packed XML raises at a broken file is anything
        raise UserError(f"{path} can't be read as Excel: {str(error).rstrip('.')}.") from None
