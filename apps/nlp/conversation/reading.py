"""Conversations as they lie in JSON lines, JSON and YAML, in the shapes that are published."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.conversation.turns import ROLES, Turn
from apps.nlp.corpus.cleaning import cleaned
from core.data.examples import Examples
from core.data.folders import PART_NAMES, files_inside
from core.data.tables import JSON_LINES, existing, opened_text, part_paths, table_suffix
from core.errors import UserError
from core.wording import counted

YAML = (".yml", ".yaml")
ENDINGS = (*JSON_LINES, ".json", *YAML)
SHAPES = "messages (role, content), conversations (from, value), instruction with output, or texts in turn"
NAMES = {
    **dict.fromkeys(("system",), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "chatgpt"), "assistant"),
}
"""By what roles are called where conversations are published: what they are called here."""


def read_parts(source: str, *, skip_bad: bool = False) -> tuple[dict[str, Examples], list[str]]:
    """Return the conversations of the parts that a path names, and notes of what was left out.

    Args:
        source: A file, a folder of files, or a folder with files or folders named after the parts.
        skip_bad: Leave out what can't be read, and count it.

    Returns:
        Part to examples with a column `conversation`, as `written` writes one.

    Raises:
        UserError: There is nothing to read, or something that is no conversation with an answer.
    """
    path = existing(source)
    paths = {"train": path}
    if path.is_dir() and any(
        entry.name.split(".")[0].lower() in PART_NAMES["train"] for entry in path.iterdir()
    ):
        paths = part_paths(path, ENDINGS)
    parts, notes = {}, []
    for part, each in paths.items():
        files = [each] if each.is_file() else _files(each)
        parts[part], own = read_files(files, str(each), skip_bad=skip_bad)
        notes += own
    return parts, notes


def _files(folder: Path) -> list[Path]:
    from collections import Counter

    files = files_inside(folder, ENDINGS, Counter())
    if not files:
        raise UserError(
            f"{folder} holds no conversations: files that end in {', '.join(ENDINGS)} are read. Received: "
            f"{', '.join(sorted(entry.name for entry in folder.iterdir())[:8])}."
        )
    return files


def read_files(files: Sequence[Path], source: str, *, skip_bad: bool = False) -> tuple[Examples, list[str]]:
    """Return the conversations of files, and notes of what was left out.

    Args:
        files: JSON lines, JSON or YAML, which may end in `.gz`.
        source: Where they come from, for messages.
        skip_bad: Leave out what can't be read, and count it.

    Raises:
        UserError: One can't be read, or none has an answer.
    """
    texts, bad = [], 0
    for file in files:
        for where, item in _items(file, skip_bad):
            try:
                texts.append(written(conversation_of(item, where)))
            except UserError:
                if not skip_bad:
                    raise
                bad += 1
    if not texts:
        raise UserError(f"{source} has no conversation with an answer. Received: {counted(bad, 'bad one')}.")
    notes = [f"{counted(bad, 'conversation')} of {Path(source).name} left out that can't be read"]
    return Examples({"conversation": texts}, source), notes if bad else []


def each_once(examples: Examples) -> tuple[Examples, list[str]]:
    """Return examples without conversations that stand there already, and a note of how many those are."""
    _, first = np.unique(examples["conversation"], return_index=True)
    repeated = len(examples) - len(first)
    note = f"{counted(repeated, 'conversation')} left out that stand there already"
    return examples.take(np.sort(first)), [note] if repeated else []


def written(turns: Iterable[Turn]) -> str:
    """Return a conversation as one text, JSON, by which equal ones are equal."""
    return json.dumps([list(turn) for turn in turns], ensure_ascii=False)


def conversation_of(item: Any, where: str) -> list[Turn]:
    """Return the turns of a conversation up to its last answer, in any of the shapes that are read.

    Args:
        item: From JSON or YAML.
        where: It stands, for messages.

    Raises:
        UserError: It has another shape, or no answer.

    Example:

    >>> conversation_of({"instruction": "Add", "input": "1 + 1", "output": "2"}, "line 1")
    [Turn(role='user', text='Add\\n1 + 1'), Turn(role='assistant', text='2')]
    >>> [turn.role for turn in conversation_of(["Hello", "Hi!", "Bye"], "line 1")]
    ['user', 'assistant']
    """
    turns = [Turn(role, cleaned(text).strip()) for role, text in _pairs(item, where) if text and text.strip()]
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:  # said in two messages
            merged[-1] = Turn(turn.role, f"{merged[-1].text}\n{turn.text}")
        else:
            merged.append(turn)
    while merged and merged[-1].role != "assistant":
        merged.pop()
    if len(merged) < 2 or all(turn.role != "user" for turn in merged):
        raise UserError(
            f"{where} has no answer: a turn of the user and one of the assistant after it. "
            f"Received: {json.dumps(item, ensure_ascii=False, default=str)[:80]}."
        )
    return merged


def _pairs(item: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield role and text of each turn."""
    messages = item
    if isinstance(item, Mapping):
        if "instruction" in item and "output" in item:
            yield from _instruction(item)
            return
        messages = next((item[name] for name in ("messages", "conversations", "turns") if name in item), None)
        if isinstance(item.get("system"), str):
            yield "system", item["system"]
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise UserError(
            f"{where} is no conversation: {SHAPES}. "
            f"Received: {json.dumps(item, ensure_ascii=False, default=str)[:80]}."
        )
    for place, message in enumerate(messages):
        if isinstance(message, Mapping):
            name = str(message.get("role", message.get("from", ""))).lower()
            text = next((message[key] for key in ("content", "value", "text") if key in message), None)
            if name not in NAMES or not isinstance(text, str):
                raise UserError(
                    f"Turn {place + 1} of {where} must have a role ({', '.join(ROLES)}) and a text. "
                    f"Received: {json.dumps(message, ensure_ascii=False, default=str)[:80]}."
                )
            yield NAMES[name], text
        else:
            yield ("user", "assistant")[place % 2], "" if message is None else str(message)


def _instruction(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if item.get("system"):
        yield "system", str(item["system"])
    for question, answer in item.get("history") or ():
        yield from (("user", str(question)), ("assistant", str(answer)))
    yield "user", "\n".join(str(item[name]) for name in ("instruction", "input") if item.get(name))
    yield "assistant", str(item["output"])


def _items(path: Path, skip_bad: bool) -> Iterator[tuple[str, Any]]:
    """Yield where each conversation of a file stands, and what stands there."""
    try:
        with opened_text(path) as file:
            if table_suffix(path) in JSON_LINES:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield f"Line {number} of {path}", _json(line, f"Line {number} of {path}", skip_bad)
                return
            text = file.read()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read as text in UTF-8: {error}.") from None
    whole = _yaml(text, path) if table_suffix(path) in YAML else _json(text, str(path), False)
    listed = whole.get("conversations") if isinstance(whole, Mapping) else whole
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise UserError(f"{path} must hold a list of conversations. Received: {str(whole)[:80]!r}.")
    for number, item in enumerate(listed, 1):
        yield f"Conversation {number} of {path}", item


def _json(text: str, where: str, skip_bad: bool) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if skip_bad:
            return None
        raise UserError(f"{where} is no JSON: {error}. Received: {text[:60]!r}.") from None


def _yaml(text: str, path: Path) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no YAML: {' '.join(str(error).split())}.") from None
