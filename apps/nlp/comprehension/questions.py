"""Questions about texts as files hold them: SQuAD 1.1 and 2.0, QAMR, and JSON lines."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.tables import JSON_LINES, opened_text, table_suffix
from core.errors import UserError
from core.wording import agreeing, counted

SUFFIXES = (".json", *JSON_LINES)
SHOWN = 80


class Question(NamedTuple):
    """A question about a text.

    Args:
        question: As it was asked.
        context: The text that it is asked about.
        spans: Start and end, in characters of the context, of each answer; none where the context has none.
        document: What the context is a part of.
    """

    question: str
    context: str
    spans: Sequence[tuple[int, int]]
    document: str


class Answer(NamedTuple):
    """An answer as a file has it.

    Args:
        text: Of the answer.
        start: Of its first character in the context, as the file says.
    """

    text: str
    start: int


def examples_of(questions: Sequence[Question], source: str) -> Examples:
    """Return questions as examples.

    Args:
        questions: At least one.
        source: Where they come from, for messages.

    Returns:
        Columns `question`, `context`, `document`, and `spans` (ragged int64, `(num_answers, 2)`).
    """
    spans = [np.asarray(each.spans, np.int64).reshape(-1, 2) for each in questions]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in spans])])
    return Examples(
        {
            "question": [each.question for each in questions],
            "context": [each.context for each in questions],
            "document": [each.document for each in questions],
            "spans": Ragged(np.concatenate(spans), offsets),
        },
        source,
    )


def read_questions(path: Path, *, skip_bad: bool = False) -> tuple[Examples, tuple[str, ...]]:
    """Read questions about texts, with their answers; the file may end in `.gz`.

    Args:
        path: JSON as SQuAD or QAMR are published, or JSON lines with `question`, `context` and `answers`.
        skip_bad: Leave out questions that can't be read, and count them; else refuse them.

    Returns:
        The examples, as `examples_of` makes them, and notes of what was mended or left out.

    Raises:
        UserError: The file is none of these, or a question can't be read; the message names it.
    """
    try:
        with opened_text(path) as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from None
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    if "\0" in text:
        raise UserError(f"{path} holds characters of value 0, which no text has. Save it as UTF-8.")
    reading = _Reading(path, skip_bad)
    if table_suffix(path) in JSON_LINES:
        questions = list(_of_lines(text, reading))
    else:
        questions = list(_of_document(_parsed(text, path), reading))
    if not questions:
        raise UserError(f"{path} holds no question. Received: {counted(len(text), 'character')}.")
    return examples_of(questions, str(path)), reading.notes()


class _Reading:
    """Mends what can be mended of the questions of a file, refuses or counts the rest, and tells of it.

    Args:
        path: Of the file.
        skip_bad: Whether to count instead of refuse.
    """

    def __init__(self, path: Path, skip_bad: bool) -> None:
        self.path, self.skip_bad = path, skip_bad
        self.answers = self.moved = self.dropped = self.questions = self.bad = 0

    def refuse(self, place: str, mistake: str, received: object) -> None:
        """Raise what is wrong at a place of the file, or count it."""
        if not self.skip_bad:
            raise UserError(
                f"{self.path}, {place}: {mistake}. Mend it, or leave such questions out with skip_bad=true. "
                f"Received: {str(received)[:SHOWN]!r}."
            )
        self.bad += 1

    def asked(self, question: str, context: str, answers: Sequence[Answer], document: str) -> Question | None:
        """Return a question with the places of its answers, or nothing where none is in the context."""
        spans = []
        for answer in answers:
            self.answers += 1
            start = answer.start
            if not answer.text or context[start : start + len(answer.text)] != answer.text or start < 0:
                start = _nearest(context, answer)
                self.moved += start >= 0
                self.dropped += start < 0
            if start >= 0:
                spans.append((start, start + len(answer.text)))
        if answers and not spans:
            self.questions += 1
            return None
        return Question(question, context, spans, document)

    def notes(self) -> tuple[str, ...]:
        """Return what was mended and left out, in words."""
        wrong, name = self.moved + self.dropped, self.path.name
        notes = [f"{counted(self.bad, 'bad question')} of {name} left out"] if self.bad else []
        if wrong:
            complaint = f"{wrong} of {self.answers} answers of {name} do not stand where it says"
            mended = f"{self.moved} {agreeing(self.moved, 'was', 'were')} moved to where they do"
            gone = f"{self.dropped} that stand nowhere {agreeing(self.dropped, 'was', 'were')} dropped"
            lost = f", with {counted(self.questions, 'question')}" if self.questions else ""
            notes.append(f"{complaint}: {mended}, {gone}{lost}")
        return tuple(notes)


def _nearest(context: str, answer: Answer) -> int:
    """Return where an answer stands that is nearest to where it is said to; -1 where it stands nowhere."""
    if not answer.text:
        return -1
    places, place = [], context.find(answer.text)
    while place >= 0:
        places.append(place)
        place = context.find(answer.text, place + 1)
    return min(places, key=lambda each: abs(each - answer.start), default=-1)


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON: {error}. JSON lines end in .jsonl.") from None


def _of_document(tree: Any, reading: _Reading) -> Iterator[Question]:
    if isinstance(tree, Mapping) and isinstance(tree.get("data"), list):
        return _of_squad(tree["data"], reading)
    if isinstance(tree, Mapping) and "sentences" in tree and "qas" in tree:
        return _of_qamr(tree, reading)
    keys = ", ".join(map(str, tree)) if isinstance(tree, Mapping) else type(tree).__name__
    raise UserError(
        f"{reading.path} is neither SQuAD's JSON, which has data, nor QAMR's, which has sentences and qas. "
        f"Received: {keys[:SHOWN]}."
    )


def _of_squad(articles: Sequence[Any], reading: _Reading) -> Iterator[Question]:
    for number, article in enumerate(articles):
        place = f"article {number}"
        paragraphs = article.get("paragraphs") if isinstance(article, Mapping) else None
        if not isinstance(paragraphs, list):
            reading.refuse(place, "an article has a list of paragraphs", article)
            continue
        document = str(article.get("title") or article.get("id") or number)
        for paragraph in paragraphs:
            context = paragraph.get("context") if isinstance(paragraph, Mapping) else None
            if not isinstance(context, str) or not isinstance(paragraph.get("qas"), list):
                reading.refuse(place, "a paragraph has a context and a list of qas", paragraph)
                continue
            for asked in paragraph["qas"]:
                yield from _asked(asked, context, document, f"{place} ({document})", reading)


def _asked(asked: Any, context: str, document: str, place: str, reading: _Reading) -> Iterator[Question]:
    try:
        question, answers = _question_and_answers(asked)
    except ValueError as error:
        reading.refuse(place, str(error), asked)
        return
    known = reading.asked(question, context, answers, document)
    if known is not None:
        yield known


def _question_and_answers(asked: Any) -> tuple[str, list[Answer]]:
    """Return the question and the answers of SQuAD, or of what Hugging Face makes of it.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(asked, Mapping) or not isinstance(asked.get("question"), str):
        raise ValueError("an object with a question is expected")
    if not asked["question"].strip():
        raise ValueError("a question is not empty")
    answers = asked.get("answers", [])
    if isinstance(answers, Mapping):
        texts, starts = answers.get("text"), answers.get("answer_start")
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            raise ValueError("as many texts of answers as places are expected")
        answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    if not isinstance(answers, list):
        raise ValueError("answers are a list")
    if asked.get("is_impossible"):
        answers = []
    return asked["question"], [_answer(each) for each in answers]


def _answer(value: Any) -> Answer:
    text, start = (value.get("text"), value.get("answer_start")) if isinstance(value, Mapping) else (0, 0)
    if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
        raise ValueError("an answer is a text and its answer_start in characters")
    return Answer(text, start)


def _of_qamr(tree: Mapping[str, Any], reading: _Reading) -> Iterator[Question]:
    sentences, asked = tree["sentences"], tree["qas"]
    if not isinstance(sentences, Mapping) or not isinstance(asked, list):
        raise UserError(f"{reading.path}: sentences are a mapping from id to words, and qas are a list.")
    contexts = {name: _placed(words) for name, words in sentences.items()}
    for number, each in enumerate(asked):
        try:
            name, question = each["sid"], each["question"]
            context, places = contexts[name]
            spans = [(places[first][0], places[last][1]) for first, last in each["spans"] if first <= last]
            if not isinstance(question, str) or len(spans) < len(each["spans"]) or not spans:
                raise ValueError
        except (LookupError, TypeError, ValueError):
            complaint = (
                "a sid of a sentence, a question, and spans of its words (first and last) are expected"
            )
            reading.refuse(f"qas {number}", complaint, each)
            continue
        reading.answers += len(spans)
        yield Question(question, context, spans, name)


def _placed(words: Sequence[str]) -> tuple[str, dict[int, tuple[int, int]]]:
    """Return a sentence with blanks between its words, and where each word stands."""
    places, start = {}, 0
    for number, word in enumerate(words):
        places[number] = (start, start + len(word))
        start += len(word) + 1
    return " ".join(words), places


def _of_lines(text: str, reading: _Reading) -> Iterator[Question]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            reading.refuse(place, "this is no JSON", line)
            continue
        context = record.get("context") if isinstance(record, Mapping) else None
        if not isinstance(context, str):
            reading.refuse(place, "an object with a question, a context and answers is expected", line)
            continue
        yield from _asked(record, context, str(record.get("title") or context), place, reading)
