"""Tables in text files: CSV, TSV and JSON lines with named columns."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from core.data.examples import Examples
from core.data.folders import PART_NAMES
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
NESTED = "nested"  # of a table's `attrs`: column to the first line with a list or mapping, and that value


def table_suffix(path: Path) -> str:
    """Return the ending that tells the format, without a final `.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]


def existing(path: str | Path) -> Path:
    """Return the path of a source that exists and is not empty.

    Raises:
        UserError: There is nothing there, or nothing in it.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(
            f"There is no data at this path. Give a file, a folder, sample or tfds:NAME. Received: {path}."
        )
    if not (path.is_dir() or path.is_file()):
        raise UserError(f"The data is neither a file nor a folder. Received: {path}.")
    if path.is_dir() and not any(path.iterdir()):
        raise UserError(f"The folder is empty. Received: {path}.")
    if path.is_file() and not path.stat().st_size:
        raise UserError(f"The file is empty. Received: {path}.")
    return path


def part_paths(path: Path, suffixes: Sequence[str] = (*SEPARATORS, *JSON_LINES)) -> dict[str, Path]:
    """Return the files or folders of the parts that a source names: `train`, `validation`, `test`.

    Args:
        path: A file, which is all `train`, or a folder that holds files or folders named after the parts.
        suffixes: Endings of the files that count.

    Raises:
        UserError: A folder holds no training part, or more than one of any.
    """
    if path.is_file():
        return {"train": path}
    paths: dict[str, Path] = {}
    for part, names in PART_NAMES.items():
        several = [
            entry
            for entry in sorted(path.iterdir())
            if entry.name.split(".")[0].lower() in names
            and (entry.is_dir() or table_suffix(entry) in suffixes)
        ]
        if len(several) > 1:
            raise UserError(
                f"{path} holds more than one source of its {part} part: keep one of them. "
                f"Received: {', '.join(entry.name for entry in several)}."
            )
        if several:
            paths[part] = several[0]
    if "train" not in paths:
        raise UserError(
            f"{path} holds no file named train with one of the endings {', '.join(suffixes)}. "
            f"Received: {', '.join(sorted(entry.name for entry in path.iterdir())[:8])}."
        )
    return paths


def read_table(
    path: Path, columns: Mapping[str, str | int], *, skip_bad: bool = False, classes: Sequence[str] = ()
) -> tuple[Examples, tuple[str, ...]]:
    """Read text columns of a CSV, TSV or JSON-lines file, which may end in `.gz`.

    Args:
        path: The file.
        columns: The name a column gets to its name in the file, or to its position from 0 in a file without a
            header. Other columns are kept under their own names, where those are not taken.
        skip_bad: Leave out lines that can't be read or lack a value, and count them; else refuse them.
        classes: Those columns, where there are such, that name classes: blanks alone are no name.

    Returns:
        The examples, all columns as text, and notes of what was left out.

    Raises:
        UserError: The file is no such table, lacks a column, or has bad lines; the message names file and
            line.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "reviews.tsv"
    >>> _ = path.write_text("text\\tlabel\\nlovely\\tgood\\n")
    >>> read_table(path, {"text": "text", "label": "label"})[0]["label"].tolist()
    ['good']
    """
    if len(set(map(str, columns.values()))) < len(columns):
        raise UserError(f"Each column must be another one of the file. Received: {dict(columns)}.")
    headless = [position for position in columns.values() if _is_position(position)]
    if headless and len(headless) < len(columns):
        raise UserError(f"Give all columns by name, or all by position. Received: {dict(columns)}.")
    frame, bad = table_lines(path, bool(headless))
    nested = frame.attrs.get(NESTED, {})
    wanted = {name: int(source) if headless else source for name, source in columns.items()}
    _require_columns(path, frame, wanted)
    taken = [name for name in wanted if name in frame and name not in wanted.values()]
    frame = frame.drop(columns=taken).rename(columns={source: name for name, source in wanted.items()})
    named = [name for name in classes if name in frame]
    require_single_values(path, nested, {name: wanted.get(name, name) for name in (*wanted, *named)})
    blank = frame[[name for name in named if name in wanted]].apply(lambda names: names.str.strip() == "")
    lacking = frame[list(wanted)].isna().any(axis=1) | blank.any(axis=1)
    bad = sorted([*bad, *frame.loc[lacking, "_line"].tolist()])
    if bad and not skip_bad:
        raise UserError(
            f"{path}, line {bad[0]}: not as many fields as columns, or one is missing. Mend the file, or "
            f"leave such lines out with skip_bad=true. Received: {len(bad)} of them."
        )
    frame = frame[~lacking].drop(columns="_line").fillna("")
    if frame.empty:
        raise UserError(
            f"{path} has no lines of data. Received: {counted(len(bad), 'bad line')} and no good one."
        )
    examples = Examples({str(name): frame[name].to_numpy(object) for name in frame.columns}, str(path))
    return examples, ((f"{counted(len(bad), 'bad line')} of {path.name} left out",) if bad else ())


def require_single_values(
    path: Path, nested: Mapping[str, tuple[int, str]], columns: Mapping[str, str | int]
) -> None:
    """Refuse lists and mappings in columns that are read as texts.

    Args:
        path: The table.
        nested: What `table_lines` notes of columns that hold some: the first line, and what stands there.
        columns: The name of each column to its name in the file.

    Raises:
        UserError: One of the columns holds a list or a mapping; the message names the line.
    """
    for name, source in columns.items():
        if source in nested:
            line, value = nested[str(source)]
            raise UserError(
                f"{path}, line {line}: a {name} must be a text or a number, and no list or mapping: write "
                f"out the value that is meant. Received: {value[:60]}."
            )


def _is_position(column: str | int) -> bool:
    return isinstance(column, int) or column.isdigit()


def _require_columns(path: Path, frame: pd.DataFrame, wanted: Mapping[str, str | int]) -> None:
    for source in wanted.values():
        if source not in frame.columns:
            known = [str(name) for name in frame.columns if name != "_line"]
            raise UserError(
                f"{path} has no column {source!r}. Name another, or for a file without a header give "
                f"positions from 0. Received the columns: {', '.join(known[:12])}."
            )


def table_lines(path: Path, headless: bool) -> tuple[pd.DataFrame, list[int]]:
    """Return the good lines of a table as text, their numbers as `_line`, and the numbers of the bad ones.

    Args:
        path: The file, which may end in `.gz`.
        headless: The first line is one of data, and columns are named by their positions from 0.

    Raises:
        UserError: The file is no such table, or has no lines of data.
    """
    try:
        frame, bad = _json_lines(path) if table_suffix(path) in JSON_LINES else _separated(path, headless)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    if list(frame.columns) == ["_line"]:
        raise UserError(
            f"{path} has no lines of data. Received: {counted(len(bad), 'bad line')} and no good one."
        )
    return frame, bad


def opened_text(path: Path) -> TextIO:
    """Open a text file in UTF-8, unpacked where it ends in `.gz`."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _separated(path: Path, headless: bool) -> tuple[pd.DataFrame, list[int]]:
    import pandas as pd

    separator = SEPARATORS.get(table_suffix(path))
    if separator is None:
        raise UserError(
            f"A table ends in {', '.join((*SEPARATORS, *JSON_LINES))}, or these and .gz. Received: {path}."
        )
    # A quote in the middle of a tab-separated line is a quote and opens no field.
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE
    with opened_text(path) as file:
        csv.field_size_limit(2**27)
        reader = csv.reader((line.replace("\0", "") for line in file), delimiter=separator, quoting=quoting)
        first = next(reader, [])
        names: list[str | int] = list(range(len(first))) if headless else list(first)
        rows, lines, bad = ([first], [1], []) if headless else ([], [], [])
        start = reader.line_num + 1
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
                lines.append(start)
            elif row:
                bad.append(start)
            # Where the next row starts, which is what to mend when a quote swallows the lines after it.
            start = reader.line_num + 1
    repeated = sorted({str(name) for name in names if name != "" and names.count(name) > 1})
    if repeated:
        raise UserError(f"{path} has several columns of one name. Received: {', '.join(repeated)}.")
    frame = pd.DataFrame(rows, columns=names, dtype="str").replace("", pd.NA)
    return frame.loc[:, [name != "" for name in names]].assign(_line=lines), bad


def _json_lines(path: Path) -> tuple[pd.DataFrame, list[int]]:
    import pandas as pd

    rows, lines, bad = [], [], []
    nested: dict[str, tuple[int, str]] = {}
    with opened_text(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                rows.append(_json_row(row))
                lines.append(number)
                for name, value in row.items():
                    if isinstance(value, list | dict):
                        nested.setdefault(name, (number, str(value)))
            except (ValueError, RecursionError):
                bad.append(number)
    frame = pd.DataFrame(rows, dtype="str").assign(_line=lines)
    frame.attrs[NESTED] = nested
    return frame, bad


def _json_row(row: object) -> dict[str, str | None]:
    if not isinstance(row, dict):
        raise ValueError("a line is an object")
    texts = {
        name: None if value in (None, "") or value != value else str(value) for name, value in row.items()
    }
    # Half of a surrogate pair is legal JSON and no text: encoding it raises.
    "".join([*texts, *filter(None, texts.values())]).encode()
    return texts
