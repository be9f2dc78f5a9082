"""What a person sees of a search: the trials while it runs, and the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from core.console import console
from core.search.definition import Search, TrialRecord, best_of
from core.wording import counted, number


class SearchTable:
    """A search's trials while it runs, on standard error: a live table, or in a log file a line a trial.

    Args:
        search: Whose trials they are.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.console = Console(stderr=True, markup=False, highlight=False)
        self.live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        self._printed: set[str] = set()

    def __enter__(self) -> SearchTable:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self.live:
            self.live.stop()

    def show(self, records: list[TrialRecord], elapsed: float) -> None:
        """Show the trials as they stand after so many seconds."""
        if self.live:
            self.live.update(self._table(records, elapsed), refresh=True)
            return
        for record in records:
            if record.status != "running" and record.name not in self._printed:
                self._printed.add(record.name)
                self.console.print("  ".join(self._cells(record)), soft_wrap=True)

    def _table(self, records: list[TrialRecord], elapsed: float) -> Table:
        goal = self.search.objectives[0]
        best = best_of(records, goal)
        running = [record for record in records if record.status == "running"]
        ended = [record for record in records if record.status != "running"]
        title = f"{counted(len(records), 'trial')} in {elapsed / 60:.1f} min"
        if best is not None:
            title += f", best {goal.name} {best.score(goal):.4f} (trial {best.name})"
        names = ["trial", "status", *(goal.name for goal in self.search.objectives), "epochs", "seconds"]
        table = Table(*names, "values", "", title=title)
        most = max(self.console.height - 8, 5)
        for record in [*ended[-max(most - len(running), 1) :], *running]:
            table.add_row(*self._cells(record), style="bold" if record is best else "")
        return table

    def _cells(self, record: TrialRecord) -> list[str]:
        measures = [record.measures.get(goal.name) for goal in self.search.objectives]
        values = ", ".join(f"{path.partition('.')[2]} {value}" for path, value in record.values.items())
        return [
            record.name,
            record.status,
            *("" if measure is None else number(measure) for measure in measures),
            f"{record.measures.get('epochs', 0):.0f}",
            f"{record.measures.get('seconds', 0):.1f}",
            values,
            record.reason,
        ]


def print_outcome(outcome: Mapping[str, Any]) -> None:
    """Print what a search found: the best values beside the configuration's own, and what was spared."""
    screen = console()
    table = Table("", "own", "best")
    for path, value in outcome["best"]["values"].items():
        table.add_row(path, str(outcome["own"]["values"].get(path, "")), str(value))
    table.add_section()
    for part in ("validation", "test"):
        for name in outcome["best"][part]:
            figures = (number(outcome[who][part].get(name)) for who in ("own", "best"))
            table.add_row(f"{part} {name}" if part == "test" else name, *figures)
    if "parameters" not in outcome["objectives"]:
        table.add_row("parameters", *(f"{outcome[who]['parameters']:,}" for who in ("own", "best")))
    screen.print(table)
    if "pareto" in outcome:
        front = Table("trial", *outcome["objectives"], "values", title="Pareto front: none is better in both")
        for row in outcome["pareto"]:
            values = ", ".join(f"{path.partition('.')[2]} {value}" for path, value in row["values"].items())
            front.add_row(row["trial"], *(number(row[name]) for name in outcome["objectives"]), values)
        screen.print(front)
    counts = ", ".join(f"{count} {status}" for status, count in outcome["trials"].items())
    spared = outcome["stopped_early"]
    summary = f"Trials: {counts}, in {outcome['seconds']:.0f} s; ended because {outcome['ended_because']}."
    if spared["trials"]:
        summary += f" {spared['trials']} stopped early spared {counted(round(spared['epochs']), 'epoch')}, "
        summary += f"{spared['seconds']:.0f} s."
    screen.print(summary, soft_wrap=True)
    screen.print(f"Best run: {outcome['best']['run']}", soft_wrap=True)
