"""Each kind of input: typed, in a record, in JSON, and raw, all the same value, or refused in a line."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pydantic
import pytest
from PIL import Image

from core.errors import UserError
from core.inputs import (
    Choice,
    Column,
    History,
    Input,
    Number,
    Picture,
    Position,
    Ratings,
    Row,
    Several,
    Sound,
    Text,
    Turns,
    joined,
)
from core.inputs.limits import Limits
from core.serving.requests import Body

PATIENT = Row(
    (
        Column(name="age", kind="number", low=29, high=77, typical=54.5),
        Column(name="sex", kind="choice", choices=["f", "m"], typical="m"),
        Column(name="chest pain", kind="text", typical="none"),
    )
)
KINDS: dict[str, Input] = {
    "text": Text(),
    "picture": Picture((4, 6), 1),
    "sound": Sound(8000),
    "ratings": Ratings({"user": {"7": "7"}, "item": {"50": "Alien"}, "rating": {"4": "4"}}),
    "history": History({"50": "Alien", "172": "The Empire Strikes Back"}),
    "row": PATIENT,
    "turns": Turns(),
    "choice": Choice(("German", "French")),
    "number": Number(0, 9, whole=True),
    "position": Position(),
    "several": Several({"question": Text(), "choices": Choice(("a", "b"))}),
    "several with a file": Several({"picture": Picture(), "row": PATIENT}),
}
LIMITS = Limits()
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def checked(kind: Input, value: Any, limits: Limits = LIMITS) -> Any:
    """Return what a request with one input holds, as JSON and through the type of the kind."""
    body: Any = pydantic.create_model("One", __base__=Body, input=(kind.type(limits), ...))
    return body.model_validate_json(json.dumps({"input": value})).input


def raw(kind: Input, value: Any, limits: Limits = LIMITS) -> Any:
    """Return what a task gets of a value that was sent."""
    return kind.raw(checked(kind, value, limits), limits)


@every_kind
def test_an_example_is_valid_by_its_own_type_and_can_be_read(kind):
    assert kind.examples()
    for example in kind.examples():
        assert raw(kind, example) is not None


@every_kind
def test_a_kind_has_its_form_and_what_reads_it(kind):
    for part in kind.parts.values() if isinstance(kind, Several) else [kind]:
        assert "{{ id }}" in part.file(".html").read_text(encoding="utf-8")
        assert "export function setUp(" in part.file(".js").read_text(encoding="utf-8")


@every_kind
def test_what_a_form_needs_to_know_is_json(kind):
    assert json.loads(json.dumps(kind.settings(), allow_nan=False)) == kind.settings()


@pytest.mark.parametrize(
    ("kind", "text", "sent"),
    [
        (Text(), "a text = with {signs}, and commas", "a text = with {signs}, and commas"),
        (PATIENT, 'age=54 sex=f "chest pain=a lot"', {"age": 54, "sex": "f", "chest pain": "a lot"}),
        (PATIENT, "54,f,a lot", {"age": 54, "sex": "f", "chest pain": "a lot"}),
        (PATIENT, '54,f,"a lot, always"', {"age": 54, "sex": "f", "chest pain": "a lot, always"}),
        (
            PATIENT,
            '{"age": 54, "sex": "f", "chest pain": "a lot"}',
            {"age": 54, "sex": "f", "chest pain": "a lot"},
        ),
        (PATIENT, "age=54", {"age": 54}),
        (PATIENT, "?,NA,", {}),
        (PATIENT, '{"age": null, "sex": "m"}', {"sex": "m"}),
        (Turns(), "Good morning", [{"role": "user", "text": "Good morning"}]),
        (Turns(), "Good morning", "Good morning"),
        (Turns(), '[{"role": "user", "text": "Hi"}]', [{"role": "user", "text": "Hi"}]),
        (History(), "50 172", ["50", "172"]),
        (History(), " 50,172\n", [50, "172"]),
        (History(), '{"history": [50, "a b"]}', {"history": [50, "a b"]}),
        (History(), '["50"]', {"history": ["50"]}),
        (Choice(("German", "French")), " French ", "French"),
        (Number(), "1e-3", 0.001),
        (Number(0, 9, whole=True), "7", 7),
        (Position(), " e2e4 e7e5\n", "e2e4 e7e5"),
        (KINDS["several"], '{"question": "Who?", "choices": "b"}', {"question": "Who?", "choices": "b"}),
    ],
)
def test_what_is_typed_is_what_is_sent(kind, text, sent):
    assert kind.typed(text) == raw(kind, sent)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Text(), "\udcff", "valid UTF-8"),
        (PATIENT, "54,f", "A row has 3 values, age,sex,chest pain"),
        (PATIENT, "54,f,none,4", "Received: 4 values"),
        (PATIENT, "old,f,none", "The age is wrong: .*number.* Received: 'old'"),
        (PATIENT, "54,x,none", "The sex is wrong: .*'f' or 'm'.* Received: 'x'"),
        (PATIENT, "inf,f,none", "The age is wrong: .*finite"),
        (PATIENT, "height=3", "A row has the columns age, chest pain, sex. Received: height"),
        (PATIENT, "{", "The row is no JSON"),
        (PATIENT, '{"age": []}', "The age is wrong"),
        (Turns(), "[1", "The dialogue is no JSON"),
        (Turns(), "[]", "The dialogue is wrong"),
        (Turns(), '[{"role": "assistant", "text": "Hi"}]', "The last turn is the assistant's"),
        (Turns(), '[{"role": "nobody", "text": "Hi"}]', "The dialogue is wrong at 0.role"),
        (History(), "", "The history is wrong: List should have at least 1 item"),
        (History(), "[50", "A history is JSON such as"),
        (History(), '{"history": "50"}', "The history is wrong.* Received: '50'"),
        (
            History(),
            '{"history": ["50", 1.5]}',
            "The history is wrong at 1: An id is a text or a whole number",
        ),
        (History(), '{"items": ["50"]}', 'a mapping such as {"history"'),
        (Choice(("German", "French")), "Latin", "The choice is wrong: .* Received: 'Latin'"),
        (Number(), "seven", "A number is wanted. Received: 'seven'"),
        (Number(), "nan", "The number is wrong"),
        (Number(), "inf", "The number is wrong"),
        (Number(0, 9, whole=True), "1.5", "The number is wrong"),
        (Number(0, 9, whole=True), "10", "less than or equal to 9"),
        (Position(), "e2e4\te7e5", "The position is wrong"),
        (KINDS["several"], "Who?", "An input is JSON such as"),
        (KINDS["several"], '["Who?"]', "An input is JSON such as"),
        (KINDS["several"], '{"question": "Who?"}', "There is no column 'choices'"),
        (KINDS["several"], '{"question": 7, "choices": "a"}', "A text is written in quotes. Received: 7"),
        (KINDS["several"], '{"question": "Who?", "choices": "c"}', "The choice is wrong"),
    ],
)
def test_what_is_typed_wrong_is_reported_in_a_line(kind, text, message):
    with pytest.raises(UserError, match=message) as caught:
        kind.typed(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "record", "name", "value"),
    [
        (Text(), {"text": "lovely", "stars": "5"}, "text", "lovely"),
        (Text(column="review"), {"review": "lovely", "stars": "5"}, "text", "lovely"),
        (Text(), {"anything": "lovely"}, "text", "lovely"),
        (
            PATIENT,
            {"sex": "f", "age": "54", "ill": "yes"},
            "row",
            {"age": 54, "sex": "f", "chest pain": None},
        ),
        (Number(), {"seed": "7", "other": "8"}, "seed", 7.0),
        (Number(whole=True), {"seed": 7}, "seed", 7),
        (Choice(("a", "b")), {"which": " b"}, "which", "b"),
        (Turns(), {"dialogue": "Hi"}, "dialogue", [{"role": "user", "text": "Hi"}]),
        (
            KINDS["several"],
            {"question": "Who?", "choices": "a", "label": "x"},
            "input",
            {"question": "Who?", "choices": "a"},
        ),
        (Ratings(), {"user": "7", "item": "50", "rating": "4"}, "question", {"user": "7", "item": "50"}),
        (Ratings(), {"user": "7", "item": "", "rating": "4"}, "question", {"user": "7"}),
        (Ratings(), {"question": 7}, "question", {"user": "7"}),
        (Ratings(), {"ratings": {"50": 4}}, "question", {"ratings": {"50": 4.0}}),
        (History(), {"history": "50 172", "user": "7"}, "history", ["50", "172"]),
        (History(), {"history": [50, "172"]}, "history", ["50", "172"]),
    ],
)
def test_a_record_is_read_by_the_names_of_its_columns(kind, record, name, value):
    assert kind.record(record, name) == value


@pytest.mark.parametrize(
    ("kind", "record", "message"),
    [
        (Text(), {"a": "1", "b": "2"}, "There is no column 'it'. Received the columns: a, b"),
        (Text(), {"it": 7}, "A text is written in quotes. Received: 7"),
        (PATIENT, {"a": "1"}, "A row has the columns"),
        (Number(0, 9, whole=True), {"it": 70}, "The number is wrong"),
        (Number(), {"it": [1]}, "The number is wrong"),
        (Choice(("a", "b")), {"it": 1}, "The choice is wrong"),
        (Turns(), {"it": 5}, "The dialogue is wrong"),
        (Turns(), {"it": [{"role": "user"}]}, "The dialogue is wrong at 0.text"),
        (Position(), {"it": 5}, "The position is wrong"),
        (Ratings(), {"user": ""}, "either a user or ratings"),
        (Ratings(), {"user": "7", "ratings": {"50": 4}}, "either a user or ratings"),
        (Ratings(), {"ratings": "50"}, "The question is wrong at ratings"),
    ],
)
def test_a_record_that_holds_no_input_is_reported_in_a_line(kind, record, message):
    with pytest.raises(UserError, match=message) as caught:
        kind.record(record, "it")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "limits"),
    [
        (Text(), "x" * 11, Limits(characters=10)),
        (Turns(), [{"role": "user", "text": "x" * 11}], Limits(characters=10)),
        (Turns(), [{"role": "user", "text": "x"}] * 3, Limits(turns=2)),
        (Position(), "e2e4 " * 2001, LIMITS),
        (PATIENT, {"chest pain": "x" * 10_001}, LIMITS),
        (PATIENT, {"age": "54"}, LIMITS),
        (PATIENT, {"height": 2}, LIMITS),
        (Number(0, 9, whole=True), 10, LIMITS),
        (Number(0, 9, whole=True), True, LIMITS),
        (Number(), "7", LIMITS),
        (Choice(("a", "b")), "c", LIMITS),
        (Picture(), "not base64!", LIMITS),
        (Picture(), "", LIMITS),
        (Sound(), 7, LIMITS),
        (KINDS["several"], {"question": "Who?"}, LIMITS),
        (KINDS["several"], {"question": "Who?", "choices": "a", "path": "/etc/passwd"}, LIMITS),
    ],
)
def test_what_is_sent_beyond_its_type_is_refused(kind, value, limits):
    with pytest.raises(pydantic.ValidationError):
        checked(kind, value, limits)


@pytest.mark.parametrize(
    ("kind", "limits"), [(Picture(), Limits(pixels=63)), (Sound(), Limits(sound_seconds=0.09))]
)
def test_a_file_beyond_its_limit_is_refused(kind, limits):
    [example] = kind.examples()
    with pytest.raises(UserError):
        raw(kind, example, limits)


def test_a_picture_is_brought_to_the_size_that_a_task_takes():
    file = io.BytesIO()
    Image.new("RGB", (40, 20), (255, 0, 0)).save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    picture = raw(Picture((4, 6), 3), f"data:image/png;base64,{encoded}")
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)
    assert raw(Picture(), encoded).shape == (20, 40, 3)


def test_a_sound_is_brought_to_the_rate_that_a_task_takes():
    [example] = Sound().examples()  # a tenth of a second
    assert raw(Sound(8000), example).shape == (800,)
    assert raw(Sound(16_000), example).shape == (1600,)


def test_one_input_is_itself_and_two_are_a_mapping():
    text, number = Text(), Number()
    assert joined({"review": text}) == ("review", text)
    name, both = joined({"text": text, "seed": number})
    assert name == "input"
    assert both.typed('{"text": "a", "seed": 3}') == {"text": "a", "seed": 3.0}
    assert both.shown({"text": "a", "seed": 3.0}) == "text: a\nseed: 3.0"


def test_an_input_that_lacks_a_part_is_refused_and_not_filled_with_another():
    both = Several({"question": Text(), "context": Text()})
    with pytest.raises(UserError, match=r"no column 'context'. Received the columns: question\."):
        both.typed('{"question": "Who?"}')
