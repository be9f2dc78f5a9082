"""Judging: a finished run's figures beside its rivals', new data, and folds."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import UserError
from core.experiment import Experiment
from core.run import Run
from core.same_data import KEY, compared_as_before, described, require_same
from core.task import Encoder, Figures
from core.writing import write_json

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits


def judged(
    run: Run,
    model: keras.Model,
    encoder: Encoder,
    splits: Splits,
    seconds: dict[str, float],
    throughput: Mapping[str, float],
) -> Figures:
    """Judge a trained model beside its rivals; write their answers and `metrics.json`."""
    task = run.experiment.task
    start = time.perf_counter()
    with run.rows("predictions.jsonl") as write:
        figures = task.evaluate(model, encoder, splits.test, write)
    seconds["evaluate"] = round(time.perf_counter() - start, 3)
    start = time.perf_counter()
    with run.rows("baseline.jsonl") as write:
        baseline = task.baseline(encoder, splits, write)
    seconds["baseline"] = round(time.perf_counter() - start, 3)
    metrics = {
        "protocol": splits.protocol,
        "test": figures,
        "baseline": baseline,
        "data": {
            "source": task.data,
            "train": len(splits.train),
            "validation": len(splits.validation),
            "test": len(splits.test),
            **described(splits, task),
            "notes": list(splits.notes),
        },
        "parameters": model.count_params(),
        "seconds": seconds,
        **throughput,
        **surroundings(),
    }
    run.write_json("metrics.json", metrics)
    return metrics


def reloaded(run: Run) -> Splits:
    """Return a run's data, loaded anew and audited as they were for its training.

    Raises:
        UserError: They are gone, or are no longer what the run was trained on.
    """
    from core.data.audit import audited

    task, audit = run.experiment.task, run.experiment.audit
    # Near-duplicates are told and never dropped, so that looking for them again would change nothing.
    audit = audit.model_copy(update={"near_duplicates": False})
    before = KEY not in run.metrics["data"] and audit.leaks == "drop"
    splits, _ = audited(task.load(), task, audit, **({"compare": compared_as_before} if before else {}))
    require_same(run, splits)
    return splits


def surroundings() -> dict[str, Any]:
    """Return the versions and the devices that a figure was measured with."""
    import keras

    packages = ("keras-quartet", "keras", "tensorflow", "jax", "numpy")
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "backend": keras.backend.backend(),
        "devices": keras.distribution.list_devices(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "platform": platform.platform(terse=True),
    }


def evaluate(run: Run, data: str | None = None) -> Figures:
    """Return a finished run's figures, or the same figures on other data.

    Args:
        run: A finished run.
        data: Another source. Its test part is judged where it names one; else all of it.

    Raises:
        UserError: The run is not finished, or the data can't be read or is not what the task needs.
    """
    if data is None:
        return run.metrics
    task = run.experiment.task.model_copy(update={"data": data})
    splits = task.load()
    if splits.official_test:
        examples, protocol = splits.test, f"the test part of {data}"
    else:
        examples, protocol = pooled(splits), f"all of {data}"
    return {
        "protocol": f"{protocol}, {len(examples)} examples; trained on {run.experiment.task.data}",
        "test": task.evaluate(run.model, run.encoder, examples),
        "baseline": {},
    }


def pooled(splits: Splits) -> Examples:
    """Return all examples of the three parts in one.

    Raises:
        UserError: There is none.
    """
    from core.data.examples import Examples

    filled = [part for part in (splits.train, splits.validation, splits.test) if len(part)]
    if not filled:
        raise UserError(
            f"There is nothing to judge on. Received: {splits.train.source}, which has no example."
        )
    return Examples.concatenate(filled)


def cross_validate(
    experiment: Experiment,
    folder: Path | str,
    num_folds: int,
    *,
    group: str | None = None,
    by_time: str | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Figures:
    """Train and judge once for each fold, each in a run folder of its own under `folder`.

    The parts of the source are pooled first. Without `group` and `by_time` the folds are stratified by the
    task's classes where it has them, and random where not.

    Args:
        experiment: What to train.
        folder: Where `fold-1`, `fold-2`, ... and `folds.json` go.
        num_folds: At least 2.
        group: A column; no value of it stands on both sides of a fold.
        by_time: A column; each fold is judged on what comes after all it learnt from.
        resume: Keep the folds that are finished and go on with the one that was cut off.
        progress: Show a progress bar.

    Returns:
        The mean and standard deviation over the folds of every figure and of every rival's.

    Raises:
        UserError: There are fewer groups or examples of a class than folds, or no such column.
    """
    from core.data.splitting import fold_splits
    from core.fold_folders import require_folder, require_trainable
    from core.training import train

    task = experiment.task
    require_folder(Path(folder), experiment, resume)
    # The folds are divided anew for each look at them, so that no two of them are in memory.
    folds = partial(
        fold_splits,
        pooled(task.load()),
        num_folds,
        stratify=task.label,
        group=group,
        time=by_time,
        time_format=task.time_format,
        key=task.content,
        validation=task.validation,
        seed=experiment.fit.seed,
    )
    require_trainable(folds(), experiment)
    runs = [
        train(experiment, Path(folder) / f"fold-{index}", splits=part, resume=resume, progress=progress)
        for index, part in enumerate(folds(), start=1)
    ]
    figures = {
        "protocol": runs[0].metrics["protocol"].replace("fold 1", "each fold"),
        "folds": num_folds,
        "test": mean_and_spread([run.metrics["test"] for run in runs]),
        "baseline": {
            rival: mean_and_spread([run.metrics["baseline"][rival] for run in runs])
            for rival in runs[0].metrics["baseline"]
        },
        "each": [_numbers(run.metrics["test"]) for run in runs],
    }
    write_json(Path(folder) / "folds.json", figures)
    return figures


def _numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if isinstance(value, int | float)}


def mean_and_spread(figures: list[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the mean and the sample standard deviation of each number that all mappings hold.

    Raises:
        UserError: There is nothing to average.
    """
    if not figures:
        raise UserError("There are no figures to average. Received: an empty list.")
    names = [name for name in _numbers(figures[0]) if all(name in _numbers(other) for other in figures)]
    return {
        name: {
            "mean": float(np.mean([figure[name] for figure in figures])),
            "std": float(np.std([figure[name] for figure in figures], ddof=1)) if len(figures) > 1 else 0.0,
        }
        for name in names
    }
