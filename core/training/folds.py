"""Judging by folds: train and judge once for each, then average."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.answers.rows import Figures
from core.data.splitting import fold_splits, pooled
from core.errors import UserError
from core.experiment import Experiment
from core.training.fold_folders import require_folder, require_trainable
from core.training.train import train
from core.writing import write_json


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
