"""The tables that commands print."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table

from core.errors import UserError
from core.winning_rival import winning_rival
from core.wording import number

if TYPE_CHECKING:
    from core.answers import kind as answers
    from core.answers.calibration import Calibration
    from core.experiment import Experiment
    from core.ledger import Ledger
    from core.run import Run
    from core.task.contract import Task
    from core.training.benchmark import StepReport


def console() -> Console:
    """Return a console that prints text as it is: a bracket in a value is no markup."""
    return Console(markup=False, highlight=False)


def tell_reading(run: Run) -> None:
    """Say on standard error which data a run has read, before they are: a run folder may be a stranger's.

    Raises:
        UserError: They are a device or a pipe, which may never end.
    """
    data = Path(run.experiment.task.data)
    if data.exists() and not data.is_file() and not data.is_dir():
        raise UserError(f"The data of {run.folder} are neither a file nor a folder. Received: {data}.")
    Console(markup=False, highlight=False, stderr=True).print(
        f"Reading the data of {run.folder}: {run.experiment.task.data}", soft_wrap=True
    )


def print_tasks(ledgers: Mapping[str, Ledger]) -> None:
    """Print the name of each configuration, and what it was first measured to reach beside its best rival."""
    screen = console()
    narrow = screen.width < 110  # where names of figures and rivals give way to those of tasks
    table = Table(
        Column("task", no_wrap=True),
        Column("figure", no_wrap=True, max_width=7 if narrow else None),
        Column("model", no_wrap=True),
        Column("best rival", no_wrap=True, max_width=7 if narrow else None),
        Column(no_wrap=True),
    )
    for name, ledger in ledgers.items():
        if not ledger.entries:
            table.add_row(name)
            continue
        entry = ledger.entries[0]
        figure, value = entry.headline
        rival, rival_value = entry.best_rival(ledger.direction) or ("", "")
        table.add_row(name, figure, str(value).split(" ±")[0], rival, str(rival_value))
    screen.print(table)


def print_experiment(experiment: Experiment) -> None:
    """Print the resolved values of an experiment with what each field means and may be."""
    table = Table("key", "value", "meaning")
    for part in ("task", "fit", "audit"):
        settings = getattr(experiment, part)
        for name, field in type(settings).model_fields.items():
            meaning = field.description or ""
            table.add_row(f"{part}.{name}", str(getattr(settings, name)), meaning + _allowed(field))
        table.add_section()
    for path, space in experiment.tune.items():
        table.add_row(f"tune.{path}", str(space), "search space")
    console().print(table)
    for entry in experiment.ledger:
        console().print(f"Measured: {entry}", soft_wrap=True)


def _allowed(field: Any) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in signs.items()
        if hasattr(rule, name)
    ]
    choices = [str(value) for value in getattr(field.annotation, "__args__", ()) if isinstance(value, str)]
    return f" ({', '.join(bounds or choices)})" if bounds or choices else ""


def print_figures(metrics: Mapping[str, Any], task: Task) -> None:
    """Print the figures of a run or of folds beside its rivals', how they were measured, and if a rival wins.

    Args:
        metrics: What `metrics.json` or `folds.json` holds.
        task: Which figures come first, and which table follows them.
    """
    kind = task.gives
    columns = {"model": metrics["test"], **metrics["baseline"]}
    table = Table("figure", *columns)
    for name in _figure_names(metrics["test"], tuple(task.figures)):
        table.add_row(name, *(number(figures.get(name)) for figures in columns.values()))
    screen = console()
    screen.print(table)
    below = kind.table(metrics["test"]) if kind else None
    if below is not None:
        screen.print(_table(below))
    screen.print(f"Protocol: {metrics['protocol']}", soft_wrap=True)
    for note in metrics.get("data", {}).get("notes", ()):
        screen.print(f"Note: {note}", soft_wrap=True)
    if "seconds" in metrics:
        spent = ", ".join(f"{name} {value:.1f} s" for name, value in metrics["seconds"].items())
        rates = (
            [f"{metrics['examples_per_second']:.0f} examples/s"] if "examples_per_second" in metrics else []
        )
        rates += (
            [f"{metrics['data_wait_share']:.1%} of it waiting for data"]
            if "data_wait_share" in metrics
            else []
        )
        screen.print(f"Time: {spent}; {', '.join(rates)}", soft_wrap=True)
    lost = winning_rival(metrics, task.figures)
    if lost is not None:
        screen.print(lost, soft_wrap=True)


def _figure_names(figures: Mapping[str, Any], headline: tuple[str, ...]) -> list[str]:
    tables = {name for name, value in figures.items() if _is_table(value)}
    names = [name for name in figures if name not in headline and name not in tables]
    return [name for name in headline if name in figures] + names


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and "mean" not in value


def _table(shown: answers.Table) -> Table:
    table = Table(*shown.header, title=shown.title or None)
    for row in shown.rows:
        table.add_row(*row)
    return table


def print_calibration(calibration: Calibration) -> None:
    """Print what a calibration does to the validation part."""
    chosen = calibration.validation
    table = Table("figure", "as trained", "calibrated")
    for name, value in chosen["before"].items():
        table.add_row(name, number(value), number(chosen["after"][name]))
    screen = console()
    screen.print(table)
    screen.print(f"Temperature {calibration.temperature:.4f}, on {chosen['examples']} validation examples")
    if calibration.label is not None:
        decision_figures = ", ".join(f"{name} {value:.4f}" for name, value in chosen["decision"].items())
        screen.print(
            f"{calibration.label} is predicted from a probability of {calibration.threshold:.4f}: "
            f"{decision_figures}",
            soft_wrap=True,
        )
    if calibration.abstain_below is not None:
        answered, right = chosen["abstention"].values()
        screen.print(
            f"Abstains below {calibration.abstain_below}: {answered:.1%} answered, "
            f"accuracy of these {number(right)}"
        )


def print_demo(runs: Mapping[str, Run]) -> None:
    """Print one line a run: its first figure, the best rival's, and the time it took."""
    table = Table("task", "figure", "model", "best rival", "", "seconds")
    for name, run in runs.items():
        metrics, task = run.metrics, run.experiment.task
        figure = next(iter(task.figures))
        rivals = {
            rival: figures[figure] for rival, figures in metrics["baseline"].items() if figure in figures
        }
        best = (min if task.figures[figure] == "min" else max)(rivals, key=rivals.__getitem__, default="")
        seconds = sum(metrics["seconds"].values())
        rival_figure = number(rivals.get(best))
        table.add_row(name, figure, number(metrics["test"][figure]), best, rival_figure, f"{seconds:.0f}")
    console().print(table)
    for run in runs.values():
        console().print(f"{run.folder}: {run.metrics['protocol']}", soft_wrap=True)


def print_findings(findings: Mapping[str, str]) -> None:
    """Print what the doctor found, one line a subject."""
    table = Table("subject", "finding")
    for subject, finding in findings.items():
        table.add_row(subject, finding)
    console().print(table)


def print_exports(table: Mapping[str, Any], figure: str, folder: Path) -> None:
    """Print the sizes, times and figures of a run's exports beside those of its Keras model.

    Args:
        table: What `export_run` returned.
        figure: The name of the figure to show.
        folder: Of the run.
    """
    shown = Table(Column(no_wrap=True), "MB", "ms for 1", "ms for 32", figure, "loss", "differs by")
    for row in ({"name": "keras", **table["model"]}, *table["exports"]):
        difference = row.get("largest_difference")
        compared = [
            f"{row['loss']:z.4f}" if "loss" in row else "",
            "" if difference is None else f"{difference:.1g}",
        ]
        times = (f"{milliseconds:.2f}" for milliseconds in row["milliseconds"].values())
        value = f"{row['figures'][figure]:.4f}"
        shown.add_row(row["name"], f"{row['bytes'] / 1e6:.2f}", *times, value, *compared)
    console().print(shown)
    for kind, reason in table["refused"].items():
        console().print(f"No {kind}: {reason}", soft_wrap=True)
    for row in table["exports"]:
        console().print(f"Export: {folder / row['folder']}", soft_wrap=True)


def print_steps(report: StepReport) -> None:
    """Print what the steps of a training were measured to be."""
    table = Table(show_header=False)
    times = ", ".join(f"{name} {time:.1f}" for name, time in report.milliseconds.items())
    if report.examples_per_second:
        table.add_row("examples a second", f"{report.examples_per_second:,.0f}")
    table.add_row("ms a step", f"{times}; {report.steps} steps")
    if report.shares:
        table.add_row(
            "share of a step", ", ".join(f"{name} {share:.0%}" for name, share in report.shares.items())
        )
    if report.gigaflops:
        used = f"{report.gigaflops:,.0f}, {report.gigaflops / report.possible_gigaflops:.0%} of them"
        table.add_row("GFLOP/s achieved", used)
    table.add_row("GFLOP/s possible", f"{report.possible_gigaflops:,.0f}, by a large matrix product")
    if report.peak_megabytes:
        table.add_row("peak memory", f"{report.peak_megabytes:,.0f} MB")
    console().print(table)
    console().print(report.limit, soft_wrap=True)
