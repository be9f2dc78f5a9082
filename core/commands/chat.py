"""A dialogue with a finished run in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.arguments import RunFolder
from core.commands.runs import options_of
from core.silence import import_quietly

if TYPE_CHECKING:
    from core.run import Run
    from core.task.contract import Options

WORDS = "/reset begins anew, /quit ends, Ctrl-C stops an answer"


def chat(
    run: RunFolder,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Of the answers, where the task has options: temperature=0.7"),
    ] = None,
) -> None:
    """Talk with a run that answers dialogues; /reset begins anew, /quit ends, Ctrl-C stops an answer."""
    from core.run import Run

    finished = Run(run)
    require_dialogue(finished)
    options = options_of(finished, option or [])
    import_quietly()
    _ = finished.model  # loaded before the first turn
    typer.echo(f"{type(finished.experiment.task).__name__}: {WORDS}.", err=True)
    turns: list[dict[str, str]] = []
    while (text := _next_turn()) is not None:
        if text == "/reset":
            turns = []
            typer.echo("Begun anew.", err=True)
        elif text:
            turns = _answered(finished, [*turns, {"role": "user", "text": text}], options)


def require_dialogue(run: Run) -> None:
    """Refuse a run that takes no dialogue, or does not answer as it goes.

    Raises:
        UserError: It is one.
    """
    from core.errors import UserError
    from core.inputs import Turns

    task = run.experiment.task
    if [type(kind) for kind in task.takes.values()] != [Turns]:
        taken = ", ".join(kind.noun for kind in task.takes.values()) or "nothing"
        raise UserError(
            f"chat is for runs that answer dialogues; {type(task).__name__} takes {taken}: ask it by "
            f"`quartet predict`. Received: {run.folder}."
        )
    run.require("stream")


def _next_turn() -> str | None:
    """Return what is typed next; nothing where the dialogue ends."""
    while True:
        try:
            text = input("> ").strip()
        except EOFError:
            return None
        except KeyboardInterrupt:  # forgets a line that is half typed
            typer.echo("")
            continue
        return None if text == "/quit" else text


def _answered(run: Run, turns: list[dict[str, str]], options: Options | None) -> list[dict[str, str]]:
    """Print an answer as it grows, and return the turns with it; what was stopped stands as it is."""
    from core.errors import UserError
    from core.inputs.limits import Limits

    turns = turns[-Limits().turns :]
    text, notes = "", []
    try:
        for state in _states(run, turns, options):
            grown = str(state.get("text", ""))
            typer.echo(grown[len(text) :], nl=False)
            text, notes = grown, state.get("notes", [])
    except KeyboardInterrupt:
        typer.echo(" ...", nl=False)
    except UserError as error:
        typer.echo(f"quartet: {error}", err=True)
        return turns[:-1]
    typer.echo("")
    for note in notes:
        typer.echo(f"({note})", err=True)
    return [*turns, {"role": "assistant", "text": text}] if text.strip() else turns[:-1]


def _states(run: Run, turns: list[dict[str, str]], options: Options | None) -> Iterator[dict[str, Any]]:
    yield from run.experiment.task.stream(run.model, run.encoder, turns, options)
