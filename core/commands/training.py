"""What trains: one task, a task on folds, a search, a few steps to measure, and a first look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.arguments import Overrides, TaskName
from core.silence import import_quietly

if TYPE_CHECKING:
    from core.experiment import Experiment


def train(
    task: TaskName,
    overrides: Overrides = None,
    run: Annotated[
        Path | None, typer.Option(help="The run folder to make; by default runs/<task>-<time>")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off")] = False,
) -> None:
    """Train a task, judge it on its test part beside a baseline, and keep it all in a run folder."""
    from core.experiment import load_experiment

    experiment = load_experiment(task, overrides or [])
    folder = run or _run_folder(task, experiment, resume)
    import_quietly()
    from core.console import print_figures
    from core.training.train import train as train_experiment

    finished = train_experiment(experiment, folder, resume=resume, progress=True)
    print_figures(finished.metrics, experiment.task)
    typer.echo(f"Run: {finished.folder}")


def evaluate(
    run: Annotated[
        str, typer.Argument(metavar="RUN_OR_TASK", help="A finished run; with --folds, a task or YAML file")
    ],
    overrides: Overrides = None,
    data: Annotated[
        str | None, typer.Option(help="Judge on this data instead of the run's own test part")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Train and judge so many times on folds of the data")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values are kept on one side of a fold")
    ] = None,
    by_time: Annotated[
        str | None, typer.Option(help="Column of time: judge each fold on what comes after it")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Where the folds' runs go")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the folds that are finished")] = False,
) -> None:
    """Show a run's figures beside its baseline's, judge it on other data, or judge a task by folds."""
    from core.console import print_figures
    from core.errors import UserError, damage_reported
    from core.experiment import load_experiment

    if folds is None:
        if group or by_time or folder or resume or overrides:
            raise UserError(
                "--group, --by-time, --folder, --resume and KEY=VALUE go with --folds. Received: no --folds."
            )
        from core.run import Run

        finished = Run(run)
        if data is not None:
            import_quietly()
        from core.training.evaluation import evaluate as evaluate_run

        figures = evaluate_run(finished, data)
        with damage_reported(run):
            print_figures(figures, finished.experiment.task)
        return
    if data is not None:
        raise UserError(f"With --folds the data is an override: write data={data} instead of --data.")
    experiment = load_experiment(run, overrides or [])
    folder = folder or _folds_folder(run, experiment, resume)
    import_quietly()
    from core.training.folds import cross_validate

    figures = cross_validate(
        experiment, folder, folds, group=group, by_time=by_time, resume=resume, progress=True
    )
    print_figures(figures, experiment.task)
    typer.echo(f"Folds: {folder}")


def tune(
    task: TaskName,
    overrides: Overrides = None,
    strategy: Annotated[str, typer.Option(help="bayesian, random, grid or hyperband")] = "bayesian",
    trials: Annotated[int, typer.Option(min=1, help="At most so many trials")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0, help="At most so long, by the clock")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs a trial")] = None,
    max_parameters: Annotated[int | None, typer.Option(min=1, help="Refuse larger models")] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="A figure of the training, or two apart by a comma: val_loss,parameters"),
    ] = None,
    folds: Annotated[int | None, typer.Option(min=2, help="Judge a trial by so many folds")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Trials at a time on this machine")] = 1,
    chief: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Share the search with workers on other machines")
    ] = None,
    worker: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Run trials for the chief at this address")
    ] = None,
    stop_poor: Annotated[bool, typer.Option(help="Stop trials that fall behind the median")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the proposals")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Of the search; by default runs/<task>-search")] = None,
) -> None:
    """Search the space in a task's `tune:` section; the same command goes on with one that was cut off."""
    from core.errors import UserError
    from core.experiment import load_experiment
    from core.search.definition import Budget, Search, objectives_of

    changed = [*(overrides or []), *([f"fit.epochs={epochs}"] if epochs else [])]
    experiment = load_experiment(task, changed)
    search = Search(
        experiment,
        strategy,  # type: ignore[arg-type]
        objectives_of(experiment, objective),
        folds=folds,
        max_parameters=max_parameters,
        stop_poor=stop_poor,
        seed=seed,
    )
    folder = folder or Path("runs") / f"{_stem(task)}-search"
    if not workers and not chief:
        raise UserError(
            "--workers 0 leaves all trials to others, and needs --chief HOST:PORT. Received: no chief."
        )
    import_quietly()
    from core.commands.search_tables import SearchTable, print_outcome
    from core.search.tuning import join
    from core.search.tuning import tune as tune_experiment
    from core.wording import counted

    if worker:
        trials_run = counted(join(search, folder, worker), "trial was run", "trials were run")
        typer.echo(f"{trials_run} for the chief at {worker}.")
        return
    try:
        with SearchTable(search) as table:
            outcome = tune_experiment(
                search, folder, Budget(trials, minutes), workers=workers, chief=chief, watch=table.show
            )
    except KeyboardInterrupt:
        typer.echo(f"quartet: Stopped. {folder} holds what was found; the same command goes on.", err=True)
        raise typer.Exit(130) from None
    print_outcome(outcome)
    typer.echo(f"Search: {folder}")


def benchmark(
    task: TaskName,
    overrides: Overrides = None,
    steps: Annotated[int, typer.Option(min=1, help="How many steps to measure")] = 50,
) -> None:
    """Train for some steps and tell where their time goes, and what limits them."""
    from core.experiment import load_experiment

    experiment = load_experiment(task, overrides or [])
    import_quietly()
    from core.console import print_steps
    from core.training.benchmark import benchmark as measure

    print_steps(measure(experiment, steps))


def demo(
    folder: Annotated[Path, typer.Option(help="Where the runs go")] = Path("runs/demo"),
) -> None:
    """Train the tasks whose configurations say `demo: true` on their sample data, and print the table."""
    import shutil

    from core.console import print_demo
    from core.experiment import configurations, load_experiment

    import_quietly()
    from core.training.train import train as train_experiment

    runs = {}
    for name, path in configurations().items():
        experiment = load_experiment(str(path))
        if not experiment.demo:
            continue
        typer.echo(f"{name} ...", err=True)
        target = folder / name.replace("/", "-")
        if target.is_dir():
            shutil.rmtree(target)
        runs[name] = train_experiment(experiment, target, progress=True)
    print_demo(runs)


def _run_folder(task: str, experiment: Experiment, resume: bool) -> Path:
    """Return a new folder under runs/; to resume, the newest that holds this experiment unfinished."""
    import time

    if resume:
        from core.run import newest_unfinished

        return newest_unfinished(Path("runs"), experiment)
    return Path("runs") / f"{_stem(task)}-{time.strftime('%Y%m%d-%H%M%S')}"


def _folds_folder(task: str, experiment: Experiment, resume: bool) -> Path:
    """Return a new folder under runs/; to resume, the newest whose folds are of this experiment."""
    if resume:
        from core.training.fold_folders import newest_unfinished_folds

        return newest_unfinished_folds(Path("runs"), experiment)
    return _run_folder(f"{task}-folds", experiment, resume)


def _stem(task: str) -> str:
    return Path(task).stem if task.endswith((".yaml", ".yml")) else task.strip("/").replace("/", "-")
