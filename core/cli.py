"""The command line: which commands there are, and how a mistake is reported."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from core.commands import chat, runs, tasks, training

UsageError: Any = typer.BadParameter.__base__  # Typer names only this kind of it


class Commands(TyperGroup):
    """Reports a user's mistake in one or two lines and exits with code 2."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what stands before the command."""
        if not args:  # shows the help, which Typer takes for a mistake
            return super().parse_args(ctx, args)
        with _mistakes_in_a_line(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        with _mistakes_in_a_line(ctx):
            return super().invoke(ctx)


@contextlib.contextmanager
def _mistakes_in_a_line(ctx: Any) -> Iterator[None]:
    from core.errors import UserError, in_a_line, refusal_of

    try:
        yield
        return
    except UserError as error:
        message, code = str(error), 2
    except UsageError as error:
        said, command = error.format_message(), (error.ctx or ctx).command_path
        message, code = f"{said}{'' if said[-1] in '.?' else '.'} See `{command} --help`.", 2
    except BrokenPipeError:
        raise  # whoever reads the output, such as `head`, has enough, which Typer takes quietly
    except OSError as error:
        message, code = f"{refusal_of(error)}. No file was left half-written.", 2
    except KeyboardInterrupt:
        message, code = "Stopped. The same command with --resume goes on from the last checkpoint.", 130
    # What the system or Typer says may quote names with characters that a terminal would obey.
    typer.echo(f"quartet: {in_a_line(message)}", err=True)
    raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    help="Quartet: text, vision, recommendation and speech, from raw data to a judged model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("list")(tasks.list_tasks)
for command in (
    tasks.show,
    training.train,
    training.evaluate,
    runs.predict,
    chat.chat,
    runs.explain,
    training.tune,
    runs.serve,
    runs.calibrate,
    runs.report,
    runs.export,
    training.benchmark,
    training.demo,
    tasks.doctor,
    tasks.ledger,
):
    app.command()(command)


def main() -> None:
    """Run the command line; what a terminal's encoding has no letter for is replaced."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
