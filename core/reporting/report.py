"""From runs, or from answers and the truth, to a page, its figures, its pictures and a model card."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.canvas import png
from core.answers.classes import Classes
from core.answers.files import opened
from core.answers.kind import Answers
from core.answers.numbers import Numbers
from core.answers.reading import read_answers, read_rivals, rows_at
from core.data.licences import licence_of
from core.errors import UserError, damage_reported
from core.reporting.comparison import comparison_of, comparison_pictures
from core.reporting.figures import figures_of_answers, figures_of_run
from core.reporting.page import Mistake, Reported, card_of, page_of
from core.reporting.pictures import pictures_of
from core.writing import within, write_json, written_whole

if TYPE_CHECKING:
    from core.data.examples import Splits
    from core.run import Run

WITHOUT_DATA = "Without inputs and slices of the data, because {}."


def report_runs(runs: Sequence[Run], path: Path | None = None, *, with_data: bool = True) -> Path:
    """Write the report of runs as one page; of a single run a model card too, of several a comparison.

    In a folder beside the page, of its name without the suffix, stand its pictures and `figures.json`, which
    holds every number of it; the card is the run's `card.md`.

    Args:
        runs: Finished runs of one kind of task, each once.
        path: Of the page, with the suffix `.html`; by default `report.html` in the run folder, of several
            `comparison.html` in that of the first.
        with_data: Read the data that each run names, to show the inputs of its mistakes and its slices.

    Returns:
        The path of the page.

    Raises:
        UserError: A run is not finished, they can't be compared, or the page can't be written.
    """
    path = path or runs[0].folder / ("report.html" if len(runs) == 1 else "comparison.html")
    if path.suffix != ".html":
        raise UserError(f"A report is a page, whose name ends with .html. Received: {path}.")
    names = _names_of(runs)
    answers = [_answers_of(run) for run in runs]
    if len({each.kind if each else None for each in answers}) > 1:
        tasks = ", ".join(
            f"{name} ({type(run.experiment.task).__name__})" for name, run in zip(names, runs, strict=True)
        )
        raise UserError(f"Runs are compared that give the same kind of answer. Received: {tasks}.")
    reports = [
        reported_run(run, each, name, with_data=with_data)
        for run, each, name in zip(runs, answers, names, strict=True)
    ]
    if len(runs) > 1:
        _write_comparison(path, reports, comparison_of(names, [each.figures for each in reports], answers))
        return path
    with damage_reported(runs[0].folder):
        _write_page(path, reports[0])
    task = runs[0].experiment.task
    # A path that a run names is looked at no further where its data are not those of the training.
    licence = None if reports[0].notes else licence_of(task.data, task.sample_licence)
    with damage_reported(runs[0].folder):
        card = card_of(reports[0], licence)
    _write_text(runs[0].folder / "card.md", card)
    return path


def _names_of(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run: its folder's, with as much of the path as tells them apart."""
    paths = [run.folder.resolve() for run in runs]
    if len(set(paths)) < len(paths):
        raise UserError(
            f"A run can't be compared with itself. Received: {', '.join(str(run.folder) for run in runs)}."
        )
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _answers_of(run: Run) -> Answers | None:
    kind = run.experiment.task.gives
    with damage_reported(run.folder):
        return read_answers(run.folder / "predictions.jsonl", kind) if run.metrics else None


def reported_run(run: Run, answers: Answers | None, name: str, *, with_data: bool = True) -> Reported:
    """Return all that a page shows of a run.

    Args:
        run: A finished run.
        answers: What its `predictions.jsonl` holds.
        name: The headline.
        with_data: Read the data that the run names.
    """
    unread = WITHOUT_DATA.format("they were not to be read")
    splits, notes = _splits_of(run) if with_data else (None, [unread])
    columns = _columns_of(run, splits, answers)
    with damage_reported(run.folder):
        return _reported(run, answers, name, splits, columns, notes)


def _reported(
    run: Run,
    answers: Answers | None,
    name: str,
    splits: Splits | None,
    columns: Mapping[str, np.ndarray],
    notes: Sequence[str],
) -> Reported:
    task = run.experiment.task
    rivals = read_rivals(run.folder / "baseline.jsonl", task.gives)
    figures = {**figures_of_run(run, answers, rivals, columns), "run": name}
    examples = splits.test if splits else None
    mistakes = [
        _mistake(task.gives, row, task.shown(row, examples, run.encoder))
        for row in _rows_of(run, figures["mistakes"])
        if task.gives is not None
    ]
    return Reported(figures, pictures_of(figures, task.gives), task.gives, mistakes, notes)


def _rows_of(run: Run, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return rows of a run with the pictures, sounds and arrays that it kept as files."""
    rows = rows_at(run.folder / "predictions.jsonl", places)
    return [
        opened(row, run.folder / "answers", f"predictions-{place}", beside=run.folder)
        for place, row in zip(places, rows, strict=True)
    ]


def _mistake(kind: type[Answers], row: Mapping[str, Any], example: Mapping[str, Any]) -> Mistake:
    return Mistake(row, kind.shown(row, example))


def _splits_of(run: Run) -> tuple[Splits | None, list[str]]:
    from core.run_data import reloaded

    try:
        return reloaded(run), []
    except (UserError, OSError):
        # What is wrong with them may quote them, and a page goes further than whoever may read the data.
        why = "they can't be read as those of its training; `quartet calibrate` and `export` say why"
        return None, [WITHOUT_DATA.format(why)]


def _columns_of(run: Run, splits: Splits | None, answers: Answers | None) -> dict[str, np.ndarray]:
    if splits is None or answers is None:
        return {}
    columns = run.experiment.task.slices(splits, run.encoder)
    return {
        name: column
        for name, column in columns.items()
        if len(column) == len(answers) and not np.array_equal(column, answers.truth)
    }


def report(
    y_true: Any,
    y_pred: Any,
    path: Path | str = "report.html",
    *,
    labels: Sequence[str] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    name: str = "Report",
) -> dict[str, Any]:
    """Judge any model's answers, and write one page with their figures, curves and worst mistakes.

    Args:
        y_true: Class indices or, with `labels`, their names, shape `(num_examples,)`; or numbers as floats.
        y_pred: Probabilities, shape `(num_examples, num_classes)`, or those of the second of two classes,
            shape `(num_examples,)`; or the predicted numbers.
        path: Of the page. A folder beside it, of its name without the suffix, gets the figures as
            `figures.json` and the pictures.
        labels: Names of the classes; by default their indices.
        inputs: Name to a value an example, shown beside the mistakes: texts, numbers, pictures (uint8
            `(height, width, channels)`), `core.reporting.Sound`.
        columns: Name to a value an example, by which results are told apart.
        name: The headline.

    Returns:
        The figures, as `figures.json` holds them.

    Raises:
        ValueError: The shapes don't fit.

    Example:

    >>> import tempfile
    >>> page = Path(tempfile.mkdtemp()) / "report.html"
    >>> figures = report([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], page)
    >>> round(figures["figures"][0]["value"], 4), page.exists()
    (0.6667, True)
    """
    answers = _answers_from(y_true, y_pred, labels)
    column_values = {column: np.asarray(values) for column, values in (columns or {}).items()}
    for column, values in {**column_values, **(inputs or {})}.items():
        if len(values) != len(answers):
            raise ValueError(
                f"{column} must have a value for each of {len(answers)} examples. Received: {len(values)}."
            )
    figures = figures_of_answers(answers, column_values, name)
    mistakes = [
        _mistake(
            type(answers),
            answers.row(place),
            {key: values[place] for key, values in (inputs or {}).items()},
        )
        for place in figures["mistakes"]
    ]
    _write_page(Path(path), Reported(figures, pictures_of(figures, type(answers)), type(answers), mistakes))
    return figures


def _answers_from(y_true: Any, y_pred: Any, labels: Sequence[str] | None) -> Classes | Numbers:
    truth, answers = np.asarray(y_true), np.asarray(y_pred, np.float64)
    if truth.dtype.kind == "f" and truth.shape == answers.shape and truth.ndim == 1 and len(truth):
        return Numbers(truth, answers)
    if answers.ndim == 1:
        answers = np.stack([1 - answers, answers], axis=1)
    if answers.ndim != 2 or len(truth) != len(answers) or not len(truth):
        raise ValueError(
            "y_true must be of shape (num_examples,), and y_pred too or of (num_examples, num_classes). "
            f"Received: {np.shape(y_true)} and {np.shape(y_pred)}."
        )
    if answers.min() < 0 or not np.allclose(answers.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "y_pred must hold probabilities, or y_true floats where numbers are predicted. Take the softmax "
            f"of logits. Received: values from {answers.min():.4g} to {answers.max():.4g}."
        )
    names = [str(label) for label in labels or range(answers.shape[1])]
    if len(names) != answers.shape[1]:
        raise ValueError(
            f"labels must name the {answers.shape[1]} columns of y_pred. Received: {len(names)} labels."
        )
    if truth.dtype.kind not in "iub":
        strange = sorted(set(truth.astype(str)) - set(names))
        if strange:
            raise ValueError(f"y_true must hold class indices or names in labels. Received: {strange[:3]}.")
        truth = np.array([names.index(str(label)) for label in truth])
    if truth.min() < 0 or truth.max() >= len(names):
        raise ValueError(f"y_true must be from 0 to {len(names) - 1}. Received: up to {truth.max()}.")
    return Classes(names, truth.astype(np.int64), answers)


def _write_page(path: Path, reported: Reported) -> None:
    with _folder_beside(path) as folder:
        write_json(folder / "figures.json", reported.figures)
        _write_pictures(folder, reported.pictures)
        _write_text(path, page_of([reported]))


def _write_comparison(path: Path, reports: Sequence[Reported], comparison: Mapping[str, Any]) -> None:
    drawn = {name: png(figure) for name, figure in comparison_pictures(comparison).items() if figure}
    with _folder_beside(path) as folder:
        trees = {"comparison": comparison, "runs": [each.figures for each in reports]}
        write_json(folder / "figures.json", trees)
        _write_pictures(folder, drawn)
        for place, each in enumerate(reports, start=1):
            below = within(folder, folder / f"run{place}")
            below.mkdir(exist_ok=True)
            _write_pictures(below, each.pictures)
        _write_text(path, page_of(reports, comparison, drawn))


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """Give the folder of a page's figures; say plainly what can't be written there."""
    folder = within(path.parent, path.with_suffix(""))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        raise UserError(f"The report {path} can't be written: {error.strerror or error}.") from None


def _write_pictures(folder: Path, pictures: Mapping[str, bytes]) -> None:
    for name, picture in pictures.items():
        with written_whole(folder / f"{name}.png") as temporary:
            temporary.write_bytes(picture)


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
