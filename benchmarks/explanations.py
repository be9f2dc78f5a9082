"""How far the explanations of trained runs can be trusted, by the tests of the literature.

    python benchmarks/explanations.py RUN...

For the first test examples of each run and each method:

- gap: what integrated gradients leave unexplained of the change in score;
- deletion: how much sooner the score falls than by chance where what matters most is taken away first;
- random weights: the rank correlation with the explanation of the same net with each of its weights shuffled,
  near 0 where the explanation depends on what was learnt;
- seconds of one explanation, once the model is loaded.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from core.errors import UserError
from core.experiment import built
from core.inputs import joined
from core.run import Run
from core.task.classification import Classification
from core.task.explanation import METHODS


def main() -> None:
    """Print one line for each run and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--inputs", type=int, default=20)
    options = parser.parse_args()
    print("run                      method                  gap   deletion  random weights  seconds")
    for folder in options.runs:
        run = Run(folder)
        values = raw_values(run, options.inputs)
        classifies = isinstance(run.experiment.task, Classification)
        for method in METHODS if classifies else (None,):
            try:
                print(
                    f"{folder.name:24s} {method or 'of the task':20s} {line(run, values, method)}", flush=True
                )
            except UserError:
                continue


def raw_values(run: Run, count: int) -> list[Any]:
    """Return raw inputs from the test part, as `predict` takes them."""
    task, test = run.experiment.task, run.experiment.task.load().test
    rows = test.take(np.arange(min(count, len(test))))
    _, kind = joined(task.inputs(run.encoder))
    if kind.kind == "text":
        return rows["text"].tolist()
    if kind.kind == "picture":
        return list(task.features(rows, run.encoder))  # type: ignore[attr-defined]
    if kind.kind == "sound":
        return [rows.ragged("wave")[row] for row in range(len(rows))]
    return list(dict.fromkeys(rows["user"].tolist()))


def line(run: Run, values: list[Any], method: str | None) -> str:
    """Return the means over the values."""
    task, shuffled = run.experiment.task, built(run.experiment, run.encoder)
    generator = np.random.default_rng(0)
    weights = run.model.get_weights()
    shuffled.set_weights([generator.permutation(w.ravel()).reshape(w.shape) for w in weights])
    gaps, gains, likeness, seconds = [], [], [], []
    task.explain(run.model, run.encoder, values[0], method)
    for value in values:
        start = time.perf_counter()
        explanation = task.explain(run.model, run.encoder, value, method)
        seconds.append(time.perf_counter() - start)
        gaps.append(explanation.checks.get("gap", np.nan))
        gains.append(explanation.checks.get("deletion", np.nan))
        if isinstance(task, Classification):
            other = task.explain(shuffled, run.encoder, value, method)
            both = [[part.adds for part in each.parts] for each in (explanation, other)]
            likeness.append(spearmanr(*both).statistic if len(both[0]) > 2 else np.nan)
    correlation = f"{np.nanmean(likeness):14.2f}" if likeness else f"{'-':>14s}"
    return f"{np.mean(gaps):7.3f} {np.nanmean(gains):9.2f} {correlation} {np.median(seconds):9.2f}"


if __name__ == "__main__":
    main()
