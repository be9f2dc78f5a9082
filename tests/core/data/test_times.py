from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.data.examples import Examples
from core.data.splitting import completed, fold_splits
from core.data.times import times_of
from core.errors import UserError

DAYS = [datetime(2023, month, day, 14, 5, 9, tzinfo=UTC) for month in (2, 9, 10, 11) for day in (2, 11, 28)]


def times(values: list, time_format: str | None = None):
    return times_of([Examples({"when": values})], "when", time_format)


def padded(form: str) -> list[str]:
    return [day.strftime(form) for day in DAYS]


FORMS = {
    "iso": padded("%Y-%m-%d"),
    "iso, not padded": [f"{day.year}-{day.month}-{day.day}" for day in DAYS],
    "iso with slashes": [f"{day.year}/{day.month}/{day.day}" for day in DAYS],
    "iso, basic": padded("%Y%m%d"),
    "iso with time": padded("%Y-%m-%dT%H:%M:%S"),
    "iso with time and Z": padded("%Y-%m-%dT%H:%M:%SZ"),
    "iso, basic with time": padded("%Y%m%dT%H%M%SZ"),
    "iso with blank and fraction": padded("%Y-%m-%d %H:%M:%S.123456"),
    "d/m/y": [f"{day.day}/{day.month}/{day.year}" for day in DAYS],
    "m/d/y": [f"{day.month}/{day.day}/{day.year}" for day in DAYS],
    "m/d/y with time": [f"{day.month}/{day.day}/{day.year} 2:05 PM" for day in DAYS],
    "m/d/yy": padded("%m/%d/%y"),
    "d-m-y": padded("%d-%m-%Y"),
    "dotted": [f"{day.day}.{day.month}.{day.year}" for day in DAYS],
    "dotted, short": padded("%d.%m.%y"),
    "d m y in digits alone": padded("%d%m%Y"),
    "day and name": [f"{day.day} {day:%B} {day.year}" for day in DAYS],
    "short name": padded("%d-%b-%y"),
    "name first": [f"{day:%b} {day.day}, {day.year}" for day in DAYS],
    "name first with th": [f"{day:%B} {day.day}th {day.year}" for day in DAYS],
    "RFC 2822": padded("%a, %d %b %Y %H:%M:%S GMT"),
    "as of C": padded("%a %b %d %H:%M:%S %Y"),
    "as of tweets": padded("%a %b %d %H:%M:%S +0000 %Y"),
    "Chinese": [f"{day.year}年{day.month}月{day.day}日" for day in DAYS],
    "German": [
        f"{day.day}. {({2: 'Februar', 9: 'September', 10: 'Oktober', 11: 'November'})[day.month]} {day.year}"
        for day in DAYS
    ],
    "s": [str(int(day.timestamp())) for day in DAYS],
    "s with fraction": [f"{day.timestamp():.3f}" for day in DAYS],
    "ms": [str(int(day.timestamp() * 1000)) for day in DAYS],
    "us": [str(int(day.timestamp() * 1_000_000)) for day in DAYS],
    "ns": [str(int(day.timestamp()) * 1_000_000_000) for day in DAYS],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_date_is_read_as_people_write_it(form):
    shuffled = np.random.default_rng(0).permutation(len(DAYS))
    read = times([FORMS[form][row] for row in shuffled])
    assert shuffled[np.argsort(read.values)].tolist() == list(range(len(DAYS)))
    assert read.dated
    first, last = read.range().split(" to ")
    assert first.startswith("2023-02-02")
    assert last.startswith("2023-11-28")


def test_a_time_of_day_and_a_zone_count():
    read = times(["2023-01-01T00:30:00+02:00", "2022-12-31 23:00:00Z", "Sat, 31 Dec 2022 17:45:00 EST"])
    assert np.argsort(read.values).tolist() == [0, 2, 1]
    assert read.range() == "2022-12-31 22:30:00 to 2022-12-31 23:00:00"


@pytest.mark.parametrize("values", [["2", "10", "9"], [2, 10, 9], ["2.5", "10", "9"]])
def test_numbers_that_are_no_dates_go_by_number(values):
    assert np.argsort(times(values).values).tolist() == [0, 2, 1]
    assert not times(values).dated


@pytest.mark.parametrize(
    "values",
    [
        ["2023-01", "2023-11", "2023-2"],
        ["2023-Q1", "2023-Q4", "2023-Q2"],
        ["Jan 2023", "Dec 2023", "Mar 2023"],
    ],
)
def test_months_and_quarters_are_times(values):
    assert np.argsort(times(values).values).tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1/2/2023", "3/4/2023"], r"may be d/m/y or m/d/y.*time_format=d/m/y.*Received: 1/2/2023"),
        (["03-01-02", "02-03-04"], r"may be y/m/d or d/m/y or m/d/y"),
        (["01022023", "03042023"], r"may be d/m/y or m/d/y.*time_format=%d%m%Y"),
        (["13/2/2023", "2/13/2023", "14/2/2023"], r"is no d/m/y, which others.*Received: 2/13/2023"),
        (["2023-01-02", ""], r"row 1.*has no time.*Received: nothing"),
        (["2023-01-02", "  "], r"has no time"),
        (["2023-02-30", "2023-01-01"], r"no time.*time_format.*Received: 2023-02-30"),
        (["2023-01-02", "soon"], r"'soon' is no name of a month.*time_format"),
        (["2023-01-02 10:00Z", "2023-01-02 11:00"], r"has no time zone.*Received: 2023-01-02 11:00"),
        (["1700000000", "1700000000000"], r"counts ms since 1970 where others count s"),
        (["3 Jan 2023 10:00 IST", "4 Jan 2023 10:00 IST"], r"no time that is known"),
    ],
)
def test_what_may_be_read_in_two_ways_or_in_none_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        times(values)


@pytest.mark.parametrize(
    ("time_format", "order"), [("d/m/y", [1, 0]), ("m/d/y", [0, 1]), ("%d/%m/%Y", [1, 0])]
)
def test_the_setting_decides(time_format, order):
    read = times(["01/12/2023", "02/11/2023"], time_format)
    assert np.argsort(read.values).tolist() == order


@pytest.mark.parametrize(
    ("values", "time_format", "message"),
    [
        (["13/13/2023"], "d/m/y", "no time as d/m/y"),
        (["2023"], "%d.%m.%Y", "no time as %d.%m.%Y"),
        (["a"], "s", "is no number"),
        (["2023"], "dmy", "time_format must be"),
    ],
)
def test_what_does_not_fit_the_setting_is_refused(values, time_format, message):
    with pytest.raises(UserError, match=message):
        times(values, time_format)


def test_the_message_names_the_line(tmp_path: Path):
    from core.data.tables import read_table

    path = tmp_path / "a.csv"
    path.write_text('text,label,day\n"two\nlines",x,2023-1-1\nb,y,never\n', encoding="utf-8")
    examples, _ = read_table(path, {"text": "text", "label": "label"})
    with pytest.raises(UserError, match=r"a\.csv, line 4, column 'day'.*time_format.*Received: never"):
        times_of([examples], "day")


def test_one_rule_reads_all_parts_of_a_source():
    train, test = Examples({"day": ["1/2/2023", "2/2/2023"]}), Examples({"day": ["3/14/2023", "3/2/2023"]})
    splits = completed({"train": train, "test": test}, ("day",), validation=0.5, test=0.5, time="day")
    assert splits.validation["day"].tolist() == ["2/2/2023"]
    assert "train 2023-01-02 to 2023-01-02, validation 2023-02-02 to 2023-02-02" in splits.protocol
    assert "test 2023-03-02 to 2023-03-14; split" in splits.protocol
    assert "day read as m/d/y" in splits.protocol


def test_folds_by_time_are_divided_as_the_whole_is_read():
    days = [f"{month}/{day}/2023" for month in range(1, 13) for day in (1, 5, 20)]
    for part in fold_splits(Examples({"day": days}), 4, key=("day",), time="day"):
        train, test = times_of([part.train], "day", "m/d/y"), times_of([part.test], "day", "m/d/y")
        assert train.values.max() < test.values.min()
        assert "train 2023-01-01 to" in part.protocol


def test_dates_of_numpy_are_times():
    read = times(np.array(["2023-03-01", "2023-01-05"], "datetime64[D]"))
    assert read.range() == "2023-01-05 to 2023-03-01"
