from __future__ import annotations

import pytest

from core.search.failures import set_failures_aside
from core.search.journal import Journal


def begun(trial: str) -> dict:
    return {"event": "created", "trial": trial}


def ended(trial: str, status: str) -> dict:
    return {"event": "ended", "trial": trial, "status": status}


FAILED = [event for trial in "abcde" for event in (begun(trial), ended(trial, "FAILED"))]


@pytest.mark.parametrize(
    ("events", "aside"),
    [
        ([], False),
        (FAILED[:2], True),
        ([*FAILED[:2], begun("x")], False),
        ([*FAILED, begun("x")], True),
        ([*FAILED, begun("x"), ended("x", "COMPLETED")], False),
    ],
    ids=["nothing", "failures", "cut off", "given up", "a success"],
)
def test_only_a_search_that_can_not_succeed_any_more_is_set_aside(tmp_path, events, aside):
    for event in events:
        Journal(tmp_path / "journal.jsonl").append(event)
    set_failures_aside(tmp_path)
    assert (tmp_path / "failed-1" / "journal.jsonl").exists() == aside
    assert (tmp_path / "journal.jsonl").exists() == (bool(events) and not aside)


def test_earlier_failures_stay_where_they_are(tmp_path):
    for _ in range(2):
        for event in FAILED:
            Journal(tmp_path / "journal.jsonl").append(event)
        set_failures_aside(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["failed-1", "failed-2"]
