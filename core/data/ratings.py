"""Ratings and titles as MovieLens has them, and ratings in other tables."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.data.column_names import column_called
from core.data.examples import Examples
from core.data.packed import not_unicode
from core.data.rating_times import seconds_of
from core.data.tables import (
    COLUMNAR,
    FOUND_OUT,
    JSON,
    NESTED,
    Form,
    opened_text,
    require_single_values,
    table_lines,
    table_suffix,
)
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    import pandas as pd

RATING_NAMES = {
    "user": ("user", "userid", "user_id", "user_id:token"),
    "item": ("item", "itemid", "item_id", "movieid", "movie_id", "item_id:token"),
    "rating": ("rating", "rating:float", "user_rating", "score"),
    "time": ("timestamp", "time", "timestamp:float"),
}
TITLE_NAMES = ("title", "movie_title", "item_title", "name", "item_name")
# What separates the fields of tables of titles, nothing where they have no header, and how they are encoded
# where that is not UTF-8: MovieLens 1M is in Latin-1, and 10M under the same name in UTF-8.
TITLE_FILES = {
    "movies.csv": (",", "utf-8-sig"),
    "u.item": ("|", "latin-1"),
    "movies.dat": ("::", "latin-1"),
    "*.item": ("\t", "utf-8-sig"),
}
WHOLE_FILES = ("ratings.csv", "u.data", "ratings.dat", "ratings.txt", "ratings.tsv")
SURELY_TIMES = 1e8  # from which on all numbers of a column are seconds, and no ratings
FEW_RATINGS = 100  # different ones, which more than half of the lines may have
_DECIMAL_COMMA = r"-?\d+,\d+"
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class RatingsForm:
    """How a table of ratings is written, where that is not left to be found out.

    Args:
        form: Of the file.
        columns: `user`, `item`, `rating` or `time` to the name of its column.
        time_format: How times are written.
    """

    form: Form = FOUND_OUT
    columns: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None


AS_PUBLISHED = RatingsForm()


def read_ratings(
    path: Path, *, skip_bad: bool = False, choices: bool = False, how: RatingsForm = AS_PUBLISHED
) -> tuple[Examples, tuple[str, ...]]:
    """Read ratings as MovieLens has them (`ratings.csv`, `u.data`, `ratings.dat`), or from another table.

    Args:
        path: A file of fields by commas, tabs, `::` or blanks, with or without a header; or any other table
            with named columns. Or a folder that holds a file named like those of MovieLens.
        skip_bad: Leave out lines whose rating is no finite number or that have too many fields, and count
            them; else refuse them.
        choices: The table may lack ratings, which are 1 then.
        how: What somebody says of how the table is written.

    Returns:
        Columns `user` and `item` (text), `rating` (float32) and, where the file has it, `time` (int64,
        seconds; since 1970 where it has dates, those without a zone being UTC); and notes of what was left
        out.

    Raises:
        UserError: There is no such file, it lacks a column, or has bad lines; the message names file and
            line.
    """
    import pandas as pd

    path, passed_over = ratings_file(path)
    frame, bad, named = _rating_lines(path, choices, how)
    if choices and "rating" not in frame:
        frame["rating"] = "1"
    for name in ("user", "item"):
        frame[name] = frame[name].str.strip().replace("", pd.NA)
    decimal = frame["rating"].str.fullmatch(_DECIMAL_COMMA).fillna(False).astype(bool)
    if decimal.any():
        frame.loc[decimal, "rating"] = frame.loc[decimal, "rating"].str.replace(",", ".")
    with np.errstate(over="ignore"):
        rating = pd.to_numeric(frame["rating"], errors="coerce").to_numpy(np.float64).astype(np.float32)
    good = np.isfinite(rating) & frame["user"].notna().to_numpy() & frame["item"].notna().to_numpy()
    columns: dict[str, np.ndarray] = {}
    said: tuple[str, ...] = ()
    if "time" in frame:
        time, said = seconds_of(frame["time"].to_numpy(object), path, how.time_format)
        good &= np.abs(time) < 2.0**53
        columns["time"] = time[good].astype(np.int64)
    bad = sorted([*bad, *frame["_line"][~good].tolist()])
    if bad and not skip_bad:
        raise UserError(
            f"{path}, line {bad[0]}: a rating needs a user, an item, a finite number, a time where the file "
            "has times (a number, or an ISO date such as 2024-05-31 or 2024-05-31T12:00:00), and no more "
            "fields than the others. Mend the file, or leave such lines out with skip_bad=true. "
            f"Received: {len(bad)} of them."
        )
    if not good.any():
        raise UserError(f"{path} has no ratings. Received: {counted(len(bad), 'bad line')} and no good one.")
    if not named:
        _require_ratings(path, rating[good])
    columns |= {name: frame[name].to_numpy(object)[good] for name in ("user", "item")}
    columns["rating"] = rating[good]
    notes = [*said, *([f"{counted(len(bad), 'bad line')} of {path.name} left out"] if bad else [])]
    if passed_over:
        notes.append(
            f"{path.name} is read, and passed over are {', '.join(each.name for each in passed_over)}"
        )
    return Examples(columns, str(path)), tuple(notes)


def _require_ratings(path: Path, ratings: np.ndarray) -> None:
    """Refuse the third of some columns without names where it holds times, or ids.

    Raises:
        UserError: It does.
    """
    whole = bool((ratings == np.round(ratings)).all())
    different = len(np.unique(ratings))
    if whole and ratings.min() > SURELY_TIMES:
        kind = "times"
    elif whole and different > max(FEW_RATINGS, len(ratings) / 2):
        kind = "ids"
    else:
        return
    raise UserError(
        f"The third column of {path} holds {kind} and no ratings. Begin the file with a line that names its "
        f"columns, such as user, item, rating and time. Received: {ratings[0]:.0f}, and {different:,} "
        "different ones."
    )


def _rating_lines(path: Path, choices: bool, how: RatingsForm) -> tuple[pd.DataFrame, list[int], bool]:
    """Return ratings as text with their lines as `_line`, the lines that are none, and if it has names."""
    import pandas as pd

    if table_suffix(path) in (*JSON, *COLUMNAR):
        inner = [name for name in how.columns.values() if "." in name]
        frame, bad = table_lines(path, headless=False, form=how.form, inner=inner)
        names = _rating_columns(path, list(frame.columns), True, choices, how.columns)
        require_single_values(path, frame.attrs[NESTED], {name: source for source, name in names.items()})
        return frame[[*names, "_line"]].rename(columns=names), bad, True
    try:
        separator, header = _ratings_format(path, choices, how)
        with (
            warnings.catch_warnings(record=True) as warned,
            opened_text(path, how.form.encoding) as file,
        ):
            warnings.simplefilter("always", pd.errors.ParserWarning)
            frame = pd.read_csv(
                file,
                sep=separator,
                header=header,
                dtype="str",
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
                on_bad_lines="warn",
                engine="python" if separator == "::" else "c",
            )
        skipped = _skipped_lines(warned)
    except UnicodeDecodeError as error:
        raise not_unicode(path, error) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        raise UserError(f"{path} can't be read as ratings: {str(error).strip()}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    names = _rating_columns(path, list(frame.columns), header is not None, choices, how.columns)
    frame = frame[list(names)].rename(columns=names)
    numbers = np.arange(len(frame) + len(skipped)) + (1 if header is None else 2)
    frame["_line"] = np.setdiff1d(numbers, skipped)
    return frame.dropna(how="all", subset=list(names.values())), skipped, header is not None


def _skipped_lines(warned: Sequence[warnings.WarningMessage]) -> list[int]:
    """Return the numbers of lines with fields too many, which pandas left out; raise its other warnings."""
    import pandas as pd

    skipped: list[int] = []
    for warning in warned:
        lines = [
            int(line) for line in re.findall(r"^Skipping line (\d+):", str(warning.message), re.MULTILINE)
        ]
        # Where all lines have more fields than the header, pandas cuts them: that is no table of ratings.
        if not lines and issubclass(warning.category, pd.errors.ParserWarning):
            raise pd.errors.ParserWarning(str(warning.message))
        skipped += lines
    return skipped


def ratings_file(path: Path) -> tuple[Path, list[Path]]:
    """Return the file of ratings at a path, and others beside it that might have been meant."""
    if path.is_file():
        return path, []
    patterns = (*WHOLE_FILES[:3], "*.inter", *WHOLE_FILES[3:])
    files = [file for pattern in patterns for file in sorted(path.glob(pattern)) if file.is_file()]
    if not files:
        raise UserError(
            f"{path} holds no ratings.csv, u.data, ratings.dat, ratings.txt or .inter file. "
            f"Received: {', '.join(sorted(entry.name for entry in path.iterdir())[:8])}."
        )
    return files[0], files[1:]


def separator_of(line: str) -> str:
    """Return what separates the fields of a line, as a regular expression.

    Example:

    >>> separator_of("1::10::4"), separator_of("1 10 4")
    ('::', '\\\\s+')
    """
    if ";" in line and line.count(",") == len(_BETWEEN_DIGITS.findall(line)):
        return ";"  # beside decimal commas, if any
    return next((mark for mark in ("::", "\t", ",", ";") if mark in line), r"\s+")


def _ratings_format(path: Path, choices: bool, how: RatingsForm) -> tuple[str, int | None]:
    """Return the separator, and 0 where the first line is a header or None where there is none."""
    with opened_text(path, how.form.encoding) as file:
        first, second = file.readline().strip(), file.readline().strip()
    separator = how.form.separator or separator_of(first)
    pattern = re.escape(separator) if how.form.separator else separator
    fields = re.split(pattern, first)
    if how.columns and not all(name.isdigit() for name in how.columns.values()):
        return separator, 0
    if choices and len(fields) == 2:
        named = any(field.strip().lower() in RATING_NAMES["user"] for field in fields)
        # Names that are not known are refused as columns, and not taken for a user and an item.
        return separator, 0 if named or (
            not _numeric(fields) and _numeric(re.split(pattern, second))
        ) else None
    return separator, None if _numeric(fields[2:3]) else 0


def _numeric(fields: Sequence[str]) -> bool:
    """Return whether there are fields, and all are numbers."""
    try:
        return bool([float(_BETWEEN_DIGITS.sub(".", field)) for field in fields])
    except ValueError:
        return False


def _rating_columns(path: Path, names: list, named: bool, choices: bool, asked: Mapping[str, str]) -> dict:
    """Return which column of a table holds what, by the names that were asked for or usual ones."""
    if not named and asked:
        columns = {int(place): column for column, place in asked.items() if int(place) < len(names)}
        return _require_columns(path, columns, names, choices)
    if not named:
        if len(names) > len(RATING_NAMES):
            raise UserError(
                f"{path} has columns without names, which must be user, item, rating and maybe time. "
                f"Begin it with a line that names them. Received: {len(names)} columns."
            )
        return dict(zip(names, RATING_NAMES, strict=False))
    found = {}
    for column, spellings in RATING_NAMES.items():
        if column in asked:
            source = column_called(asked[column], [str(name) for name in names])
            if source is None:
                raise UserError(
                    f"{path} has no column {asked[column]!r}. "
                    f"Received the columns: {', '.join(str(name) for name in names if name != '_line')}."
                )
            found[source] = column
            continue
        plain = {str(name).strip().lower(): name for name in names}
        spelling = next((spelling for spelling in spellings if spelling in plain), None)
        if spelling is not None and plain[spelling] not in found:
            found[plain[spelling]] = column
    return _require_columns(path, found, names, choices)


def _require_columns(path: Path, columns: dict, names: list, choices: bool) -> dict:
    needed = ("user", "item") if choices else ("user", "item", "rating")
    lacking = [column for column in needed if column not in columns.values()]
    if lacking:
        hint = ", or rank by choices alone with recommendation/rankings" if lacking[0] == "rating" else ""
        raise UserError(
            f"{path} has no column of {lacking[0]}s: name it by {lacking[0]}_column{hint}. "
            f"Received the columns: {', '.join(str(name) for name in names if name != '_line')}."
        )
    return columns


def read_titles(ratings: Path) -> dict[str, str]:
    """Return item ids to titles from `movies.csv`, `u.item`, `movies.dat` or `.item` beside the ratings.

    Raises:
        UserError: There is such a file, and it is no table.
    """
    folder = ratings if ratings.is_dir() else ratings.parent
    for pattern, (separator, encoding) in TITLE_FILES.items():
        for path in (path for path in sorted(folder.glob(pattern)) if path.is_file()):
            try:
                return _titles(path, separator, encoding)
            except (OSError, ValueError, csv.Error) as error:
                if isinstance(error, UserError):
                    raise
                raise UserError(f"{path} can't be read as titles: {str(error).strip()}.") from None
    return {}


def read_title_table(path: Path) -> dict[str, str]:
    """Return item ids to titles from any table with a line of names, by commas, tabs or semicolons.

    Raises:
        UserError: It can't be read, or has no columns of items and of titles.
    """
    try:
        with opened_text(path) as file:
            separator = separator_of(file.readline())
        titles = _titles(path, separator, "latin-1") if separator in (",", "\t", ";") else {}
    except (OSError, EOFError, zlib.error, ValueError, csv.Error) as error:
        raise UserError(f"{path} can't be read as titles: {str(error).strip()}.") from None
    if not titles:
        raise UserError(
            f"{path} is no table of titles, which has a line of names such as item and title, and fields by "
            f"commas, tabs or semicolons. Received: fields by {separator!r}."
        )
    return titles


def _titles(path: Path, separator: str, encoding: str) -> dict[str, str]:
    packed = path.suffix == ".gz"
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode(encoding)
    if separator in ("|", "::"):
        rows: list[list[str]] = [line.split(separator) for line in text.split("\n")]
        places: tuple[int, int] | None = (0, 1)
    else:
        quoting: Literal[0, 3] = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting))
        places = _title_places(path, rows.pop(0) if rows else [])
    if places is None:
        return {}
    titles = {}
    for row in rows:
        if len(row) > max(places) and all(fields := [row[place].strip() for place in places]):
            titles[fields[0]] = fields[1]
    if rows and not titles:
        raise ValueError("an id and a title are expected in a line. Received none")
    return titles


def _title_places(path: Path, header: list[str]) -> tuple[int, int] | None:
    """Return the places of ids and titles in a header; nothing where a table of items has no titles."""
    # RecBole tells the type of a column behind its name.
    names = [name.strip().lower().split(":")[0] for name in header]
    spellings = ((*RATING_NAMES["item"], "id"), TITLE_NAMES)
    places = [next((names.index(each) for each in known if each in names), None) for known in spellings]
    if places[0] is not None and places[1] is not None:
        return places[0], places[1]
    if places[0] is not None and path.suffix == ".item":
        return None
    raise ValueError(
        "an id and a title are expected in a line, in columns named movieId and title. "
        f"Received the columns: {', '.join(header[:8]) or 'none'}"
    )
