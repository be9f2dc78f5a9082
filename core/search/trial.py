"""One trial in a process of its own: `python -m core.search.trial`.

The first line of its standard input is the order, as JSON. It then says what it knows, one JSON line each:
its size, the figures after each epoch, and how it ended. After each of these but the last it waits for an
answer, `go` or `stop`. Where its standard input ends, whoever ordered it has died, and so it dies too.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from core.errors import UserError
from core.experiment import Experiment, experiment_from
from core.search.definition import MEASURES
from core.task.contract import Encoder, Task

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits

Told = dict[str, Any]
Say = Callable[[Told], None]
Value = TypeVar("Value")


class StopTrialError(Exception):
    """The trial was told to stop."""


@dataclass(frozen=True)
class Order:
    """What a trial is to do.

    Args:
        folder: Its run folder; where it holds a checkpoint, the trial goes on from there.
        cache: Where examples and encoders are kept that trials of the same search share.
        experiment: As YAML.
        objectives: Names of the figures that are to be reported.
        best: `min` or `max` for each objective.
        folds: Train so many times, on folds of train and validation; none for once.
        stop_after: Epochs after which to stop, although the schedule goes on; none for all.
    """

    folder: str
    cache: str
    experiment: str
    objectives: list[str]
    best: list[str]
    folds: int | None = None
    stop_after: int | None = None


def run(order: Order, say: Say) -> Told:
    """Train as ordered.

    Args:
        order: What to do.
        say: Tells one thing; raises `StopTrialError` where the trial is to end.

    Returns:
        What is known at the end: `parameters`, `seconds`, `epochs` and the objectives.

    Raises:
        UserError: The values don't go together, or the training does not report an objective.
    """
    experiment = experiment_from(yaml.safe_load(order.experiment))
    cache = Path(order.cache)
    splits, place = remembered(cache, experiment.task, "examples", _audited(experiment), _write, _read)
    if order.folds:
        return _folds(order, experiment, splits, say)
    encoder, _ = remembered(
        place,
        experiment.task,
        "encoder",
        lambda task: task.encode(splits.train),
        _write_encoder,
        _read_encoder,
    )
    return _trained(order, experiment, Path(order.folder), splits, encoder, say)


def require_reported(experiment: Experiment, objectives: Sequence[str], cache: Path) -> None:
    """Refuse, before any trial, an objective that the training is sure not to report.

    Args:
        experiment: Whose task says what it reports; one with a `fit` of its own is left to its first trial.
        objectives: Names of figures.
        cache: The folder in which trials look for data that are loaded already.

    Raises:
        UserError: One is not reported.
    """
    task = experiment.task
    unknown = [name for name in objectives if name not in (*MEASURES, task.objective)]
    if not unknown or type(task).fit is not Task.fit:
        return
    splits, place = remembered(cache, task, "examples", _audited(experiment), _write, _read)
    encoder, _ = remembered(
        place, task, "encoder", lambda each: each.encode(splits.train), _write_encoder, _read_encoder
    )
    names = ["loss", *(metric.name for metric in task.metrics(encoder))]
    reported = [*names, *(f"val_{name}" for name in names if len(splits.validation))]
    for name in unknown:
        _require_in(name, reported)


def _require_in(name: str, reported: Collection[str]) -> None:
    if name not in reported:
        raise UserError(
            f"The training reports no {name}. It reports {', '.join(reported) or 'nothing'}; a search can "
            f"also go by {', '.join(MEASURES)}. A val_... figure needs a validation part, which "
            "task.validation=0.1 splits off."
        )


def _audited(experiment: Experiment) -> Callable[[Task], Splits]:

    return lambda task: experiment.audited(task.load())[0]


def _folds(order: Order, experiment: Experiment, splits: Splits, say: Say) -> Told:
    """Train on each fold of train and validation, tell the mean so far, and leave the test part alone."""
    from core.data.examples import Examples
    from core.data.splitting import fold_splits

    parts = [part for part in (splits.train, splits.validation) if len(part)]
    task = experiment.task
    fold_figures: list[Told] = []
    for fold in fold_splits(
        Examples.concatenate(parts),
        order.folds or 0,
        key=task.content,
        stratify=task.label,
        group=task.split_group,
        time=task.split_time,
        time_format=task.time_format,
        validation=0.0,
        seed=experiment.fit.seed,
    ):
        # What the fold leaves out is the validation part; the test part is the search's own, at its end.
        part = replace(fold, validation=fold.test, test=splits.test)
        folder = Path(order.folder) / f"fold-{len(fold_figures) + 1}"
        hear = _only_size(None if fold_figures else say)
        fold_figures.append(_trained(order, experiment, folder, part, task.encode(part.train), hear))
        mean = {name: sum(one[name] for one in fold_figures) / len(fold_figures) for name in fold_figures[0]}
        say({"step": len(fold_figures), "figures": mean})
    return {**mean, "epochs": len(fold_figures)}


def _only_size(say: Say | None) -> Say:
    """Return what passes on the size of a model, and keeps a fold's epochs to itself."""
    return lambda known: say(known) if say and known["step"] == 0 else None


def _trained(
    order: Order, experiment: Experiment, folder: Path, splits: Splits, encoder: Encoder, say: Say
) -> Told:
    from core.training.train import fitted, opened

    run = opened(experiment, folder, resume=True)
    run.write_encoder(encoder)
    seconds: dict[str, float] = {}
    follower = _follower(order, say)
    start = time.perf_counter()
    try:
        model, _ = fitted(run, splits, encoder, seconds, extra=[follower])
        history = model.history.history
        epochs = len(next(iter(history.values()), []))
    except StopTrialError:
        model, history = follower.model, follower.model.history.history
        epochs = follower.epochs
    known = {"parameters": model.count_params(), "epochs": epochs, "seconds": time.perf_counter() - start}
    if "latency_ms" in order.objectives:
        known["latency_ms"] = _latency(experiment.task, model, encoder, splits)
    for name, best in zip(order.objectives, order.best, strict=True):
        if name not in known:
            known[name] = _kept(history, name, best, bool(experiment.fit.patience))
    return known


def _kept(history: Mapping[str, list[float]], name: str, best: str, restored: bool) -> float:
    """Return a figure of the weights that are kept: the last epoch's, or the best where it is restored."""
    _require_in(name, [each for each, values in history.items() if values])
    values = [float(value) for value in history[name]]
    return (max if best == "max" else min)(values) if restored else values[-1]


def _latency(task: Task, model: keras.Model, encoder: Encoder, splits: Splits) -> float:
    """Return the median milliseconds of one example through the model."""
    import numpy as np

    from core.data.feed import Feed, for_backend

    x = for_backend(next(iter(task.batches(splits.train.take([0]), encoder, Feed(1))))[0])
    times = []
    for _ in range(30):
        start = time.perf_counter()
        model.predict_on_batch(x)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[10:]))


def _follower(order: Order, say: Say) -> Any:
    """Return the callback that tells of each epoch once its checkpoint is written."""
    import keras

    class Follower(keras.callbacks.Callback):
        epochs = 0

        def on_train_begin(self, logs: Mapping | None = None) -> None:
            say({"step": 0, "figures": {"parameters": self.model.count_params()}})

        def on_epoch_begin(self, epoch: int, logs: Mapping | None = None) -> None:
            self.epochs = epoch
            if not epoch:
                return
            history = self.model.history.history
            figures = {
                name: float(values[-1]) for name, values in history.items() if name in order.objectives
            }
            say({"step": epoch, "figures": figures})
            if order.stop_after is not None and epoch >= order.stop_after:
                raise StopTrialError

    return Follower()


def remembered(
    cache: Path,
    task: Task,
    step: str,
    make: Callable[[Task], Value],
    write: Callable[[Path, Value], None],
    read: Callable[[Path, Task], Value],
) -> tuple[Value, Path]:
    """Return what a step of a task makes, made once for all trials that agree in the fields it reads.

    Args:
        cache: The folder in which it is kept.
        task: Whose fields are watched while the step is made.
        step: Its name.
        make: Makes it from the task.
        write: Writes it into an empty folder.
        read: Reads it from there.

    Returns:
        What was made, and the folder that holds it.
    """
    fields = task.model_dump(mode="json")
    for path in cache.glob(f"{step}-*/fields.json"):
        known = json.loads(path.read_text(encoding="utf-8"))
        if all(fields[name] == value for name, value in known.items()):
            return read(path.parent, task), path.parent
    watched, seen = _watched(task)
    made = make(watched)
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=cache))
    write(folder, made)
    (folder / "fields.json").write_text(json.dumps({name: fields[name] for name in sorted(seen)}), "utf-8")
    place = folder.with_name(f"{step}-{folder.name}")
    folder.rename(place)
    return read(place, task), place


def _watched(task: Task) -> tuple[Task, set[str]]:
    """Return a task that does the same, and the set of its fields that have been read so far."""
    kind, seen = type(task), set[str]()
    names = frozenset(kind.model_fields)

    class Watched(kind):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            if name in names:
                seen.add(name)
            elif name in ("model_dump", "model_dump_json"):
                seen.update(names)
            return super().__getattribute__(name)

    Watched.__name__, Watched.__qualname__ = kind.__name__, kind.__qualname__
    watched = Watched.model_construct(**{name: getattr(task, name) for name in names})
    seen.clear()
    return watched, seen


def _write(folder: Path, splits: Splits) -> None:
    from core.data.storage import write_splits

    write_splits(folder, splits)


def _read(folder: Path, task: Task) -> Splits:
    from core.data.storage import read_splits

    return read_splits(folder)


def _write_encoder(folder: Path, encoder: Encoder) -> None:
    (folder / "encoder.json").write_text(encoder.model_dump_json(), encoding="utf-8")


def _read_encoder(folder: Path, task: Task) -> Encoder:
    return task.encoder_class.model_validate_json((folder / "encoder.json").read_text(encoding="utf-8"))


def main() -> None:
    """Take an order, carry it out, and say how it ended."""
    voice = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes to the log
    order = Order(**json.loads(sys.stdin.readline()))
    answers: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()

    def say(known: Told) -> None:
        print(json.dumps(known), file=voice)
        if answers.get() != "go":
            raise StopTrialError

    try:
        ended: Told = {"ended": run(order, say)}
    except UserError as error:
        ended = {"failed": str(error)}
    except Exception as error:
        import traceback

        traceback.print_exc()
        first = (str(error).strip().splitlines() or [""])[0]
        ended = {"failed": f"{type(error).__name__}: {first}"}
    atexit._run_exitfuncs()  # in which libraries delete their temporary files
    print(json.dumps(ended), file=voice)
    voice.flush()
    os._exit(0)  # TensorFlow's threads take a second to end


def _listen(answers: queue.Queue[str]) -> None:
    for line in sys.stdin:
        answers.put(line.strip())
    os._exit(1)


if __name__ == "__main__":
    main()
