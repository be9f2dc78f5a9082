"""What there is before any training: the tasks, their settings, and the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.commands.arguments import Overrides, TaskName
from core.silence import import_quietly


def list_tasks() -> None:
    """List the tasks and their variants, with what each reaches beside its best rival."""
    from core.console import print_tasks
    from core.experiment import shipped_ledgers

    print_tasks(shipped_ledgers())


def show(task: TaskName, overrides: Overrides = None) -> None:
    """Show a task's resolved experiment and what each field means."""
    from core.console import print_experiment
    from core.experiment import load_experiment

    print_experiment(load_experiment(task, overrides or []))


def doctor() -> None:
    """Show versions, backend, devices and precision, and what is missing."""
    import_quietly()
    from core.commands.doctor import findings
    from core.console import print_findings

    print_findings(findings())


def ledger(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Markdown files with such tables")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a table is old")] = False,
) -> None:
    """Make the tables of Markdown files anew from the ledgers of the configurations."""
    from core.errors import UserError
    from core.experiment import shipped_ledgers
    from core.ledger_tables import with_tables
    from core.writing import written_whole

    ledgers = shipped_ledgers()
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            renewed = with_tables(text, ledgers)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file} can't be read as UTF-8 text: {error}.") from None
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        if renewed == text:
            continue
        if check:
            raise UserError(f"Tables differ from the ledgers: run `quartet ledger {file}`. Received: {file}.")
        with written_whole(file) as path:
            path.write_text(renewed, encoding="utf-8")
        typer.echo(f"Written: {file}")
