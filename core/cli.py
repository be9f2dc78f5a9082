"""The commands; each imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from core.experiment import Experiment


class Commands(TyperGroup):
    """Tells a user's mistake in one or two lines and exits with code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        from core.errors import UserError

        try:
            return super().invoke(ctx)
        except UserError as error:
            message, code = str(error), 2
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            message, code = f"{error.strerror or error}{where}. No file was left half-written.", 2
        except KeyboardInterrupt:
            message, code = "Stopped. The same command with --resume goes on from the last checkpoint.", 130
        typer.echo(f"quartet: {message}", err=True)
        raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    help="Quartet: text, vision, recommendation and speech, from raw data to a judged model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task such as nlp/sentiment, a YAML file, or a run folder")
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Overrides, such as data=reviews.tsv fit.epochs=3"),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run")]


@app.command("list")
def list_tasks() -> None:
    """List the tasks and their variants."""
    from core.console import print_tasks
    from core.experiment import configurations

    print_tasks(configurations())


@app.command()
def show(task: TaskName, overrides: Overrides = None) -> None:
    """Show a task's resolved experiment and what each field means."""
    from core.console import print_experiment
    from core.experiment import load_experiment

    print_experiment(load_experiment(task, overrides or []))


@app.command()
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
    _quiet_tensorflow()
    from core.console import print_figures
    from core.training import train as train_experiment

    finished = train_experiment(experiment, folder, resume=resume, progress=True)
    print_figures(finished.metrics, experiment.task.headline)
    typer.echo(f"Run: {finished.folder}")


@app.command()
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
    from core.errors import UserError
    from core.experiment import load_experiment

    if folds is None:
        if group or by_time or folder or resume or overrides:
            raise UserError(
                "--group, --by-time, --folder, --resume and KEY=VALUE go with --folds. Received: no --folds."
            )
        from core.run import Run

        finished = Run(run)
        if data is not None:
            _quiet_tensorflow()
        from core.evaluation import evaluate as evaluate_run

        print_figures(evaluate_run(finished, data), finished.experiment.task.headline)
        return
    if data is not None:
        raise UserError(f"With --folds the data is an override: write data={data} instead of --data.")
    experiment = load_experiment(run, overrides or [])
    folder = folder or _run_folder(f"{run}-folds", experiment, resume)
    _quiet_tensorflow()
    from core.evaluation import cross_validate

    figures = cross_validate(
        experiment, folder, folds, group=group, by_time=by_time, resume=resume, progress=True
    )
    print_figures(figures, experiment.task.headline)
    typer.echo(f"Folds: {folder}")


@app.command()
def predict(
    run: RunFolder,
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[INPUT]...", help="Texts, paths or ids")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file with one input a line; '-' is standard input")
    ] = None,
) -> None:
    """Predict from raw inputs; one JSON line each."""
    from core.errors import UserError
    from core.run import Run
    from core.writing import to_json

    lines = list(inputs or [])
    if file is not None:
        lines += _lines_of(file)
    if not lines:
        raise UserError("Nothing to predict from: give inputs, or --file with one a line. Received: none.")
    finished = Run(run)
    _quiet_tensorflow()
    for answer in finished.experiment.task.predict(finished.model, finished.encoder, lines):
        typer.echo(to_json(answer))


@app.command()
def explain(
    run: RunFolder,
    value: Annotated[str, typer.Argument(metavar="INPUT", help="A text, a path or an id")],
    method: Annotated[
        str | None, typer.Option(help="integrated_gradients, occlusion or grad_cam, where the task knows it")
    ] = None,
    picture: Annotated[Path, typer.Option(help="Where the picture goes")] = Path("explanation.png"),
) -> None:
    """Tell why an input gets its answer: as JSON, and as a picture."""
    from core.run import Run
    from core.writing import to_json, written_whole

    finished = Run(run)
    _quiet_tensorflow()
    explanation = finished.experiment.task.explain(finished.model, finished.encoder, value, method)
    with written_whole(picture) as path:
        path.write_bytes(explanation.png())
    typer.echo(to_json(explanation.to_json()))
    typer.echo(f"Picture: {picture}", err=True)


@app.command()
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
    _quiet_tensorflow()
    from core.search.tables import SearchTable, print_outcome
    from core.tuning import join
    from core.tuning import tune as tune_experiment

    if worker:
        typer.echo(f"{join(search, folder, worker)} trials were run for the chief at {worker}.")
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


@app.command()
def serve(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Runs or folders of runs, each FOLDER or NAME=FOLDER"),
    ],
    host: Annotated[str, typer.Option(help="Address to bind to")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar="QUARTET_TOKEN", help="Requests must bear it; better given as QUARTET_TOKEN"),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that the server may be called by, besides localhost")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="An origin whose pages may call the server, as https://a.org")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Such as batching.wait=0.01 or limits.items=8"),
    ] = None,
) -> None:
    """Serve runs over HTTP, with a page to try them; newer runs take over without a pause."""
    from core.serving.settings import server_settings

    settings = server_settings(set_ or [])
    _quiet_tensorflow()
    from core.serving.server import serve as serve_runs

    serve_runs(
        runs,
        host=host,
        port=port,
        settings=settings,
        token=token,
        allow_hosts=allow_host or (),
        allow_origins=allow_origin or (),
    )


@app.command()
def calibrate(
    run: RunFolder,
    label: Annotated[
        str | None, typer.Option(help="Class that gets a threshold, by --recall or --miss-cost")
    ] = None,
    recall: Annotated[float | None, typer.Option(help="Share of its examples that must be found")] = None,
    miss_cost: Annotated[
        float | None, typer.Option(help="What it costs to miss one, where a false alarm costs 1")
    ] = None,
    abstain_below: Annotated[
        float | None, typer.Option(min=0, max=1, help="Mark answers of less confidence as abstained")
    ] = None,
) -> None:
    """Fit confidence, threshold and abstention on the validation part; `predict` uses them from then on."""
    from core.run import Run

    finished = Run(run)
    _quiet_tensorflow()
    from core.calibration import calibrated
    from core.console import print_calibration

    print_calibration(
        calibrated(finished, label=label, recall=recall, miss_cost=miss_cost, abstain_below=abstain_below)
    )


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN [RUN]...", help="Folders of finished runs")],
    to: Annotated[
        Path | None, typer.Option(help="The page; by default RUN/report.html, of several comparison.html")
    ] = None,
) -> None:
    """Write a page with figures, pictures and what most needs mending; of several runs, side by side."""
    from core.reporting import report_runs
    from core.run import Run

    page = report_runs([Run(run) for run in runs], to)
    typer.echo(f"Report: {page}")


@app.command()
def export(
    run: RunFolder,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="saved_model, onnx or litert; by default all")
    ] = None,
    quantize: Annotated[
        str | None, typer.Option(help="int8: weights as whole numbers of 8 bits, a quarter of the size")
    ] = None,
    max_loss: Annotated[
        float, typer.Option(min=0, help="Refuse a quantised export whose first figure is worse by more")
    ] = 0.01,
    to: Annotated[Path | None, typer.Option(help="Where they go; by default RUN/exports")] = None,
) -> None:
    """Write a run as SavedModel, ONNX and LiteRT, each checked against it, with their sizes and times."""
    from core.errors import UserError
    from core.exporting.formats import FORMATS
    from core.run import Run

    strange = [name for name in formats or [] if name not in FORMATS]
    if strange:
        raise UserError(f"--format must be one of {', '.join(FORMATS)}. Received: {', '.join(strange)}.")
    if quantize not in (None, "int8"):
        raise UserError(f"--quantize must be int8. Received: {quantize}.")
    finished = Run(run)
    _quiet_tensorflow()
    from core.console import print_exports
    from core.exporting.export import export_run

    chosen = [name for name in FORMATS if not formats or name in formats]
    table = export_run(finished, chosen, quantise="int8" if quantize else None, max_loss=max_loss, folder=to)
    print_exports(table, finished.experiment.task.headline[0], finished.folder)


@app.command()
def benchmark(
    task: TaskName,
    overrides: Overrides = None,
    steps: Annotated[int, typer.Option(min=1, help="How many steps to measure")] = 50,
) -> None:
    """Train for some steps and tell where their time goes, and what limits them."""
    from core.experiment import load_experiment

    experiment = load_experiment(task, overrides or [])
    _quiet_tensorflow()
    from core.benchmark import benchmark as measure
    from core.console import print_steps

    print_steps(measure(experiment, steps))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the runs go")] = Path("runs/demo"),
) -> None:
    """Train one task of each domain on its sample data and print the table."""
    import shutil

    from core.console import print_demo
    from core.experiment import configurations, load_experiment

    _quiet_tensorflow()
    from core.training import train as train_experiment

    names = ("nlp/sentiment", "vision/classification", "recommendation/ratings", "speech/commands")
    runs = {}
    for name in names:
        typer.echo(f"{name} ...", err=True)
        target = folder / name.replace("/", "-")
        if target.is_dir():
            shutil.rmtree(target)
        runs[name] = train_experiment(load_experiment(str(configurations()[name])), target, progress=True)
    print_demo(runs)


@app.command()
def doctor() -> None:
    """Show versions, backend, devices and precision, and what is missing."""
    _quiet_tensorflow()
    from core.console import print_findings
    from core.doctor import findings

    print_findings(findings())


def _run_folder(task: str, experiment: Experiment, resume: bool) -> Path:
    """Return a new folder under runs/; to resume, the newest that holds this experiment unfinished."""
    import time

    if resume:
        from core.run import newest_unfinished

        return newest_unfinished(Path("runs"), experiment)
    return Path("runs") / f"{_stem(task)}-{time.strftime('%Y%m%d-%H%M%S')}"


def _stem(task: str) -> str:
    return Path(task).stem if task.endswith((".yaml", ".yml")) else task.strip("/").replace("/", "-")


def _lines_of(file: Path) -> list[str]:
    from core.errors import UserError

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} can't be read as UTF-8 text: {error}.") from None
    return [line for line in text.splitlines() if line.strip()]


def _quiet_tensorflow() -> None:
    """Import TensorFlow without the lines that its native part prints."""
    import logging
    import os

    from core.devices import let_memory_grow
    from core.silence import native_silence

    let_memory_grow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_silence():
        import keras  # noqa: F401
    # It warns of the models that predict one after another, which is what a demo and a search do.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
