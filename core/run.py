"""A run: one folder, the only thing that commands hand to each other."""

from __future__ import annotations

import contextlib
import csv
import itertools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.answers.calibration import Calibration
from core.answers.files import holds_files, kept
from core.answers.rows import Write
from core.errors import UserError
from core.experiment import Experiment, absolute_source, built, load_experiment
from core.settings import Settings, shown, validated
from core.task.contract import Ability, Encoder
from core.writing import cell, parsed_json, to_json, within, write_json, written_whole

if TYPE_CHECKING:
    import keras


Kind = TypeVar("Kind", bound=Settings)


class Run:
    """The folder of one training; each of its files is written whole or not at all.

    `experiment.yaml`, `audit.json`, `encoder.json`, `compilation.json`, `model.keras`, `history.csv`,
    `predictions.jsonl`, `baseline.jsonl`, `metrics.json`, `logs/`, and `checkpoints/` while it is under way.
    `metrics.json` comes last: where it stands, the run is finished. `calibration.json`, `report.html`,
    `report/`, `card.md`, `exports/` and `exports.json` may follow.

    Args:
        folder: An existing run folder; `Run.create` makes a new one.

    Raises:
        UserError: The folder holds no run, or one of another version.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not (self.folder / "experiment.yaml").is_file():
            raise UserError(
                f"{self.folder} is no run folder: it has no experiment.yaml. `quartet train` makes one; "
                f"Received: {'a folder' if self.folder.is_dir() else 'no folder'}."
            )

    @classmethod
    def create(cls, folder: Path | str, experiment: Experiment) -> Run:
        """Make a run folder that holds the resolved experiment.

        Raises:
            UserError: The folder already holds a run, or can't be written.
        """
        folder = Path(folder)
        if (folder / "experiment.yaml").exists():
            raise UserError(
                f"{folder} already holds a run. Give another --run folder, or --resume to go on with it."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(folder / "experiment.yaml") as path:
                path.write_text(experiment.to_yaml(), encoding="utf-8")
        except OSError as error:
            raise UserError(f"The run folder {folder} can't be written: {error.strerror or error}.") from None
        return cls(folder)

    @cached_property
    def experiment(self) -> Experiment:
        """The resolved experiment."""
        return load_experiment(str(self.folder / "experiment.yaml"))

    def on_data(self, data: str | None) -> Run:
        """Return this run with its data looked for at another place; at its own, where none is given.

        Args:
            data: As a task's `data`. Whoever reads it checks that it is what the run was trained on.
        """
        if data is None:
            return self
        moved, experiment = Run(self.folder), self.experiment
        task = experiment.task.model_copy(update={"data": absolute_source(data)})
        moved.experiment = experiment.model_copy(update={"task": task})
        return moved

    @property
    def compilation(self) -> dict[str, Any] | None:
        """How a training computes its steps, where that was left to a trial; nothing before it.

        Raises:
            UserError: The file is damaged.
        """
        path = self.folder / "compilation.json"
        if not path.is_file():
            return None
        choice = parsed_json(path)
        if not isinstance(choice, dict):
            raise UserError(
                f"{path} is damaged: train again, or bring it back from a copy. Received: {shown(choice)}."
            )
        return choice

    @property
    def as_trained(self) -> Experiment:
        """The experiment with what was chosen by trial in the place of `auto`."""
        fit, choice = self.experiment.fit, self.compilation or {}
        plain = {"precision": "float32", "jit_compile": "auto", "steps_per_execution": 1}
        changed = {
            field: choice.get(field, value) for field, value in plain.items() if getattr(fit, field) == "auto"
        }
        chosen = validated(type(fit), {**fit.model_dump(), **changed}, "compilation")
        return self.experiment.model_copy(update={"fit": chosen})

    @property
    def finished(self) -> bool:
        """Whether the run was trained and judged to the end."""
        return (self.folder / "metrics.json").is_file()

    @property
    def checkpoints(self) -> Path:
        """The folder in which a training under way keeps its state.

        Raises:
            UserError: It is a link out of the run.
        """
        return within(self.folder, self.folder / "checkpoints")

    @property
    def can_be_resumed(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return any(self.checkpoints.glob("*"))

    @property
    def logs(self) -> Path:
        """The folder that TensorBoard reads.

        Raises:
            UserError: It is a link out of the run.
        """
        logs = within(self.folder, self.folder / "logs")
        for below in logs.glob("*"):
            within(self.folder, below)
        return logs

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` holds.

        Raises:
            UserError: The run is not finished, or the file is damaged.
        """
        path = self._finished_file("metrics.json")
        metrics = parsed_json(path)
        if not _holds_figures(metrics):
            keys = shown(list(metrics)) if isinstance(metrics, dict) and metrics else "no figures"
            raise UserError(
                f"{path} is damaged: train again, or bring it back from a copy. Received: {keys}."
            )
        return metrics

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that the task learnt from its training examples."""
        path = self._finished_file("encoder.json")
        encoder = _validated_file(self.experiment.task.encoder_class, path)
        return encoder.model_copy(update={"calibration": self.calibration}) if self.calibration else encoder

    @property
    def calibration(self) -> Calibration | None:
        """What `quartet calibrate` kept, which the answers of `predict` go through; nothing before that."""
        path = self.folder / "calibration.json"
        if not path.is_file():
            return None
        return _validated_file(Calibration, path)

    @cached_property
    def model(self) -> keras.Model:
        """The trained model, built by the task and filled with the saved weights."""
        model = built(self.as_trained, self.encoder)
        path = self._finished_file("model.keras")
        try:
            with warnings.catch_warnings():
                # A part that the file lacks is no weight to go on without.
                warnings.filterwarnings("error", "Skipping nested container")
                model.load_weights(path)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile, UserWarning) as error:
            first = str(error).strip().splitlines()[0]
            raise UserError(f"{path} does not fit the task that reads it: {first}") from None
        return model

    def _finished_file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise UserError(
                f"{self.folder} has lost its {name}: bring it back from a copy, or train again."
                if self.finished
                else f"{self.folder} has no {name}: its training did not finish. "
                "Give the same `quartet train` command again with --resume."
            )
        return path

    def require(self, ability: Ability) -> None:
        """Refuse what the run's task is not able to do.

        Raises:
            UserError: It is not; the message says what it is able to.
        """
        task = self.experiment.task
        if ability not in task.abilities:
            able = ", ".join(["evaluate", "predict", "report", *sorted(task.abilities)])
            raise UserError(
                f"{type(task).__name__}, the task of {self.folder}, is not able to {ability}. It can {able}. "
                f"Received: {ability}."
            )

    def discard(self) -> None:
        """Take back a run without a checkpoint: its own files, and the folder where it is then empty."""
        if self.can_be_resumed:
            return
        for name in ("experiment.yaml", "audit.json", "encoder.json", "compilation.json"):
            (self.folder / name).unlink(missing_ok=True)
        for events in self.logs.rglob("events.out.tfevents.*"):
            events.unlink(missing_ok=True)
        for folder in (*self.logs.glob("*"), self.logs, self.checkpoints, self.folder):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def write_experiment(self) -> None:
        """Write the resolved experiment, where it is no longer the one that the folder holds."""
        path = self.folder / "experiment.yaml"
        if load_experiment(str(path)) != self.experiment:
            with written_whole(path) as temporary:
                temporary.write_text(self.experiment.to_yaml(), encoding="utf-8")

    def write_json(self, name: str, tree: Mapping[str, Any]) -> None:
        """Write a mapping as JSON."""
        write_json(self.folder / name, tree)

    def write_encoder(self, encoder: Encoder) -> None:
        """Write what the task learnt from its training examples."""
        with written_whole(self.folder / "encoder.json") as path:
            path.write_text(encoder.model_dump_json(), encoding="utf-8")

    def write_model(self, model: keras.Model) -> None:
        """Write the model as `model.keras`."""
        with written_whole(self.folder / "model.keras") as path:
            model.save(path)

    def write_history(self, history: Mapping[str, list[float]]) -> None:
        """Write one row an epoch, one column a figure."""
        with (
            written_whole(self.folder / "history.csv") as path,
            path.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.writer(file)
            table.writerow(["epoch", *map(cell, history)])
            table.writerows(
                [epoch, *row] for epoch, row in enumerate(zip_longest(*history.values()), start=1)
            )

    @contextlib.contextmanager
    def rows(self, name: str) -> Iterator[Write]:
        """Give a function that appends one JSON row to the file `name`, which appears when the block ends.

        Pictures, sounds and arrays at the top of a row are kept as files under `answers/`.
        """
        folder = within(self.folder, self.folder / "answers")
        stem, places = Path(name).stem, itertools.count()
        with written_whole(self.folder / name) as path, path.open("w", encoding="utf-8") as file:

            def write(row: dict[str, Any]) -> None:
                place = next(places)
                if holds_files(row):
                    row = kept(row, folder, f"{stem}-{place}", beside=self.folder)
                print(to_json(row), file=file)

            yield write


def _holds_figures(metrics: Any) -> bool:
    parts = (
        [metrics.get(name) for name in ("test", "baseline", "data")] if isinstance(metrics, dict) else [None]
    )
    return all(isinstance(part, dict) for part in parts) and all(
        isinstance(figures, dict) for figures in metrics["baseline"].values()
    )


def _validated_file(kind: type[Kind], path: Path) -> Kind:
    """Return what a JSON file holds, as its kind of settings."""
    try:
        return validated(kind, parsed_json(path), path.stem)
    except UserError as error:
        raise UserError(f"{path} is damaged, or of another task: {error}") from None


def newest_unfinished(folder: Path, experiment: Experiment) -> Path:
    """Return the newest run folder in `folder` that holds this very experiment and was cut off.

    Raises:
        UserError: There is none.
    """
    newest_first = sorted(
        folder.glob("*/experiment.yaml"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in newest_first:
        # A neighbour that is damaged, or of another version, is not the one.
        with contextlib.suppress(UserError):
            if not (path.parent / "metrics.json").exists() and Run(path.parent).experiment == experiment:
                return path.parent
    raise UserError(f"No run in {folder}/ was cut off with this configuration. Give its folder with --run.")
