from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.inputs import Text, Turns
from core.task.contract import Options


class Echo:
    """Answers how many turns it read and the last of them, letter by letter."""

    takes = {"turns": Turns()}
    abilities = frozenset({"stream"})
    options = Options

    def stream(self, model, encoder, value, options=None):
        answer = f"{len(value)} {value[-1]['text']}"
        for end in range(1, len(answer)):
            yield {"text": answer[:end], "finished": False}
            if answer[:end].endswith("stop"):
                raise KeyboardInterrupt
        yield {"text": answer, "notes": ["a note"] if "long" in answer else []}


@pytest.fixture
def talk(monkeypatch):
    """Return what prints for lines that are typed."""
    task = Echo()
    run = SimpleNamespace(
        experiment=SimpleNamespace(task=task),
        model=None,
        encoder=None,
        folder="run",
        require=lambda ability: None,
    )
    monkeypatch.setattr("core.run.Run", lambda folder: run)

    def typed(*lines: str):
        return CliRunner().invoke(app, ["chat", "run"], input="".join(f"{line}\n" for line in lines))

    typed.task = task
    return typed


def test_a_dialogue_goes_on_from_what_was_said_until_it_is_begun_anew(talk):
    done = talk("one", "two", "/reset", "three", "/quit", "four")
    assert done.exit_code == 0
    assert [line.lstrip("> ") for line in done.stdout.splitlines() if line.strip("> ")] == [
        "1 one",
        "3 two",
        "1 three",
    ]


def test_an_answer_that_is_stopped_stands_as_far_as_it_came_and_the_dialogue_goes_on(talk):
    done = talk("please stop now", "on")
    assert done.exit_code == 0
    assert "1 please stop ...\n" in done.stdout
    assert "3 on" in done.stdout


def test_what_an_answer_notes_is_told(talk):
    assert "(a note)" in talk("long").stderr


def test_a_run_that_takes_no_dialogue_is_refused_in_a_line(talk):
    talk.task.takes = {"text": Text()}
    done = talk("one")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "chat is for runs that answer dialogues; Echo takes text" in done.stderr
