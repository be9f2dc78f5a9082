"""Judging: a finished run's figures beside its rivals', new data, and folds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.answers.rows import Figures
from core.data.content import fingerprint
from core.data.splitting import pooled
from core.run import Run
from core.surroundings import surroundings
from core.task.contract import Encoder

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits


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
        "answers": task.gives.kind if task.gives else None,
        "data": {
            "source": task.data,
            "train": len(splits.train),
            "validation": len(splits.validation),
            "test": len(splits.test),
            "fingerprint": fingerprint(splits.train, task.content),
            "notes": list(splits.notes),
        },
        "parameters": model.count_params(),
        "seconds": seconds,
        **throughput,
        **surroundings(),
    }
    run.write_json("metrics.json", metrics)
    return metrics


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
