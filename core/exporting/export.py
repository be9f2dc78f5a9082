"""Exports a run, and lets nothing stand that does not answer as the run does."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.errors import UserError
from core.exporting.calibration_batches import calibration_batches
from core.exporting.difference import Difference
from core.exporting.formats import (
    PACKAGES,
    path_of,
    quantise_onnx,
    quantised_by_keras,
    size_of,
    write_graph,
    write_litert,
)
from core.exporting.loader import copy_loader
from core.exporting.recorded_figures import require_figures_of_run
from core.exporting.runtime import Graph, file_names
from core.exporting.timing import milliseconds
from core.run import Run
from core.run_data import reloaded
from core.silence import native_silence
from core.surroundings import surroundings
from core.task.portable import FORMATS, MAIN, Format, Portable
from core.writing import flush_to_disk, flush_tree_to_disk, parsed_json, to_json, within

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits

Quantisation = Literal["int8"]
LARGEST_DIFFERENCE = 1e-4  # of outputs, as a share of the largest of them where that is above 1
LARGEST_CHANGE = 1e-3  # of a figure, where nothing was quantised
LEAST_SHARE = 0.5  # of the weights that Keras must be able to quantise for a SavedModel
CALIBRATION_BATCHES, CALIBRATION_SIZE = 16, 16
ODD_BATCHES = (1, 3)  # are checked beside whole blocks, since a graph may have frozen its batch


@dataclass(frozen=True)
class Export:
    """One export that was checked.

    Args:
        name: Its format, and whether it is quantised.
        folder: Where it is, from the folder of the run.
        bytes: Of its graphs.
        largest_difference: Between its outputs and those of the Keras model over the test part; none where
            quantisation made other whole numbers, texts or lengths of them, which have no distance.
        figures: On the test part, those that tables show first.
        loss: How much worse the first of them is than the Keras model's; below 0 it is better.
    """

    name: str
    folder: str
    bytes: int
    largest_difference: float | None
    figures: dict[str, float]
    loss: float


class Exporter:
    """Exports one run, in one format after another.

    Args:
        run: A finished run.
        folder: Where the exports go, each in a folder of its own name.

    Raises:
        UserError: The model can't leave Keras, the data are gone, or the backend is not TensorFlow.
    """

    def __init__(self, run: Run, folder: Path | None = None) -> None:
        import keras

        run.require("export")
        if keras.backend.backend() != "tensorflow":
            raise UserError(
                "Exports are written by TensorFlow: set KERAS_BACKEND=tensorflow. The run need not have been "
                f"trained with it. Received: {keras.backend.backend()}."
            )
        self.run, self.task = run, run.experiment.task
        self.folder = folder or within(run.folder, run.folder / "exports")
        self.portable = self.task.portable(float32_model(run), run.encoder)
        self.splits: Splits = reloaded(run)
        self.expected = self.portable.figures(self.portable.score, self.splits.test)
        require_figures_of_run(self.expected, run)

    def export(self, kind: Format, quantise: Quantisation | None = None, max_loss: float = 0.01) -> Export:
        """Write an export and check it; where it fails, what stood there before stays as it was.

        Args:
            kind: The format.
            quantise: Keep weights as whole numbers of 8 bits.
            max_loss: How much worse the first figure may become by quantisation, at least 0.

        Raises:
            UserError: A package is missing, the format can't hold the model, or the check fails.
        """
        if self.portable.only_tensorflow and kind != "saved_model":
            raise UserError(f"{self.portable.only_tensorflow}: use --format saved_model. Received: {kind}.")
        _require(PACKAGES[kind])
        name = f"{kind}-{quantise}" if quantise else kind
        target = self.folder / name
        building = self.folder / f".{name}.{os.getpid()}"
        building.mkdir(parents=True)
        try:
            self._write(kind, building, quantise)
            export = self._checked(name, target, building, kind, max_loss if quantise else None)
            _replace(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
        return export

    def _write(self, kind: Format, folder: Path, quantise: Quantisation | None) -> None:
        portable = self.portable
        (folder / "encoder.json").write_text(to_json(portable.settings), encoding="utf-8")
        for name, arrays in portable.arrays.items():
            np.savez_compressed(folder / f"{name}.npz", allow_pickle=False, **arrays)
        copy_loader(portable.loader, folder)
        (folder / "requirements.txt").write_text(_requirements(kind, portable), encoding="utf-8")
        if quantise is None:
            _write_graphs(kind, portable, folder)
        else:
            self._write_quantised(kind, folder)

    def _write_quantised(self, kind: Format, folder: Path) -> None:
        quantised = self._quantised_portable() if kind == "saved_model" else self.portable
        graphs = quantised.graphs_in(kind)
        _write_graphs(kind, self.portable, folder)
        whole = _bytes_of(kind, graphs, folder)
        if kind == "saved_model":
            for name in graphs:
                shutil.rmtree(path_of(folder, kind, name))
            _write_graphs(kind, quantised, folder)
        elif kind == "litert":
            for name, graph in graphs.items():
                write_litert(graph, path_of(folder, kind, name), int8=True)
        else:
            raw = self.portable.raw(self.splits.train.take(self._calibration_rows()))
            starts = range(0, len(raw), CALIBRATION_SIZE)
            blocks = [raw[start : start + CALIBRATION_SIZE] for start in starts]
            batches = calibration_batches(predictor(self.portable, folder), blocks)
            for name in graphs:
                if name not in batches:
                    raise UserError(
                        f"The ranges of {name} can't be measured, since the loader does not call it for "
                        f"training examples: use --format litert. Received: calls of {', '.join(batches)}."
                    )
                quantise_onnx(path_of(folder, kind, name), batches[name], self.portable.exact)
        size = _bytes_of(kind, graphs, folder)
        if size >= whole:
            raise UserError(
                f"The quantised {kind} export is no smaller than without --quantize, so it was not kept. "
                f"Received: {size:,} bytes, {whole:,} without."
            )

    def _quantised_portable(self) -> Portable:
        model = float32_model(self.run)
        share = quantised_by_keras(model)
        if share < LEAST_SHARE:
            raise UserError(
                f"Keras quantises dense and embedding layers, which hold {share:.0%} of this model's "
                "weights: a quantised SavedModel would be hardly smaller. "
                "Use --format onnx or --format litert."
            )
        return self.task.portable(model, self.run.encoder)

    def _calibration_rows(self) -> np.ndarray:
        num_train = len(self.splits.train)
        count = min(CALIBRATION_BATCHES * CALIBRATION_SIZE, num_train)
        return np.random.default_rng(0).choice(num_train, count, replace=False)

    def _checked(self, name: str, target: Path, folder: Path, kind: Format, max_loss: float | None) -> Export:
        answers = predictor(self.portable, folder)
        difference = Difference(self.portable.score, answers.outputs)
        test = self.splits.test
        figures = self.portable.figures(difference, test)
        raw = self.portable.raw(test.take(np.arange(min(max(ODD_BATCHES), len(test)))))
        for size in ODD_BATCHES:
            difference(raw[:size])
        loss = self._loss(figures)
        if difference.misshapen:
            raise UserError(
                f"The {name} export answers otherwise than the run, so it was not kept: "
                f"{difference.misshapen}."
            )
        if max_loss is None:
            changes = {each: abs(figures[each] - self.expected[each]) for each in _numbers(self.expected)}
            changed = max(changes, key=changes.__getitem__)
            if not difference.share <= LARGEST_DIFFERENCE or not changes[changed] <= LARGEST_CHANGE:
                raise UserError(
                    f"The {name} export answers otherwise than the run, so it was not kept: outputs differ "
                    f"by up to {difference.largest:.2g}, {changed} by {changes[changed]:.2g}."
                )
        elif not loss <= max_loss:
            first = self._headline
            raise UserError(
                f"The {name} export loses {loss:.4f} of {first}, so it was not kept: --max-loss is "
                f"{max_loss}. Received: {first} {figures[first]:.4f}, of the run {self.expected[first]:.4f}."
            )
        return Export(
            name,
            os.path.relpath(target, self.run.folder),
            _bytes_of(kind, self.portable.graphs_in(kind), folder),
            difference.largest if np.isfinite(difference.largest) else None,
            {each: figures[each] for each in self.task.figures if each in figures},
            loss,
        )

    def _loss(self, figures: dict[str, Any]) -> float:
        first = self._headline
        worse = figures[first] - self.expected[first]
        return round(worse if self.task.figures[first] == "min" else -worse, 6) + 0.0  # no -0.0

    @property
    def _headline(self) -> str:
        return next(iter(self.task.figures))


def export_run(
    run: Run,
    kinds: Sequence[Format] = FORMATS,
    *,
    quantise: Quantisation | None = None,
    max_loss: float = 0.01,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Export a run, and keep the sizes, times and figures of all its exports as `exports.json`.

    Args:
        run: A finished run.
        kinds: The formats, at least one.
        quantise: Keep weights as whole numbers of 8 bits.
        max_loss: How much worse the first figure may become by that, at least 0.
        folder: Where the exports go; by default `exports` in the run.

    Returns:
        What `exports.json` holds, and `refused`: format to the reason why there is none.

    Raises:
        UserError: No format could be exported; the message says why.
    """
    exporter = Exporter(run, folder)
    made: dict[str, Export] = {}
    refused: dict[str, str] = {}
    for kind in kinds:
        try:
            export = exporter.export(kind, quantise, max_loss)
            made[export.name] = export
        except UserError as error:
            refused[kind] = str(error)
    if not made:
        raise UserError(" ".join(refused.values()))
    table = _table(exporter, {**_earlier(exporter), **made})
    run.write_json("exports.json", table)
    return {**table, "refused": refused}


def _earlier(exporter: Exporter) -> dict[str, Export]:
    """Return the exports that stand there still, and take the inputs that one takes today."""
    run, folder = exporter.run, exporter.folder
    path = run.folder / "exports.json"
    if not path.is_file():
        return {}
    names = [each.name for each in fields(Export)]
    try:
        exports = [Export(**{name: row[name] for name in names}) for row in parsed_json(path)["exports"]]
    except (KeyError, TypeError):
        raise UserError(f"{path} is damaged: delete it, and export again.") from None
    return {
        export.name: export
        for export in exports
        if (run.folder / export.folder).is_dir()
        and (run.folder / export.folder).resolve().parent == folder.resolve()
        and _inputs_of(run.folder / export.folder) == _inputs_today(exporter.portable, export.name)
    }


def _inputs_of(folder: Path) -> dict[str, set[str]]:
    """Return the inputs of each graph in the folder of an export."""
    names = {path.name.split(".")[0].removesuffix("_saved_model") for path in folder.iterdir()}
    names.add(MAIN)  # whose SavedModel has a name of its own
    there = (name for name in names if any((folder / file).exists() for file in file_names(name)))
    with native_silence():
        return {name: set(Graph(folder, name).inputs) for name in there}


def _inputs_today(portable: Portable, name: str) -> dict[str, set[str]]:
    kind = next(kind for kind in FORMATS if name.startswith(kind))
    return {name: {spec.name for spec in graph.signature} for name, graph in portable.graphs_in(kind).items()}


def _table(exporter: Exporter, exports: dict[str, Export]) -> dict[str, Any]:
    """Return sizes, figures, and times from raw inputs to answers that were taken by turns."""
    run, task, test = exporter.run, exporter.task, exporter.splits.test
    raw = exporter.portable.raw(test.take(np.arange(min(256, len(test)))))
    own = task.predictor(run.model, run.encoder)
    opened = {
        name: predictor(exporter.portable, run.folder / export.folder).predict
        for name, export in exports.items()
    }
    times = milliseconds({"keras": own, **opened}, raw)
    model = {
        "bytes": size_of(run.folder / "model.keras"),
        "figures": {name: exporter.expected[name] for name in task.figures if name in exporter.expected},
        "milliseconds": times["keras"],
    }
    rows = [{**asdict(export), "milliseconds": times[name]} for name, export in exports.items()]
    return {"test": len(test), "model": model, "exports": rows, **surroundings()}


def float32_model(run: Run) -> keras.Model:
    """Return a run's model in single precision, which every format can hold, whatever it was trained in."""
    fit = run.experiment.fit.model_copy(update={"precision": "float32"})
    plain = Run(run.folder)
    plain.experiment = run.experiment.model_copy(update={"fit": fit})
    return plain.model


def predictor(portable: Portable, folder: Path) -> Any:
    """Return the loader of a task, opened on the folder of an export."""
    with native_silence():
        return importlib.import_module(portable.loader).Predictor(folder)


def _write_graphs(kind: Format, portable: Portable, folder: Path) -> None:
    for name, graph in portable.graphs_in(kind).items():
        write_graph(kind, graph, path_of(folder, kind, name))


def _bytes_of(kind: Format, graphs: Iterable[str], folder: Path) -> int:
    return sum(size_of(path_of(folder, kind, name)) for name in graphs)


def _require(packages: Sequence[str]) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UserError(
            f'This format needs more packages: pip install "keras-quartet[export]". '
            f"Received: no {' and no '.join(missing)}."
        )


def _requirements(kind: Format, portable: Portable) -> str:
    runs = {"saved_model": "tensorflow", "onnx": "onnxruntime", "litert": "ai-edge-litert"}[kind]
    loaders = (each for graph in portable.graphs_in(kind).values() for each in graph.requires)
    names = dict.fromkeys(("numpy", runs, *loaders))
    return "".join(f"{name}=={importlib.metadata.version(name)}\n" for name in names)


def _numbers(figures: dict[str, Any]) -> list[str]:
    return [name for name, value in figures.items() if isinstance(value, int | float)]


def _replace(folder: Path, target: Path) -> None:
    """Put a folder in the place of another."""
    flush_tree_to_disk(folder)
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        target.rename(old)
    folder.rename(target)
    flush_to_disk(target.parent)
    shutil.rmtree(old, ignore_errors=True)
