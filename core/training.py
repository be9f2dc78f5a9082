"""From an experiment to a finished run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.evaluation import judged
from core.experiment import Experiment
from core.run import Run
from core.task import Encoder

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits


def train(
    experiment: Experiment,
    folder: Path | str,
    *,
    splits: Splits | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Run:
    """Load, audit, encode, build, fit, save and judge.

    Args:
        experiment: What to do.
        folder: The run folder; it is made.
        splits: The examples, where the caller has them already; else the task loads its own.
        resume: Go on with the run in `folder` from its last checkpoint; where it is finished, return it.
        progress: Show a progress bar.

    Returns:
        The finished run.

    Raises:
        UserError: The folder already holds a run, or the data can't be used; the message says what to do.

    Example:

    >>> from core.experiment import load_experiment
    >>> experiment = load_experiment("vision/classification", ["fit.epochs=1"])
    >>> run = train(experiment, "runs/digits")  # doctest: +SKIP
    >>> run.metrics["test"]["accuracy"]  # doctest: +SKIP
    0.95
    """
    run = _opened(experiment, Path(folder), resume)
    if run.finished:
        return run
    import keras

    from core.data.audit import audited

    seconds: dict[str, float] = {}
    try:
        with _timed(seconds, "load"):
            splits = splits or experiment.task.load()
            splits, report = audited(splits, experiment.task, experiment.audit)
            run.write_json("audit.json", report.to_json())
        with _timed(seconds, "encode"):
            encoder = experiment.task.encode(splits.train)
            run.write_encoder(encoder)
    except UserError:
        if not resume:
            run.discard()
        raise
    keras.utils.set_random_seed(experiment.fit.seed)
    model = built(experiment, encoder)
    callbacks = training_callbacks(experiment, run, num_train=len(splits.train), progress=progress)
    with _timed(seconds, "fit"), dtype_policy(experiment.fit.precision):
        history = experiment.task.fit(model, encoder, splits, experiment.fit, callbacks)
    run.write_model(model)
    run.write_history(history.history)
    judged(run, model, encoder, splits, seconds=seconds, throughput=callbacks[0].summary())
    callbacks[-1].delete()
    return run


def _opened(experiment: Experiment, folder: Path, resume: bool) -> Run:
    if not resume or not (folder / "experiment.yaml").is_file():
        return Run.create(folder, experiment)
    run = Run(folder)
    if run.experiment != experiment:
        raise UserError(
            f"{folder} holds a run of another configuration, which can't be resumed with this one. "
            "Give the command that started it, or another --run folder."
        )
    return run


@contextlib.contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 3)


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Set Keras' dtype policy for the length of a block."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def built(experiment: Experiment, encoder: Encoder) -> keras.Model:
    """Return the experiment's model, fresh, under its dtype policy."""
    with dtype_policy(experiment.fit.precision):
        return experiment.task.build(encoder)


def training_callbacks(experiment: Experiment, run: Run, num_train: int, progress: bool) -> list[Any]:
    """Return the callbacks of a training in the order of their calls; `ExactResume` is the last."""
    import keras

    from core.callbacks import ExactResume, NaNRescue, Throughput
    from core.progress import ProgressBar

    task, fit = experiment.task, experiment.fit
    throughput = Throughput(fit.batch_size, num_train)
    callbacks: list[keras.callbacks.Callback] = [throughput]
    if fit.rescues:
        callbacks.append(NaNRescue(max_rescues=fit.rescues))
    if fit.patience:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor=task.objective, mode=task.direction, patience=fit.patience, restore_best_weights=True
            )
        )
    if fit.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(run.logs, write_graph=False))
    if progress:
        callbacks.append(ProgressBar(fit.epochs, task.objective, throughput))
    seconds = fit.checkpoint_seconds
    return [
        *callbacks,
        ExactResume(run.checkpoints, callbacks, every_seconds=seconds, delete_checkpoint=False),
    ]
