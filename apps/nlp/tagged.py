"""Texts whose words have tags, as files hold them: columns of CoNLL, and JSON lines with offsets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from apps.nlp.words import Split, Word, words_of
from core.answers.tags.entities import Entity, entities_of
from core.answers.tags.schemes import Scheme, read_tags, scheme_of, tags_of
from core.data.examples import Examples
from core.data.tables import JSON_LINES, opened_text, table_suffix
from core.errors import UserError
from core.wording import counted

COLUMNS = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes", ".bmes", ".tsv", ".txt")
SUFFIXES = (*COLUMNS, *JSON_LINES)
SEPARATOR = "\t"
"""Parts the words of a sentence, and its tags, in their columns."""
_MARKS = ("entities", "spans", "label", "labels")
_KINDS = ("type", "label", "tag")
_DOCUMENT = "-DOCSTART-"

AnyScheme = Literal["auto", "iob1", "iob2", "bioes", "bmes"]


class Sentence(NamedTuple):
    """A text with its entities.

    Args:
        text: As it was written.
        words: Of the text, in order.
        entities: In order; none overlaps another.
    """

    text: str
    words: Sequence[str]
    entities: Sequence[Entity]


def examples_of(sentences: Sequence[Sentence], source: str) -> Examples:
    """Return sentences as examples.

    Args:
        sentences: At least one.
        source: Where they come from, for messages.

    Returns:
        Columns `text`, and `words` and `tags` (IOB2), which tabs part.
    """
    return Examples(
        {
            "text": [each.text for each in sentences],
            "words": [SEPARATOR.join(each.words) for each in sentences],
            "tags": [SEPARATOR.join(tags_of(each.entities, len(each.words))) for each in sentences],
        },
        source,
    )


def sentences_of(examples: Examples) -> Iterable[tuple[list[str], list[Entity]]]:
    """Yield the words and the entities of each example."""
    tags = examples["tags"] if "tags" in examples else [""] * len(examples)
    for words, marked in zip(examples["words"], tags, strict=True):
        yield words.split(SEPARATOR), entities_of(marked.split(SEPARATOR), "iob2") if marked else []


def read_tagged(
    path: Path,
    *,
    word_column: int = 0,
    tag_column: int = -1,
    scheme: AnyScheme = "auto",
    split: Split = "words",
    skip_bad: bool = False,
) -> tuple[Examples, tuple[str, ...]]:
    """Read sentences with a tag a word, or texts with offsets of entities; the file may end in `.gz`.

    Args:
        path: JSON lines or columns, as its ending says.
        word_column: Of columns: where the words stand, from 0, or from -1 backwards.
        tag_column: Of columns: where the tags stand, likewise.
        scheme: Of columns: that of the tags.
        split: Of JSON lines: how texts are cut. Of columns: whether words are written with blanks between.
        skip_bad: Leave out sentences that can't be read, and count them; else refuse them.

    Returns:
        The examples, as `examples_of` makes them, and notes of what was left out or mended.

    Raises:
        UserError: A line can't be read; the message names it.
    """
    try:
        with opened_text(path) as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from None
    except (OSError, EOFError) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    bad = _Bad(path, skip_bad)
    if table_suffix(path) in JSON_LINES:
        sentences, mended = _from_offsets(lines, split, bad)
    else:
        rows = list(_rows(lines, word_column, tag_column, table_suffix(path) == ".conllu", bad))
        sentences, mended = _from_columns(rows, scheme, "" if split == "characters" else " ", bad)
    if not sentences:
        raise UserError(f"{path} holds no sentence. Received: {counted(len(lines), 'line')}.")
    return examples_of(sentences, str(path)), tuple(filter(None, (bad.note(), *mended)))


class _Bad:
    """Refuses what can't be read, or counts it."""

    def __init__(self, path: Path, skip: bool) -> None:
        self.path, self.skip, self.count = path, skip, 0

    def __call__(self, line: int, told: str, received: object) -> None:
        if not self.skip:
            raise UserError(
                f"{self.path}, line {line}: {told}. Mend it, or leave such sentences out with skip_bad=true. "
                f"Received: {str(received)[:80]!r}."
            )
        self.count += 1

    def note(self) -> str:
        return f"{counted(self.count, 'bad sentence')} of {self.path.name} left out" if self.count else ""


def _rows(
    lines: Iterable[str], word_column: int, tag_column: int, has_comments: bool, bad: _Bad
) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield the words and tags of each sentence, with the number of its first line."""
    pairs: list[tuple[str, str]] = []
    first, is_bad = 0, False
    for number, line in enumerate([*lines, ""], start=1):
        if not line.strip():
            if pairs and not is_bad:
                yield first, pairs
            pairs, is_bad = [], False
            continue
        fields = line.rstrip("\r").split("\t") if "\t" in line else line.split()
        if is_bad or fields[0] == _DOCUMENT or (has_comments and line.startswith("#")):
            continue
        first = first if pairs else number
        try:
            word, tag = fields[word_column].strip(), fields[tag_column].strip()
        except IndexError:
            word = tag = ""
        if len(fields) < 2 or not word or not tag:
            is_bad = True
            wanted = f"a word in column {word_column} and a tag in column {tag_column} are expected"
            bad(number, f"{wanted} (word_column, tag_column)", line)
            continue
        pairs.append((word.replace(SEPARATOR, " "), tag))


def _from_columns(
    rows: Sequence[tuple[int, list[tuple[str, str]]]], scheme: AnyScheme, blank: str, bad: _Bad
) -> tuple[list[Sentence], list[str]]:
    named: Scheme = scheme_of([tag for _, tag in pairs] for _, pairs in rows) if scheme == "auto" else scheme
    sentences, broken = [], 0
    for line, pairs in rows:
        words = [word for word, _ in pairs]
        try:
            entities, num_broken = read_tags([tag for _, tag in pairs], named)
            if any(not entity.type for entity in entities):
                raise ValueError("a tag without a type")
        except ValueError:
            strange = next((tag for _, tag in pairs if not _is_tag(tag, named)), pairs[0][1])
            bad(line, f"a tag that is none of the scheme {named} in the sentence that begins here", strange)
            continue
        broken += num_broken
        sentences.append(Sentence(blank.join(words), words, entities))
    told = f"{counted(broken, 'entity', 'entities')} of {bad.path.name} broke the rules of {named}"
    return sentences, [f"{told}: each is read as begun where its type begins"] if broken else []


def _is_tag(tag: str, scheme: Scheme) -> bool:
    mark, _, name = tag.partition("-")
    return tag == "O" or (
        mark in {"iob1": "BI", "iob2": "BI", "bmes": "BMES"}.get(scheme, "BIES") and name != ""
    )


def _from_offsets(lines: Iterable[str], split: Split, bad: _Bad) -> tuple[list[Sentence], list[str]]:
    sentences, widened = [], 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text, spans = _text_and_spans(json.loads(line))
            words = words_of(text, split)
            entities, num_widened = placed_entities(text, words, spans)
        except ValueError as error:
            told = "this is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            bad(number, told, line)
            continue
        if words:
            widened += num_widened
            sentences.append(Sentence(text, [word.text for word in words], entities))
    told = f"{counted(widened, 'entity', 'entities')} of {bad.path.name} began or ended within a word"
    return sentences, [f"{told}: widened to whole words"] if widened else []


def _text_and_spans(record: Any) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the text and the entities of a line of spaCy, doccano or Prodigy.

    Raises:
        ValueError: It is none.
    """
    if isinstance(record, list) and len(record) == 2 and isinstance(record[1], Mapping):
        record = {"text": record[0], **record[1]}
    if not isinstance(record, Mapping) or not isinstance(record.get("text"), str):
        raise ValueError("an object with a text is expected")
    name = next((each for each in _MARKS if each in record), None)
    if name is None or not isinstance(record[name], list):
        raise ValueError(f"a list of entities is expected, named {', '.join(_MARKS[:-1])} or {_MARKS[-1]}")
    return record["text"], [_span(each) for each in record[name]]


def _span(value: Any) -> tuple[int, int, str]:
    if isinstance(value, Mapping):
        kind = next((value[name] for name in _KINDS if name in value), None)
        value = [value.get(name, value.get(f"{name}_offset")) for name in ("start", "end")] + [kind]
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError("an entity is a start, an end and a type")
    start, end, kind = value
    numbers = all(isinstance(each, int) and not isinstance(each, bool) for each in (start, end))
    if not numbers or not isinstance(kind, str) or not kind.strip():
        raise ValueError("an entity is a start and an end in characters, and a type")
    return start, end, "_".join(kind.split())


def placed_entities(
    text: str, words: Sequence[Word], spans: Iterable[tuple[int, int, str]]
) -> tuple[list[Entity], int]:
    """Return the entities of words that spans of characters touch, and how many spans cut a word.

    Args:
        text: As it was written.
        words: Of the text.
        spans: Start, end and type of each.

    Raises:
        ValueError: A span lies off the text, holds no word, or overlaps another.
    """
    entities: list[Entity] = []
    num_widened = 0
    for start, end, kind in sorted(spans):
        if not 0 <= start < end <= len(text):
            raise ValueError(f"the span {start} to {end} lies off the text of {len(text)} characters")
        inside = [place for place, word in enumerate(words) if word.start < end and start < word.end]
        if not inside:
            raise ValueError(f"the span {start} to {end} holds no word")
        if entities and entities[-1].last >= inside[0]:
            raise ValueError(f"the span {start} to {end} overlaps another, or its words do")
        blank = text[start:end]
        edges = (start + len(blank) - len(blank.lstrip()), end - len(blank) + len(blank.rstrip()))
        num_widened += edges != (words[inside[0]].start, words[inside[-1]].end)
        entities.append(Entity(kind, inside[0], inside[-1]))
    return entities, num_widened
