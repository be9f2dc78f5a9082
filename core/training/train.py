"""From an experiment to a finished run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.devices import dtype_policy
from core.errors import UserError, refusal_of
from core.experiment import Experiment, built
from core.fit import Training
from core.run import Run
from core.run_data import KEY, fingerprints, require_same, require_same_as_checkpoint
from core.run_lock import locked
from core.task.contract import Encoder
from core.training.calibrating import calibrated_at_once
from core.training.evaluation import judged
from core.training.fold_folders import same_but_for_audit
from core.training.starting import audited_against_source, encoded, take_weights
from core.writing import remove_half_written

if TYPE_CHECKING:
    import keras

    from core.callbacks import ExactResume, Throughput
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
        UserError: The folder already holds a run, or another training is under way in it; the data can't be
            used, or changed since the checkpoint; or a disk is full once there is a checkpoint. The message
            says what to do.

    Example:

    >>> from core.experiment import load_experiment
    >>> experiment = load_experiment("vision/classification", ["fit.epochs=1"])
    >>> run = train(experiment, "runs/digits")  # doctest: +SKIP
    >>> run.metrics["test"]["accuracy"]  # doctest: +SKIP
    0.95
    """
    with locked(Path(folder)):
        return _trained(experiment, Path(folder), splits, resume=resume, progress=progress)


def _trained(
    experiment: Experiment, folder: Path, splits: Splits | None, *, resume: bool, progress: bool
) -> Run:
    from core.training.compilation import with_epochs

    run = opened(experiment, folder, resume)
    if run.finished:
        if splits is not None or run.experiment != Run(folder).experiment:
            _require_its_data(run, splits)
        return run
    seconds: dict[str, float] = {}
    with _told_how_to_go_on(run):
        try:
            splits, encoder = prepared(run, splits, seconds)
            model, callbacks = fitted(run, splits, encoder, seconds, progress=progress)
        except (UserError, OSError):
            if not resume:
                run.discard()
            raise
        encoder = calibrated_at_once(run, model, encoder, splits.validation)
        left_out = run.experiment.task.left_out(splits, encoder)
        _, lengthened = with_epochs(run.experiment, splits, encoder)
        splits = replace(splits, notes=(*splits.notes, *left_out, *lengthened))
        judged(run, model, encoder, splits, seconds=seconds, throughput=callbacks.throughput.summary())
    callbacks.resume.delete()
    return run


def _require_its_data(run: Run, splits: Splits | None) -> None:
    """Refuse a finished run that is of other data than these are under this answer to leaks.

    Raises:
        UserError: It is.
    """
    experiment = run.experiment
    audited, _ = experiment.audited(splits or experiment.task.load(), near_duplicates=False)
    require_same(run, audited)
    run.write_experiment()


@contextlib.contextmanager
def _told_how_to_go_on(run: Run) -> Iterator[None]:
    """Where a disk is full or gone and there is a checkpoint, say that nothing but some steps is lost."""
    try:
        yield
    except OSError as error:
        if not run.can_be_resumed:
            raise
        raise UserError(
            f"{refusal_of(error)}. Once that is mended, resume {run.folder} from its last checkpoint."
        ) from error


def prepared(run: Run, splits: Splits | None, seconds: dict[str, float]) -> tuple[Splits, Encoder]:
    """Load and audit a run's examples, and learn from them what the task's encoder holds.

    Args:
        run: Where `audit.json` and `encoder.json` go.
        splits: The examples, where the caller has them already.
        seconds: Takes the time of each step.

    Raises:
        UserError: The data can't be used; the message says what to do.
    """
    task = run.experiment.task
    with _timed(seconds, "load"):
        splits, report = run.experiment.audited(splits or task.load())
        splits = audited_against_source(run.experiment, splits)
        parts = fingerprints(splits, task)
        require_same_as_checkpoint(run, parts)
        run.write_experiment()
        run.write_json("audit.json", {**report.to_json(), KEY: parts})
    with _timed(seconds, "encode"):
        encoder = encoded(run.experiment, splits.train)
        run.write_encoder(encoder)
    return splits, encoder


def fitted(
    run: Run,
    splits: Splits,
    encoder: Encoder,
    seconds: dict[str, float],
    *,
    progress: bool = False,
    extra: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, TrainingCallbacks]:
    """Build and fit a run's model, from its last checkpoint where it has one, and write it.

    Args:
        run: Where `model.keras`, `history.csv` and the checkpoints go.
        splits: Audited examples.
        encoder: What the task learnt from them.
        seconds: Takes the time of the fit.
        progress: Show a progress bar.
        extra: Further callbacks; they are no part of the checkpoint.

    Returns:
        The trained model and the callbacks; the checkpoint is kept.
    """
    import keras

    from core.callbacks.nan_rescue import DivergedError
    from core.callbacks.state_file import StateError
    from core.training.compilation import chosen, with_epochs

    if run.experiment.fit.patience and not len(splits.validation):
        raise UserError(
            "fit.patience waits for a gain on the validation part, which is empty: give task.validation a "
            f"larger share, or set fit.patience=null. Received: fit.patience={run.experiment.fit.patience}."
        )
    with _timed(seconds, "compilation"):
        experiment, _ = with_epochs(chosen(run, splits, encoder), splits, encoder)
    keras.utils.set_random_seed(experiment.fit.seed)
    model = built(experiment, encoder)
    if not run.can_be_resumed:
        take_weights(experiment, model, encoder)
    with _timed(seconds, "fit"), dtype_policy(experiment.fit.precision):
        try:
            num_units = experiment.task.count(splits.train, encoder)
            callbacks = training_callbacks(experiment, run, num_units, progress, extra)
            history = experiment.task.fit(
                Training(
                    model,
                    encoder,
                    splits,
                    experiment.fit,
                    resume=callbacks.resume,
                    callbacks=callbacks.all,
                    throughput=callbacks.throughput,
                )
            )
        except DivergedError as error:
            raise UserError(str(error)) from None
        except StateError as error:
            raise UserError(
                f"{run.folder} can't go on; once {run.checkpoints} is deleted, --resume starts it anew. "
                f"{error}"
            ) from None
    run.write_model(model)
    run.write_history(history.history)
    return model, callbacks


def opened(experiment: Experiment, folder: Path, resume: bool) -> Run:
    """Return a new run in a folder, or with `resume` the one that it holds.

    Raises:
        UserError: The folder holds a run of another configuration, or any run where `resume` is not given.
    """
    if not resume or not (folder / "experiment.yaml").is_file():
        return Run.create(folder, experiment)
    run = Run(folder)
    if not same_but_for_audit(run.experiment, experiment):
        raise UserError(
            f"{folder} holds a run of another configuration, which can't be resumed with this one. "
            "Give the command that started it, or another --run folder."
        )
    # Whether another answer to leaks makes other data of it is seen once they are audited.
    run.experiment = experiment
    if not run.finished:
        remove_half_written(folder)
    return run


@contextlib.contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 3)


@dataclass(frozen=True, eq=False)
class TrainingCallbacks:
    """Who is told of a training.

    Args:
        throughput: Measures its speed.
        resume: Keeps its checkpoints.
        all: In the order of their calls; `throughput` is the first and `resume` the last.
    """

    throughput: Throughput
    resume: ExactResume
    all: tuple[keras.callbacks.Callback, ...]


def training_callbacks(
    experiment: Experiment,
    run: Run,
    num_units: int,
    progress: bool,
    extra: Sequence[keras.callbacks.Callback] = (),
) -> TrainingCallbacks:
    """Return the callbacks of a training whose epochs are of so many units."""
    import keras

    from core.callbacks import ExactResume, NaNRescue, Throughput
    from core.training.progress import ProgressBar

    task, fit = experiment.task, experiment.fit
    throughput = Throughput(fit.batch_size, num_units)
    resumed: list[keras.callbacks.Callback] = [throughput]
    if fit.rescues:
        resumed.append(NaNRescue(max_rescues=fit.rescues))
    if fit.patience:
        resumed.append(
            keras.callbacks.EarlyStopping(
                monitor=task.objective, mode=task.direction, patience=fit.patience, restore_best_weights=True
            )
        )
    if fit.tensorboard:
        resumed.append(keras.callbacks.TensorBoard(run.logs, write_graph=False))
    shown = [ProgressBar(fit.planned_epochs, task.objective, throughput)] if progress else []
    seconds = fit.checkpoint_seconds
    resume = ExactResume(run.checkpoints, resumed, every_seconds=seconds, delete_checkpoint=False)
    return TrainingCallbacks(throughput, resume, (*resumed, *shown, *extra, resume))
