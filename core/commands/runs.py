"""What is done with finished runs: asked, explained, calibrated, reported, exported and served."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.arguments import Data, RunFolder
from core.silence import import_quietly

if TYPE_CHECKING:
    from core.inputs.reading import Line
    from core.run import Run
    from core.task.contract import Options


def predict(
    run: RunFolder,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT]...", help="Texts, paths, ids or rows, as the task takes"),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A table with named columns, JSON lines, or an input a line; '-' is standard input"
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Of the answers, where the task has options: temperature=0.7"),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="A folder for answers that are pictures, sounds or arrays")
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show an answer as it grows")] = False,
) -> None:
    """Predict from raw inputs; one JSON line each, with the line of the file that it answers."""
    from core.errors import UserError
    from core.inputs import joined
    from core.inputs.reading import Line, read_inputs
    from core.run import Run

    if not inputs and file is None:
        raise UserError("Nothing to predict from: give inputs, or --file with one a line. Received: none.")
    finished = Run(run)
    if stream:
        finished.require("stream")
    task, options = finished.experiment.task, options_of(finished, option or [])
    name, kind = joined(task.inputs(finished.encoder)) if task.takes else ("input", None)
    lines = [Line(0, kind.typed(text) if kind else text) for text in inputs or []]
    if file is not None:
        if kind is None:
            raise UserError(f"{type(task).__name__} does not say what it takes, so no file can be read.")
        lines += read_inputs(file, kind, name)
    import_quietly()
    if stream:
        for line in lines:
            for state in task.stream(finished.model, finished.encoder, line.value, options):
                _print_answer(state, line, to)
        return
    values = [line.value for line in lines]
    answers = task.predict(finished.model, finished.encoder, values, options)
    for place, (line, answer) in enumerate(zip(lines, answers, strict=True)):
        if to is not None and task.gives is not None:
            picture = task.gives.drawn(answer, line.value)
            answer = answer if picture is None else {**answer, "drawn": picture}
        _print_answer(answer, line, to, place)


def options_of(run: Run, written: list[str]) -> Options | None:
    """Return what is asked of the answers; nothing where nothing is."""
    from core.errors import UserError
    from core.settings import parsed_override, validated, with_override

    kind = run.experiment.task.options
    if not written:
        return None
    if not kind.model_fields:
        raise UserError(f"{type(run.experiment.task).__name__} has no options. Received: {written[0]}.")
    tree: dict[str, Any] = {}
    for text in written:
        tree = with_override(tree, *parsed_override(text), kind)
    return validated(kind, tree, "option")


def _print_answer(answer: dict[str, Any], line: Line, to: Path | None, place: int = 0) -> None:
    from core.answers.files import holds_files, kept
    from core.errors import UserError
    from core.writing import to_json

    if holds_files(answer):
        if to is None:
            raise UserError(
                "These answers are pictures, sounds or arrays: say with --to FOLDER where they go."
            )
        answer = kept(answer, to, f"answer-{line.number or place + 1}", beside=to.parent)
    typer.echo(_printable(to_json({"line": line.number, **answer} if line.number else answer)))


def explain(
    run: RunFolder,
    value: Annotated[str, typer.Argument(metavar="INPUT", help="As `predict` takes it")],
    method: Annotated[
        str | None, typer.Option(help="integrated_gradients, occlusion or grad_cam, where the task knows it")
    ] = None,
    picture: Annotated[Path, typer.Option(help="Where the picture goes")] = Path("explanation.png"),
) -> None:
    """Tell why an input gets its answer: as JSON, and as a picture."""
    from core.inputs import joined
    from core.run import Run
    from core.writing import to_json, written_whole

    finished = Run(run)
    finished.require("explain")
    import_quietly()
    task = finished.experiment.task
    _, kind = joined(task.inputs(finished.encoder))
    explanation = task.explain(finished.model, finished.encoder, kind.typed(value), method)
    with written_whole(picture) as path:
        path.write_bytes(explanation.png())
    typer.echo(_printable(to_json(explanation.to_json())))
    typer.echo(f"Picture: {picture}", err=True)


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
    data: Data = None,
) -> None:
    """Fit confidence, threshold and abstention on the validation part; `predict` uses them from then on."""
    from core.run import Run

    finished = Run(run).on_data(data)
    import_quietly()
    from core.console import print_calibration, tell_reading
    from core.training.calibrating import calibrated

    tell_reading(finished)

    print_calibration(
        calibrated(finished, label=label, recall=recall, miss_cost=miss_cost, abstain_below=abstain_below)
    )


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN [RUN]...", help="Folders of finished runs")],
    to: Annotated[
        Path | None, typer.Option(help="The page; by default RUN/report.html, of several comparison.html")
    ] = None,
    data: Data = None,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Read no data, and so show no inputs and no slices")
    ] = False,
) -> None:
    """Write a page with figures, pictures and what most needs mending; of several runs, side by side."""
    from core.console import tell_reading
    from core.errors import UserError
    from core.reporting import report_runs
    from core.run import Run

    if data is not None and (no_data or len(runs) > 1):
        raise UserError(f"--data goes with one run, and without --no-data. Received: --data {data}.")
    shown = [Run(run).on_data(data) for run in runs]
    for each in () if no_data else shown:
        tell_reading(each)
    page = report_runs(shown, to, with_data=not no_data)
    typer.echo(f"Report: {page}")


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
    data: Data = None,
) -> None:
    """Write a run as SavedModel, ONNX and LiteRT, each checked against it, with their sizes and times."""
    from core.errors import UserError
    from core.run import Run
    from core.task.portable import FORMATS

    strange = [name for name in formats or [] if name not in FORMATS]
    if strange:
        raise UserError(f"--format must be one of {', '.join(FORMATS)}. Received: {', '.join(strange)}.")
    if quantize not in (None, "int8"):
        raise UserError(f"--quantize must be int8. Received: {quantize}.")
    finished = Run(run).on_data(data)
    import_quietly()
    from core.console import print_exports, tell_reading
    from core.exporting.export import export_run

    tell_reading(finished)

    chosen = [name for name in FORMATS if not formats or name in formats]
    table = export_run(finished, chosen, quantise="int8" if quantize else None, max_loss=max_loss, folder=to)
    print_exports(table, finished.experiment.task.headline() or "", finished.folder)


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
    public_page: Annotated[
        bool, typer.Option("--public-page", help="Show the page without the token, for which it then asks")
    ] = False,
    root_path: Annotated[
        str | None, typer.Option(help="Path under which a proxy shows the server, such as /models")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Such as batching.wait=0.01 or limits.items=8"),
    ] = None,
) -> None:
    """Serve runs over HTTP, with a page to try them; newer runs take over without a pause."""
    from core.serving.settings import server_settings

    settings = server_settings([*(set_ or []), *([] if root_path is None else [f"root_path={root_path}"])])
    import_quietly()
    from core.serving.server import serve as serve_runs

    serve_runs(
        runs,
        host=host,
        port=port,
        settings=settings,
        token=token,
        allow_hosts=allow_host or (),
        allow_origins=allow_origin or (),
        public_page=public_page,
    )


def _printable(line: str) -> str:
    """Return JSON that says the same in letters that standard output has."""
    import json

    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return json.dumps(json.loads(line))
    return line
