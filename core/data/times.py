"""Times as people write them, read by one rule for a whole column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from core.data.content import is_text
from core.data.examples import Examples
from core.data.month_names import MONTHS, PASSED_OVER, ZONES
from core.errors import UserError

SETTING = "time_format"
ORDERS = ("y/m/d", "d/m/y", "m/d/y")
EPOCHS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
MICROSECONDS = 1_000_000
PIVOT = 69  # years of two digits from here on are of the last century, as in `strptime`
_EARLIEST, _LATEST = 315_532_800, 4_102_444_800  # 1980 and 2100, of which numbers may count the seconds
_START = datetime(1970, 1, 1, tzinfo=UTC)

_CLOCK = re.compile(
    r"(?:(?<=\d)t)?(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?\s*(?P<half>[ap]\.?m\b\.?)?"
)
_HALF_DAY = re.compile(r"\b(?P<hour>\d{1,2})\s*(?P<half>[ap]\.?m\b\.?)")
_OFFSET = re.compile(r"(?:utc|gmt)?\s*(?P<sign>[+\u2212-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?\s*$")
_BASIC = re.compile(r"(\d{8})t(\d{2})(\d{2})(\d{2})?(z|[+-]\d{2}:?\d{2})?$")
_WEEK = re.compile(r"(\d{4})-?w(\d{2})(?:-?(\d))?$")
_QUARTER = re.compile(r"(?:(\d{4})[-/ ]?q([1-4])|q([1-4])[-/ ]?(\d{4}))$")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?$")


class _NoTimeError(ValueError):
    """A value is no time, or no time of the form that was asked for; the message says why."""


@dataclass(frozen=True)
class Times:
    """The times of a column.

    Args:
        values: What the rows are ordered by, int64 microseconds since 1970 or any numbers, shape
            `(num_rows,)`.
        dated: Whether the values are microseconds since 1970.
        setting: The `time_format` that reads the same; nothing where each text says by itself what it is.
    """

    values: np.ndarray
    dated: bool
    setting: str | None = None

    @property
    def form(self) -> str:
        """How the times were read, in words; nothing where that goes without saying."""
        if self.setting in EPOCHS:
            return f"as {self.setting} since 1970"
        if self.setting is None or self.setting == "number":
            return ""
        return f"as {self.setting}"

    def take(self, rows: np.ndarray | slice) -> Times:
        """Return the times of some rows."""
        return Times(self.values[rows], self.dated, self.setting)

    def range(self) -> str:
        """Return the first and the last time, of at least one, in words."""
        return f"{self._written(self.values.min())} to {self._written(self.values.max())}"

    def _written(self, value: np.generic) -> str:
        if not self.dated:
            return f"{value:.15g}" if value.dtype.kind == "f" else str(value)
        try:
            moment = _START + timedelta(microseconds=int(value))
        except OverflowError:
            return f"{int(value)} microseconds since 1970"
        clock = "" if moment.time() == datetime.min.time() else f" {moment:%H:%M:%S}"
        return f"{moment:%Y-%m-%d}{clock}"


def times_of(parts: Sequence[Examples], name: str, time_format: str | None = None) -> Times:
    """Return a column of all parts of a source as times, all read by one rule.

    Dates may be ISO 8601, padded or not, day, month and year in any order that the column itself makes sure
    of, with names of months, times of day and zones; numbers may count anything from anywhere, such as the
    seconds since 1970. What is written without a zone is UTC.

    Args:
        parts: With the column, one at least.
        name: Of the column: numbers, or texts.
        time_format: `d/m/y`, `m/d/y` or `y/m/d` for any separators; `s`, `ms`, `us` or `ns` since 1970;
            `number`; or a format of `strptime` such as `%d.%m.%Y %H:%M`. Found out where it is left open.

    Returns:
        The times of the rows of all parts, end to end.

    Raises:
        UserError: A value is missing or no time, or the column can be read in more than one way; the message
            names the line and the setting.

    Example:

    >>> days = Examples({"day": ["9/30/2023", "10/1/2023", "9/2/2023"]})
    >>> times = times_of([days], "day")
    >>> times.range(), times.form
    ('2023-09-02 to 2023-10-01', 'as m/d/y')
    """
    _require_known(time_format)
    columns = [_plain_column(part, name) for part in parts]
    if any(is_text(column) for column in columns):
        texts = [column.astype(np.dtypes.StringDType()) for column in columns]
        return _TextColumn(tuple(parts), name, np.concatenate(texts)).times(time_format)
    column = np.concatenate(columns)
    strange = np.flatnonzero(~np.isfinite(column.astype(np.float64)))
    if len(strange):
        raise UserError(
            f"Column {name!r} of {parts[0].source} has values that are no time. "
            f"Received: {column[strange[0]]!s} in row {strange[0]}."
        )
    return _of_numbers(column, time_format, lambda row: f"row {row} of {parts[0].source}", name)


def _plain_column(examples: Examples, name: str) -> np.ndarray:
    column = examples[name]
    if column.dtype.kind == "M":
        return np.array(np.datetime_as_string(column, unit="us"), np.dtypes.StringDType())
    return column


def _require_known(time_format: str | None) -> None:
    if time_format is None or time_format in (*ORDERS, *EPOCHS, "number") or "%" in time_format:
        return
    raise UserError(
        f"{SETTING} must be {', '.join((*ORDERS, *EPOCHS))}, number, or a format of strptime such as "
        f"'%d.%m.%Y %H:%M'. Received: {time_format!r}."
    )


class _TextColumn:
    """A column of texts that is read as times.

    Args:
        parts: With the column.
        name: Of the column.
        values: Of all parts, end to end.
    """

    def __init__(self, parts: Sequence[Examples], name: str, values: np.ndarray) -> None:
        self.parts, self.name = parts, name
        texts, self.members = np.unique(np.strings.strip(values), return_inverse=True)
        self.distinct: list[str] = texts.tolist()

    def times(self, time_format: str | None) -> Times:
        if not self.distinct:
            return Times(np.zeros(0, np.int64), dated=True)
        if "" in self.distinct:
            raise self._refused("", "has no time; give it one, or leave it out of the data")
        if time_format in (*EPOCHS, "number") or (time_format is None and self._are_numbers()):
            return self._numbers(time_format)
        if time_format is not None and "%" in time_format:
            return self._read(lambda text: _by_strptime(text, time_format), time_format)
        if time_format is None:
            self._require_one_kind()
        written = [self._written(text, time_format) for text in self.distinct]
        order = time_format or self._order(written)
        return self._read_dates(written, order)

    def _are_numbers(self) -> bool:
        return all(_NUMBER.match(text) for text in self.distinct)

    def _require_one_kind(self) -> None:
        numbers = [bool(_NUMBER.match(text)) for text in self.distinct]
        if sum(numbers) * 2 > len(numbers):
            why = "is no time as others of the column are, which are numbers"
            raise self._refused(self.distinct[numbers.index(False)], f"{why}: mend it, or set {SETTING}")

    def _numbers(self, time_format: str | None) -> Times:
        for text in self.distinct:
            if not _NUMBER.match(text):
                raise self._refused(text, f"is no number, which {SETTING}={time_format} asks for")
        if time_format is None and (compact := self._compact()):
            return compact
        whole = all("." not in text for text in self.distinct)
        numbers = [int(text) if whole else float(text) for text in self.distinct]
        column = np.array(numbers, np.int64 if whole and max(map(abs, numbers)) < 2**63 else np.float64)
        times = _of_numbers(column, time_format, lambda row: self._place(self.distinct[row]), self.name)
        return times.take(self.members)

    def _compact(self) -> Times | None:
        """Return dates of eight digits with the day or the month first, which no number orders."""
        if any(len(text) != 8 or not text.isdigit() for text in self.distinct):
            return None
        layouts = {"%Y%m%d": "y/m/d", "%d%m%Y": "d/m/y", "%m%d%Y": "m/d/y"}
        fits = [form for form in layouts if all(_fits(text, form) for text in self.distinct)]
        if not fits:
            return None
        if len(fits) > 1:
            ways = " or ".join(layouts[form] for form in fits)
            raise self._refused(self.distinct[0], f"may be {ways}: say which by {SETTING}={fits[0]}")
        return self._read(lambda text: _by_strptime(text, fits[0]), fits[0])

    def _written(self, text: str, order: str | None) -> _Written:
        try:
            return _parts(text)
        except _NoTimeError as error:
            asked = f"is no time that {SETTING}={order} can read" if order else "is no time that is known"
            raise self._refused(text, f"{asked} ({error}): mend it, or say how by {SETTING}") from None

    def _order(self, written: Sequence[_Written]) -> str:
        """Return the one order of day, month and year in which all bare numbers of the column are dates."""
        bare = [(text, each) for text, each in zip(self.distinct, written, strict=True) if each.numbers]
        if not bare:
            return "y/m/d"
        orders = [order for order in ORDERS if all(_is_date(each.numbers, order) for _, each in bare)]
        if len(orders) == 1:
            return orders[0]
        if not orders:
            raise self._refused(*self._contradiction(bare))
        if "d/m/y" in orders and all(each.dotted for _, each in bare):
            return "d/m/y"  # where dates have dots, the day comes before the month
        raise self._refused(
            bare[0][0],
            f"may be {' or '.join(orders)}, as may all of the column: say which by {SETTING}={orders[0]}",
        )

    def _contradiction(self, bare: Sequence[tuple[str, _Written]]) -> tuple[str, str]:
        """Return a value that no order fits, or one that does not fit the order of most, and what to say."""
        for text, each in bare:
            if not any(_is_date(each.numbers, order) for order in ORDERS):
                return text, f"is no date in any order of day, month and year: mend it, or set {SETTING}"
        fits = {order: [_is_date(each.numbers, order) for _, each in bare] for order in ORDERS}
        usual = max(ORDERS, key=lambda order: sum(fits[order]))
        text = bare[fits[usual].index(False)][0]
        return text, f"is no {usual}, which others of the column are: mend it, or set {SETTING}"

    def _read_dates(self, written: Sequence[_Written], order: str) -> Times:
        zoned = [each.zone is not None for each in written]
        of_text = dict(zip(self.distinct, written, strict=True))
        unzoned = [text for text, each in of_text.items() if each.clock is not None and each.zone is None]
        if any(zoned) and unzoned:
            why = f"has no time zone, where others have one: give it one, or set {SETTING}"
            raise self._refused(unzoned[0], why)
        bare = any(each.numbers for each in written)
        return self._read(lambda text: of_text[text].microseconds(order), order if bare else None)

    def _read(self, moment: Callable[[str], int], setting: str | None) -> Times:
        values = np.empty(len(self.distinct), np.int64)
        for place, text in enumerate(self.distinct):
            try:
                values[place] = moment(text)
            except (_NoTimeError, ValueError, OverflowError) as error:
                why = f"is no time as {setting} ({error})" if setting else f"is no time ({error})"
                raise self._refused(text, f"{why}: mend it, or set {SETTING}") from None
        return Times(values[self.members], dated=True, setting=setting)

    def _refused(self, text: str, why: str) -> UserError:
        return UserError(
            f"{self._place(text)}, column {self.name!r}: the value {why}. Received: {text or 'nothing'}."
        )

    def _place(self, text: str) -> str:
        """Return the file and line of the first row with a value, or its row where there is no such file."""
        row = int(np.argmax(self.members == self.distinct.index(text)))
        for part in self.parts:
            if row < len(part):
                line = _line_of(part.source, self.name, text)
                return f"{part.source}, line {line}" if line is not None else f"{part.source}, row {row}"
            row -= len(part)
        raise AssertionError("every value stands in a part")


def _line_of(source: str, name: str, text: str) -> int | None:
    """Return the line of a table with a value in a column; nothing where the source is no such table."""
    from core.data.tables import table_lines

    path = Path(source)
    try:
        if not path.is_file():
            return None
        frame, _ = table_lines(path, headless=False)
    except (UserError, OSError):
        return None
    if name not in frame:
        return None
    rows = np.flatnonzero(frame[name].fillna("").str.strip() == text)
    return int(frame["_line"].iloc[rows[0]]) if len(rows) else None


def _of_numbers(column: np.ndarray, time_format: str | None, place: Callable[[int], str], name: str) -> Times:
    """Return numbers as they are, or as microseconds where they count parts of a second since 1970."""
    if time_format == "number" or not len(column):
        return Times(column, dated=False, setting="number")
    if time_format is not None and time_format not in EPOCHS:
        raise UserError(
            f"{place(0)}, column {name!r}: numbers have no {SETTING}={time_format}; take "
            f"{', '.join(EPOCHS)} or number. Received: {column[0]}."
        )
    unit = time_format or _unit(column, place, name)
    if unit is None:
        return Times(column, dated=False, setting="number")
    if column.dtype.kind == "f":
        exact = np.rint(column * (MICROSECONDS / EPOCHS[unit]))
        if np.abs(exact).max() >= 2**63:
            return Times(column, dated=False, setting=unit)
        return Times(exact.astype(np.int64), dated=True, setting=unit)
    whole = [int(value) * MICROSECONDS // EPOCHS[unit] for value in column.tolist()]
    if max(map(abs, whole)) >= 2**63:
        return Times(column, dated=False, setting=unit)
    # Nanoseconds keep their order: rows of one microsecond stay as they stand.
    return Times(np.array(whole, np.int64), dated=True, setting=unit)


def _unit(column: np.ndarray, place: Callable[[int], str], name: str) -> str | None:
    """Return the unit in which all numbers lie between 1980 and 2100, if there is one."""
    counts = {
        unit: (column >= _EARLIEST * factor) & (column <= _LATEST * factor) for unit, factor in EPOCHS.items()
    }
    common = [unit for unit, inside in counts.items() if inside.all()]
    if common:
        return common[0]
    mixed = [unit for unit, inside in counts.items() if inside.any()]
    if len(mixed) > 1 and np.logical_or.reduce(list(counts.values())).all():
        row = int(np.flatnonzero(counts[mixed[1]])[0])
        raise UserError(
            f"{place(row)}, column {name!r}: the number counts {mixed[1]} since 1970 where others count "
            f"{mixed[0]}; bring them to one unit, or set {SETTING}=number. Received: {column[row]}."
        )
    return None


@dataclass(frozen=True)
class _Written:
    """What a text says of a time.

    Args:
        numbers: Three numbers of a date whose order is open, as digits.
        known: Year, month and day, where their order is clear.
        clock: Microseconds since midnight, or nothing where there is no time of day.
        zone: Minutes from UTC, or nothing where no zone is named.
        dotted: Whether the numbers are parted by dots.
    """

    numbers: tuple[str, ...] = ()
    known: tuple[int, int, int] | None = None
    clock: int | None = None
    zone: int | None = None
    dotted: bool = False

    def microseconds(self, order: str) -> int:
        year, month, day = self.known or _ordered(self.numbers, order)
        midnight = datetime(year, month, day, tzinfo=UTC) - _START
        return (
            midnight.days * 86_400 * MICROSECONDS + (self.clock or 0) - (self.zone or 0) * 60 * MICROSECONDS
        )


def _parts(text: str) -> _Written:
    """Return what a text says of a time.

    Raises:
        _NoTimeError: It says none.
    """
    if (iso := _iso(text)) is not None:
        return iso
    rest = re.sub(r"\s+", " ", text.strip().lower())
    rest = re.sub("[日号일]", " ", re.sub(r"\s*[年月년월]\s*", "-", rest)).strip()
    if match := _BASIC.match(rest):
        day, hour, minute, second, zone = match.groups()
        rest = f"{day[:4]}-{day[4:6]}-{day[6:]}t{hour}:{minute}:{second or '00'}{zone or ''}"
    if match := _WEEK.match(rest):
        first = date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return _Written(known=(first.year, first.month, first.day))
    if match := _QUARTER.match(rest):
        year, quarter = (match[1], match[2]) if match[1] else (match[4], match[3])
        return _Written(known=(int(year), 3 * int(quarter) - 2, 1))
    rest, clock, zone = _without_clock(rest)
    rest = rest.strip(" ,;")
    words = re.findall(r"[^\W\d_]+\.?|\d+(?:st|nd|rd|th|er|º|ª)?\.?", rest)
    if any(word[0].isalpha() for word in words):
        return _Written(known=_named(words), clock=clock, zone=zone)
    return _bare(rest, clock, zone)


def _iso(text: str) -> _Written | None:
    """Return what Python itself reads as ISO 8601 with day, month and year, which is fast."""
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    known = (moment.year, moment.month, moment.day)
    if len(text) == 10:
        return _Written(known=known)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = moment.utcoffset()
    return _Written(
        known=known,
        clock=(moment - midnight) // timedelta(microseconds=1),
        zone=None if offset is None else offset // timedelta(minutes=1),
    )


def _bare(rest: str, clock: int | None, zone: int | None) -> _Written:
    separators = set(re.sub(r"\d", " ", rest).split())
    numbers = tuple(re.findall(r"\d+", rest))
    if len(separators) > 1 or not re.fullmatch(r"\d+(\s*[-/., ]\s*\d+)*\.?", rest):
        raise _NoTimeError("it is no date")
    if len(numbers) == 1 and len(rest) == 8:
        year, month, day = int(rest[:4]), int(rest[4:6]), int(rest[6:])
        return _Written(known=_valid(year, month, day), clock=clock, zone=zone)
    if len(numbers) == 2 and {len(each) for each in numbers} in ({4, 2}, {4, 1}):
        year, month = numbers if len(numbers[0]) == 4 else numbers[::-1]
        return _Written(known=_valid(int(year), int(month), 1), clock=clock, zone=zone)
    if len(numbers) != 3:
        raise _NoTimeError("it has no day, month and year")
    if len(numbers[0]) == 4:
        return _Written(known=_ordered(numbers, "y/m/d"), clock=clock, zone=zone)
    return _Written(numbers=numbers, clock=clock, zone=zone, dotted="." in separators)


def _without_clock(rest: str) -> tuple[str, int | None, int | None]:
    """Return a text without its time of day and its zone, and these in microseconds and minutes."""
    match = _CLOCK.search(rest) or _HALF_DAY.search(rest)
    if match is None:
        return rest, None, None
    groups = match.groupdict()
    hour, minute = int(groups["hour"]), int(groups.get("minute") or 0)
    second, fraction = int(groups.get("second") or 0), groups.get("fraction") or ""
    if groups.get("half"):
        if not 1 <= hour <= 12:
            raise _NoTimeError("its hour is none of half a day")
        hour = hour % 12 + (12 if groups["half"].startswith("p") else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise _NoTimeError("its time of day does not exist")
    clock = ((hour * 60 + minute) * 60 + second) * MICROSECONDS + int(fraction[:6].ljust(6, "0"))
    zone, behind = _zone(rest[match.end() :])
    before = rest[: match.start()]
    return f"{before[:-1] if before.endswith('t') else before} {behind}", clock, zone


def _zone(behind: str) -> tuple[int | None, str]:
    """Return the minutes from UTC that stand behind a time of day, and what else stands there."""
    behind = re.sub(r"\(.*\)|\[.*\]", "", behind).strip()
    year = re.search(r"(?:^| )(\d{4})$", behind)  # of "Tue Jan 03 12:00:00 +0000 2023"
    rest, tail = (behind[: year.start()].strip(), year[1]) if year else (behind, "")
    if match := _OFFSET.match(rest):
        minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
        return (minutes if match["sign"] == "+" else -minutes), tail
    if rest in ZONES:
        return ZONES[rest], tail
    return None, behind


def _named(words: Sequence[str]) -> tuple[int, int, int]:
    """Return year, month and day of a date whose month has a name."""
    plain = [word.rstrip(".") for word in words]
    months = [MONTHS[word] for word in plain if word in MONTHS]
    strange = [word for word in plain if word[0].isalpha() and word not in MONTHS and word not in PASSED_OVER]
    if strange or len(months) != 1:
        raise _NoTimeError(f"{strange[0]!r} is no name of a month or zone" if strange else "no one month")
    numbers = [re.sub(r"\D", "", word) for word in plain if word[0].isdigit()]
    if len(numbers) == 1 and len(numbers[0]) == 4:
        return _valid(int(numbers[0]), months[0], 1)
    if len(numbers) != 2:
        raise _NoTimeError("it has no day and year")
    day, year = numbers if len(numbers[0]) < 3 else numbers[::-1]
    return _valid(_year(year), months[0], int(day))


def _ordered(numbers: Sequence[str], order: str) -> tuple[int, int, int]:
    if len(numbers) != 3:
        raise _NoTimeError(f"it is no {order}")
    at = dict(zip(order.split("/"), numbers, strict=True))
    if len(at["m"]) > 2 or len(at["d"]) > 2 or len(at["y"]) not in (2, 4):
        raise _NoTimeError(f"it is no {order}")
    return _valid(_year(at["y"]), int(at["m"]), int(at["d"]))


def _is_date(numbers: Sequence[str], order: str) -> bool:
    try:
        _ordered(numbers, order)
    except _NoTimeError:
        return False
    return True


def _year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    if len(digits) != 2:
        raise _NoTimeError("it has no year")
    return int(digits) + (1900 if int(digits) >= PIVOT else 2000)


def _valid(year: int, month: int, day: int) -> tuple[int, int, int]:
    try:
        date(year, month, day)
    except ValueError as error:
        raise _NoTimeError(str(error)) from None
    return year, month, day


def _by_strptime(text: str, form: str) -> int:
    moment = datetime.strptime(text, form)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _START) // timedelta(microseconds=1)


def _fits(text: str, form: str) -> bool:
    try:
        return 1900 <= datetime.strptime(text, form).year <= 2100
    except ValueError:
        return False
