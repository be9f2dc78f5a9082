"""Requests with an intent and slots as files hold them: folders of SNIPS and ATIS, and YAML of Rasa."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from apps.nlp.tagged import Sentence, examples_of, placed_entities
from apps.nlp.words import Split, words_of
from core.answers.tags.schemes import read_tags
from core.data.examples import Examples
from core.errors import UserError
from core.wording import counted

SEQUENCES = ("seq.in", "seq.out", "label")
YAML = (".yml", ".yaml")
SHOWN = 80
# [Rome](city), and [Rome]{"entity": "city", "value": "roma"}.
_MARKED = re.compile(r"\[([^\]]+)\](?:\(([^)]+)\)|(\{[^}]*\}))")


class Request(NamedTuple):
    """A request.

    Args:
        sentence: Its words and slots.
        intent: What is wanted.
    """

    sentence: Sentence
    intent: str


def examples_of_requests(requests: Sequence[Request], source: str) -> Examples:
    """Return requests as examples.

    Args:
        requests: At least one.
        source: Where they come from, for messages.

    Returns:
        Columns `text`, `words`, `tags` and `intent`.
    """
    sentences = [each.sentence for each in requests]
    return examples_of(sentences, source).with_columns(intent=[each.intent for each in requests])


def read_requests(
    path: Path, *, split: Split = "words", skip_bad: bool = False
) -> tuple[Examples, tuple[str, ...]]:
    """Read requests with an intent and slots.

    Args:
        path: A folder that holds `seq.in`, `seq.out` and `label`, a line a request in each; or Rasa's YAML.
        split: How texts of YAML are cut.
        skip_bad: Leave out requests that can't be read, and count them; else refuse them.

    Returns:
        The examples, as `examples_of_requests` makes them, and notes of what was mended or left out.

    Raises:
        UserError: A request can't be read; the message names file and line.
    """
    reading = _Reading(path, skip_bad)
    requests = list(_of_folder(path, reading) if path.is_dir() else _of_yaml(path, split, reading))
    if not requests:
        raise UserError(f"{path} holds no request.")
    return examples_of_requests(requests, str(path)), reading.notes()


class _Reading:
    """Refuses what can't be read, or counts it."""

    def __init__(self, path: Path, skip_bad: bool) -> None:
        self.path, self.skip_bad = path, skip_bad
        self.bad = self.mended = 0

    def refuse(self, place: str, told: str, received: object) -> None:
        """Raise what is wrong at a place, or count it."""
        if not self.skip_bad:
            raise UserError(
                f"{self.path}, {place}: {told}. Mend it, or leave such requests out with skip_bad=true. "
                f"Received: {str(received)[:SHOWN]!r}."
            )
        self.bad += 1

    def notes(self) -> tuple[str, ...]:
        """Return what was left out and mended, in words."""
        notes = [f"{counted(self.bad, 'bad request')} of {self.path.name} left out"] if self.bad else []
        if self.mended:
            told = f"{counted(self.mended, 'slot')} of {self.path.name} broke the rules of iob2"
            notes.append(f"{told}: each is read as begun where its name begins")
        return tuple(notes)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.") from None


def _of_folder(path: Path, reading: _Reading) -> Iterator[Request]:
    missing = [name for name in SEQUENCES if not (path / name).is_file()]
    if missing:
        raise UserError(
            f"{path} lacks {', '.join(missing)}: a folder of requests holds {', '.join(SEQUENCES)}. "
            f"Received: {', '.join(sorted(each.name for each in path.iterdir())[:8]) or 'nothing'}."
        )
    columns = [_lines(path / name) for name in SEQUENCES]
    for lines in columns:
        while lines and not lines[-1].strip():
            lines.pop()
    if len({len(lines) for lines in columns}) > 1:
        lengths = ", ".join(f"{name} {len(lines)}" for name, lines in zip(SEQUENCES, columns, strict=True))
        raise UserError(f"The files of {path} have a line a request each. Received lines: {lengths}.")
    for number, (text, marks, intent) in enumerate(zip(*columns, strict=True), start=1):
        words, tags = text.split(), marks.split()
        if not words or len(words) != len(tags) or not intent.strip():
            told = "an intent, and as many tags as words are expected"
            reading.refuse(f"line {number}", told, f"{len(words)} words, {len(tags)} tags, intent {intent!r}")
            continue
        try:
            entities, mended = read_tags(tags, "iob2")
        except ValueError:
            reading.refuse(f"line {number}", "a tag that is none of IOB2", marks)
            continue
        reading.mended += mended
        yield Request(Sentence(" ".join(words), words, entities), intent.strip())


def _of_yaml(path: Path, split: Split, reading: _Reading) -> Iterator[Request]:
    import yaml

    try:
        tree = yaml.load("\n".join(_lines(path)), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise UserError(
            f"{path}{place}: this is no YAML: {getattr(error, 'problem', None) or error}."
        ) from None
    blocks = tree.get("nlu") if isinstance(tree, dict) else None
    if not isinstance(blocks, list):
        raise UserError(f"{path} has no list named nlu, as Rasa's YAML has. Received: {str(tree)[:SHOWN]!r}.")
    for number, block in enumerate(blocks, start=1):
        if not isinstance(block, dict):
            reading.refuse(f"block {number}", "a block names an intent and its examples", block)
        elif "intent" in block:
            yield from _of_block(block, f"block {number} ({block['intent']})", split, reading)


def _of_block(block: dict[str, Any], place: str, split: Split, reading: _Reading) -> Iterator[Request]:
    examples = block.get("examples")
    if isinstance(examples, list):
        texts = [each.get("text") if isinstance(each, dict) else each for each in examples]
    elif isinstance(examples, str):
        texts = [line.strip().removeprefix("-").strip() for line in examples.split("\n") if line.strip()]
    else:
        texts = [None]
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            reading.refuse(place, "examples are lines that begin with -", text)
            continue
        try:
            plain, spans = unmarked(text.strip())
            words = words_of(plain, split)
            entities, _ = placed_entities(plain, words, spans)
        except ValueError as error:
            reading.refuse(place, str(error), text)
            continue
        if words:
            yield Request(Sentence(plain, [word.text for word in words], entities), str(block["intent"]))


def unmarked(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Return a text of Rasa without its marks, and what they mark: start, end and name of each slot.

    Args:
        text: Such as `fly to [Rome](city)`.

    Raises:
        ValueError: A mark has no name.

    Example:

    >>> unmarked('from [Rome](city) to [Oslo]{"entity": "city", "role": "to"}')
    ('from Rome to Oslo', [(5, 9, 'city'), (13, 17, 'city')])
    """
    plain, spans, done = "", [], 0
    for match in _MARKED.finditer(text):
        plain += text[done : match.start()]
        name = match[2] or _named(match[3])
        spans.append((len(plain), len(plain) + len(match[1]), name.split(":")[0].strip()))
        plain += match[1]
        done = match.end()
    return plain + text[done:], spans


def _named(mark: str) -> str:
    try:
        name = json.loads(mark).get("entity")
    except ValueError:
        name = None
    if not isinstance(name, str) or not name:
        raise ValueError('a slot is marked as [words](name) or [words]{"entity": "name"}')
    return name
