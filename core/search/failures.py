"""A search of failures alone: when it is given up, and how the next one begins anew in its folder."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.search.journal import Event, Journal

FEWEST_TO_FAIL = 5  # trials, before a search of failures alone is given up
# The journal comes last: while it is there, the move can be begun again.
OF_THE_TRIALS = ("trials", "trials.csv", "search.yaml", "journal.jsonl")


def set_failures_aside(folder: Path) -> None:
    """Move all that a search left behind into `failed-1`, or the next number, where no trial has succeeded.

    A search that goes on repeats none of its trials, so one of failures alone would fail for ever. Data
    that trials share is read again: it may be what was mended. Where a trial was cut off among few failures,
    the search is left to go on.

    Args:
        folder: Of the search, which no other process is at work in.
    """
    if not _in_vain(Journal(folder / "journal.jsonl").events()):
        return
    numbered = (folder / f"failed-{number}" for number in itertools.count(1))
    aside = next(path for path in numbered if not path.exists())
    aside.mkdir()
    for name in OF_THE_TRIALS:
        if (folder / name).exists():
            (folder / name).rename(aside / name)
    shutil.rmtree(folder / "cache", ignore_errors=True)


def _in_vain(events: Sequence[Event]) -> bool:
    begun = {event["trial"] for event in events if event["event"] == "created"}
    ended = {event["trial"]: event["status"] for event in events if event["event"] == "ended"}
    if not ended or any(status != "FAILED" for status in ended.values()):
        return False
    return len(ended) == len(begun) or len(ended) >= FEWEST_TO_FAIL
