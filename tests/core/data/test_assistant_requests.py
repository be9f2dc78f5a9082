from __future__ import annotations

import json

import numpy as np
import pytest

from core.data.assistant_requests import _Sayings, requests_of
from tests.small_data import written

RULES = {"the": "(the|my)", "turn": "[please] turn"}
LISTS = {"colour": {"values": [{"in": "[dark ]red", "out": "red"}]}, "level": {"range": {"from": 5, "to": 6}}}


def said(template: str, times: int = 40) -> set[str]:
    sayings = _Sayings(RULES, LISTS, np.random.default_rng(0))
    return {sayings.said(template)[0] for _ in range(times)}


@pytest.mark.parametrize(
    ("template", "all_of_them"),
    [
        ("go [on] now", {"go now", "go on now"}),
        ("(on|off[ it])", {"on", "off", "off it"}),
        ("light[s] on", {"light on", "lights on"}),
        ("<turn> <the> light", {f"{a}turn {b} light" for a in ("", "please ") for b in ("the", "my")}),
        ("say (one;two)", {"say one two", "say two one"}),
        ("to {level:brightness}", {"to 5", "to 6"}),
        ("be {colour}", {"be red", "be dark red"}),
    ],
)
def test_a_template_is_said_in_all_its_ways(template, all_of_them):
    assert said(template) == all_of_them


def test_slots_stand_where_they_are_said():
    sayings = _Sayings(RULES, LISTS, np.random.default_rng(0))
    for _ in range(20):
        text, spans = sayings.said("[please] set <the> {area} to {colour}[ ] now")
        assert [name for _, _, name in spans] == ["area", "colour"]
        assert all(text[start:end] == text[start:end].strip() != "" for start, end, _ in spans)
        assert text.endswith(f"{text[spans[1][0] : spans[1][1]]} now")


def test_rules_that_name_themselves_are_refused():
    sayings = _Sayings({"a": "x <a>"}, {}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="nested"):
        sayings.said("<a>")


def test_requests_have_their_intent_and_template(tmp_path):
    sentences = ["go [on] now", "be {colour}"]
    tree = {
        "intents": {"HassGo": {"data": [{"sentences": sentences}]}},
        "lists": LISTS,
        "expansion_rules": RULES,
    }
    requests = requests_of(written(tmp_path / "en.json", json.dumps(tree)))
    assert {(each.text, each.intent, each.template) for each in requests} == {
        ("go now", "Go", 0),
        ("go on now", "Go", 0),
        ("be red", "Go", 1),
        ("be dark red", "Go", 1),
    }
