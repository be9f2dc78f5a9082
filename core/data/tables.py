"""Tables with named columns, in whatever files they are published: text, JSON, Parquet, Arrow, Excel."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.column_names import guessed_columns
from core.data.columnar import COLUMNAR, columnar_frame
from core.data.dialects import SEPARATORS, dialect_of, first_lines, said
from core.data.examples import Examples
from core.data.folders import hidden, names_of_parts
from core.data.json_tables import JSON, JSON_LINES, json_rows
from core.data.packed import not_unicode, opened_text, table_suffix
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNAR", "JSON", "JSON_LINES", "SEPARATORS", "opened_text", "table_suffix"]

TABLES = (*SEPARATORS, *JSON, *COLUMNAR)
NESTED = "nested"  # of a table's `attrs`: column to the first line with a list or mapping, and that value
READ = "read"  # of a table's `attrs`: what is unusual about how it was read, in words
_SHARD = re.compile(r"-\d+-of-\d+$")  # how Hugging Face numbers the files of a part


@dataclass(frozen=True)
class Form:
    """How a table is written, where that is not left to be found out.

    Args:
        separator: Between the fields of a text.
        encoding: Of a text, such as `cp1252`; Unicode needs none.
    """

    separator: str | None = None
    encoding: str | None = None


FOUND_OUT = Form()


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


def part_paths(path: Path, suffixes: Sequence[str] = TABLES) -> dict[str, Path]:
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
    entries = {
        entry: part_word(entry)
        for entry in sorted(path.iterdir())
        if not hidden(entry.name) and (entry.is_dir() or table_suffix(entry) in suffixes)
    }
    for part, names in names_of_parts(entries.values()).items():
        several = [entry for entry, name in entries.items() if name in names]
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


def part_word(path: Path) -> str:
    """Return the word of a name that may be a part's, in lower case: what stands before the first dot.

    Example:

    >>> part_word(Path("Train.csv.gz")), part_word(Path("test-00000-of-00001.parquet"))
    ('train', 'test')
    """
    return _SHARD.sub("", path.name.split(".")[0].lower())


def passed_over(path: Path, parts: Collection[Path], suffixes: Sequence[str] = TABLES) -> list[str]:
    """Return a note of the tables in a folder that are none of its parts; nothing where there are none."""
    if not path.is_dir():
        return []
    others = [
        entry.name
        for entry in sorted(path.iterdir())
        if entry.is_file()
        and entry not in parts
        and not hidden(entry.name)
        and table_suffix(entry) in suffixes
    ]
    return [f"passed over, as named after no part: {', '.join(others[:8])}"] if others else []


def read_table(
    path: Path,
    columns: Mapping[str, str | int],
    *,
    skip_bad: bool = False,
    classes: Sequence[str] = (),
    usual: Mapping[str, Sequence[str]] | None = None,
    form: Form = FOUND_OUT,
) -> tuple[Examples, tuple[str, ...]]:
    """Read text columns of a table.

    Args:
        path: A text with separated fields, JSON lines or an array, Parquet, Arrow or Excel; all but the last
            three may be packed.
        columns: The name a column gets to its name in the file, without regard to case and blanks around it,
            in JSON and Parquet maybe a dotted path such as `review.text`; or to its position from 0 in a file
            without a header. Other columns are kept under their own names, where those are not taken.
        skip_bad: Leave out lines that can't be read or lack a value, and count them; else refuse them.
        classes: Those columns, where there are such, that name classes: blanks alone are no name.
        usual: The name a column gets to what people call it, as `guessed_columns` takes it.
        form: What somebody says of how the file is written.

    Returns:
        The examples, all columns as text, and notes of what was found out and what was left out.

    Raises:
        UserError: The file is no such table, lacks a column, or has bad lines; the message names file and
            line.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "reviews.csv"
    >>> _ = path.write_text("Text; Label\\nlovely, really; good\\n")
    >>> examples, notes = read_table(path, {"text": "text", "label": "label"})
    >>> examples["label"].tolist(), notes
    (['good'], ('fields are separated by semicolons, in reviews.csv',))
    """
    if len(set(map(str, columns.values()))) < len(columns):
        raise UserError(f"Each column must be another one of the file. Received: {dict(columns)}.")
    headless = [position for position in columns.values() if _is_position(position)]
    if headless and len(headless) < len(columns):
        raise UserError(f"Give all columns by name, or all by position. Received: {dict(columns)}.")
    inner = [str(name) for name in columns.values() if "." in str(name)]
    frame, bad = table_lines(path, bool(headless), form, inner)
    nested, notes = frame.attrs.get(NESTED, {}), list(frame.attrs.get(READ, ()))
    wanted: dict[str, str | int]
    if headless:
        wanted = {name: int(source) for name, source in columns.items()}
    else:
        names = {name: str(source) for name, source in columns.items()}
        known = [str(name) for name in frame.columns if name != "_line"]
        meant, guesses = guessed_columns(names, known, usual or {}, path.name)
        wanted = dict(meant)
        notes += guesses
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
    if bad:
        notes.append(f"{counted(len(bad), 'bad line')} of {path.name} left out")
    return examples, tuple(notes)


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
            inside = f", or name it by its path, such as {source}.{name}" if value.startswith("{") else ""
            raise UserError(
                f"{path}, line {line}: a {name} must be a text or a number, and no list or mapping: write "
                f"out the value that is meant{inside}. Received: {value[:60]}."
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


def table_lines(
    path: Path, headless: bool, form: Form = FOUND_OUT, inner: Collection[str] = ()
) -> tuple[pd.DataFrame, list[int]]:
    """Return the good lines of a table as text, their numbers as `_line`, and the numbers of the bad ones.

    Names of columns have no blanks around them. What is unusual about the table stands in `attrs[READ]`.

    Args:
        path: The file.
        headless: The first line is one of data, and columns are named by their positions from 0.
        form: What somebody says of how the file is written.
        inner: Dotted names of values within objects of JSON or Parquet that become columns.

    Raises:
        UserError: The file is no such table, or has no lines of data.
    """
    suffix = table_suffix(path)
    try:
        if suffix in COLUMNAR:
            frame, bad = _rows_of_columnar(path, headless, inner)
        elif suffix in JSON:
            frame, bad = _json(path, form, inner)
        else:
            frame, bad = _separated(path, headless, form)
    except UnicodeDecodeError as error:
        raise not_unicode(path, error) from None
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeError) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    if list(frame.columns) == ["_line"] or (not len(frame) and suffix in COLUMNAR):
        raise UserError(
            f"{path} has no lines of data. Received: {counted(len(bad), 'bad line')} and no good one."
        )
    return frame, bad


def _rows_of_columnar(path: Path, headless: bool, inner: Collection[str]) -> tuple[pd.DataFrame, list[int]]:
    import numpy as np

    frame, nested = columnar_frame(path, headless, inner)
    frame = _plainly_named(path, frame).assign(_line=np.arange(1, len(frame) + 1))
    frame.attrs[NESTED] = nested
    return frame, []


def _separated(path: Path, headless: bool, form: Form) -> tuple[pd.DataFrame, list[int]]:
    import pandas as pd

    usual = SEPARATORS.get(table_suffix(path))
    if usual is None:
        raise UserError(f"A table ends in {', '.join(TABLES)}, or these and .gz. Received: {path}.")
    with opened_text(path, form.encoding) as file:
        lines = iter(file)
        beginning = first_lines(lines)
        dialect = dialect_of(beginning, usual, form.separator)
        reader = dialect.reader(chain(beginning, lines))
        first: list[str] = next(reader, [])
        names: list[str | int] = list(range(len(first))) if headless else list(first)
        rows, numbers, bad = ([first], [1], []) if headless else ([], [], [])
        start = reader.line_num + 1
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
                numbers.append(start)
            elif row:
                bad.append(start)
            # Where the next row starts, which is what to mend when a quote swallows the lines after it.
            start = reader.line_num + 1
        encoding = file.encoding
    frame = pd.DataFrame(rows, columns=names, dtype="str").replace("", pd.NA)
    frame = _plainly_named(path, frame).assign(_line=numbers)
    unusual = [] if form.separator else [said(dialect, usual)]
    frame.attrs[READ] = [
        *(f"{words}, in {path.name}" for words in unusual if words),
        *_of_encoding(path, encoding, form),
    ]
    return frame, bad


def _of_encoding(path: Path, encoding: str, form: Form) -> list[str]:
    usual = form.encoding is not None or encoding in ("utf-8", "utf-8-sig")
    return [] if usual else [f"{path.name} is read as {encoding.upper()}"]


def _plainly_named(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns by their names without blanks around them; those without a name are left out.

    Raises:
        UserError: Several are called the same.
    """
    names = [name.strip() if isinstance(name, str) else name for name in frame.columns]
    repeated = sorted({str(name) for name in names if name != "" and names.count(name) > 1})
    if repeated:
        raise UserError(f"{path} has several columns of one name. Received: {', '.join(repeated)}.")
    return frame.set_axis(names, axis=1).loc[:, [name != "" for name in names]]


def _json(path: Path, form: Form, inner: Collection[str]) -> tuple[pd.DataFrame, list[int]]:
    import pandas as pd

    with opened_text(path, form.encoding) as file:
        rows, lines, bad, nested = json_rows(file, inner)
        encoding = file.encoding
    frame = _plainly_named(path, pd.DataFrame(rows, dtype="str")).assign(_line=lines)
    frame.attrs[NESTED] = nested
    frame.attrs[READ] = _of_encoding(path, encoding, form)
    return frame, bad
