"""Requests to a voice assistant, made of the templates of Home Assistant: half-made, no recorded speech."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FILLINGS = 10  # requests of each template, fewer where it has fewer
DEEPEST = 20  # rules within rules
# What stands for the names of a house, which its owner gives, and for what people say in their own words.
_NAMES = {
    "area": (
        "kitchen", "living room", "bedroom", "bathroom", "garage", "garden", "hallway", "office",
        "dining room", "attic", "cellar", "guest room", "nursery", "terrace",
    ),
    "floor": (
        "ground", "first", "second", "upper", "lower", "top",
    ),
    "name": (
        "desk lamp", "coffee machine", "bedside lamp", "front door", "heater", "radio", "ceiling fan",
        "back door", "television", "garden hose", "night light", "air purifier", "washing machine",
        "porch light", "robot", "left blind", "thermostat",
    ),
    "message": (
        "dinner is ready", "the taxi is here", "it is time for bed", "come down please",
        "we leave in ten minutes", "the film starts now", "somebody is at the door",
    ),
    "search_query": (
        "the dark side of the moon", "blue train", "a night at the opera", "kind of blue",
        "the daily news", "casablanca", "yellow submarine", "piano music", "the planets",
    ),
    "zone": (
        "work", "school", "home", "the gym", "the station",
    ),
    "timer_name": (
        "pizza", "egg", "laundry", "tea", "bread", "homework", "cake", "workout",
    ),
    "timer_command": (
        "close the garage", "turn off the lights", "lock the front door", "open the blinds",
    ),
    "shopping_list_item": (
        "milk", "eggs", "olive oil", "brown bread", "apples", "coffee", "toilet paper", "rice", "cheese",
    ),
    "todo_list_item": (
        "call the dentist", "water the plants", "pay the rent", "clean the windows", "buy stamps",
    ),
}  # fmt: skip
_TOKEN = re.compile(r"[][()|;]|<[^>]*>|\{[^}]*\}|[^][()|;<{]+")


class Request(NamedTuple):
    """A request to an assistant.

    Args:
        text: As somebody says it.
        spans: Start, end and name of its slots.
        intent: What is wanted.
        template: The number of its template.
    """

    text: str
    spans: list[tuple[int, int, str]]
    intent: str
    template: int


def requests_of(path: Path) -> list[Request]:
    """Return each template said in several ways, with other rooms, things and numbers each time.

    Args:
        path: The templates of one language, with `intents`, `lists` and `expansion_rules`.
    """
    tree = json.loads(path.read_text(encoding="utf-8"))
    random = np.random.default_rng(0)
    sayings = _Sayings(tree["expansion_rules"], tree["lists"], random)
    requests: list[Request] = []
    number = 0
    for intent, content in tree["intents"].items():
        for template in (each for block in content["data"] for each in block["sentences"]):
            said = dict.fromkeys(sayings.said(template) for _ in range(FILLINGS))
            requests += [
                Request(text, list(spans), intent.removeprefix("Hass"), number) for text, spans in said
            ]
            number += 1
    return requests


class _Sayings:
    """Says templates at random: `[or not]`, `(one|other)`, `(all;in any order)`, `<rule>` and `{slot}`.

    Args:
        rules: Templates by their names.
        lists: Values of slots by their names: some, a range, or any words.
        random: Chooses.
    """

    def __init__(
        self, rules: Mapping[str, str], lists: Mapping[str, Any], random: np.random.Generator
    ) -> None:
        self.rules, self.lists, self.random = rules, lists, random

    def said(self, template: str) -> tuple[str, tuple[tuple[int, int, str], ...]]:
        """Return a template in words, and its slots."""
        text, spans = "", []
        for piece, slot in self._pieces(template, 0):
            start = len(text)
            # One blank between words, wherever what may be left out stood between two.
            said = piece if text and not text.endswith(" ") else piece.lstrip()
            text = re.sub(" +", " ", text + said)
            if slot:
                spans.append((start, len(text), slot))
        return text.rstrip(), tuple(spans)

    def _pieces(self, template: str, depth: int) -> Iterator[tuple[str, str]]:
        """Yield what a template says, piece by piece, each with the slot that it fills, or none."""
        if depth > DEEPEST:
            raise ValueError(f"Rules are nested over {DEEPEST} deep in {template!r}.")
        tokens = iter(_TOKEN.findall(template))
        for token in tokens:
            if token in "[(":
                inside = _until_closed(tokens)
                if token == "[" and self.random.random() < 0.5:
                    continue
                yield from self._pieces(self._chosen(inside), depth)
            elif token.startswith("<"):
                yield from self._pieces(self.rules[token[1:-1]], depth + 1)
            elif token.startswith("{"):
                name, _, slot = token[1:-1].partition(":")
                yield self._value(name), slot or name
            else:
                yield token, ""

    def _chosen(self, inside: str) -> str:
        """Return one of the alternatives, or all parts in some order."""
        parts = _parted(inside, ";")
        if len(parts) > 1:
            return " ".join(parts[place] for place in self.random.permutation(len(parts)))
        alternatives = _parted(inside, "|")
        return alternatives[int(self.random.integers(len(alternatives)))]

    def _value(self, name: str) -> str:
        known = self.lists.get(name, {})
        if "range" in known:
            low, high = (int(known["range"][end]) for end in ("from", "to"))
            step = int(known["range"].get("step", 1))
            return str(low + step * int(self.random.integers((high - low) // step + 1)))
        values = [each["in"] if isinstance(each, Mapping) else each for each in known.get("values", ())]
        values = values or list(_NAMES[name])
        value = values[int(self.random.integers(len(values)))]
        return self.said(value)[0]


def _until_closed(tokens: Iterator[str]) -> str:
    """Return what stands before the bracket that closes one which was opened."""
    inside, depth = "", 1
    for token in tokens:
        depth += (token in "[(") - (token in "])")
        if not depth:
            return inside
        inside += token
    raise ValueError(f"A bracket is never closed before {inside!r}.")


def _parted(text: str, mark: str) -> list[str]:
    """Return the parts of a text between marks that are in no bracket."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token in "[(") - (token in "])")
        if token == mark and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts
