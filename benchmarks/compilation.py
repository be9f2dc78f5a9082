"""Whether `auto` chooses well: the seconds of each shipped training, chosen and by each fixed way.

    python -m benchmarks.compilation [TASK=DATA ...]

Each configuration is tried on its sample, or on DATA; those that learn without gradients, and those whose
data are not at hand, are left out. Steps are timed by turns, whose order goes round; a training's seconds are
those of all its steps and of what comes before the first that is measured, such as compilation, with `auto`
also what the choice took. Where other work disturbs the machine, the least seconds of each way tell more than
their medians. What was found out about a model before is not used.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.table import Line, given, print_table
from core.data.examples import Splits
from core.errors import UserError
from core.experiment import Experiment, configurations, load_experiment
from core.fit import Fit
from core.run import Run
from core.task.contract import Encoder
from core.training.compilation import (
    CHOICES,
    MOST_TOGETHER,
    Way,
    chosen,
    divisor,
    plainest,
    steps_of_an_epoch,
)
from core.training.probe import probed

ROUNDS, STEPS = 9, 50
FEW, HOPELESS = 8, 2.0  # steps that tell whether a way takes so many times as long as another


def lines(data: Mapping[str, str]) -> Iterator[Line]:
    """Yield the seconds of each training by `auto` beside those of the best fixed way.

    Args:
        data: The name of a configuration to what it is tried on.
    """
    for name in configurations():
        try:
            experiment = load_experiment(name, [f"data={data[name]}"] if name in data else [])
            splits = experiment.task.load()
        except UserError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        if (line := compared(name, experiment, splits)) is not None:
            print(line, file=sys.stderr, flush=True)
            yield line


def compared(task: str, experiment: Experiment, splits: Splits) -> Line | None:
    """Return the line of one configuration; nothing where it has no steps of gradient."""
    encoder = experiment.task.encode(splits.train)
    auto, spent = choice(experiment, splits, encoder)
    chose = way_of(auto.fit)
    ways = fixed_ways(experiment.fit, steps_of_an_epoch(experiment, splits, encoder))
    own = next((name for name, way in ways.items() if way == chose), "as chosen")
    ways[own] = chose

    def seconds_of(name: str, num_measured: int) -> float:
        fit = experiment.fit.model_copy(update=ways[name].settings)
        return seconds_of_training(experiment.model_copy(update={"fit": fit}), splits, encoder, num_measured)

    try:
        about = {name: seconds_of(name, FEW) for name in ways}
    except NoStepsError:
        return None
    left = [name for name in ways if name == own or about[name] < HOPELESS * min(about.values())]
    seconds: dict[str, list[float]] = {name: [] for name in left}
    for number in range(ROUNDS):
        for place in range(len(left)):
            name = left[(number + place) % len(left)]
            seconds[name].append(seconds_of(name, STEPS))
    medians = about | {name: statistics.median(each) for name, each in seconds.items()}
    fixed = [name for name in left if name != "as chosen"]
    best = min(fixed, key=medians.__getitem__)
    median_of_each = ", ".join(
        f"{name} {'' if name in left else 'about '}{medians[name]:.3g}" for name in ways
    )
    by_least = min(min(seconds[name]) for name in fixed) / (min(seconds[own]) + spent)
    what = ", ".join(f"{name} {value}" for name, value in chose.settings.items())
    return Line(
        f"{task} by auto",
        "s",
        [each + spent for each in seconds[own]],
        best,
        seconds[best],
        note=f"{by_least:.2f} by the least of each; {own} ({what}); the choice took {spent:.2g} s; "
        f"{median_of_each}",
    )


class NoStepsError(Exception):
    """Tells that a training has no steps to compile."""


def way_of(fit: Fit) -> Way:
    """Return the way that a fit computes its steps, where nothing but `jit_compile` may be left to Keras."""
    import tensorflow as tf

    settings = {name: getattr(fit, name) for name in CHOICES}
    if fit.jit_compile == "auto":
        settings["jit_compile"] = bool(tf.config.list_physical_devices("GPU"))
    return Way(**settings)


def fixed_ways(fit: Fit, num_steps: int) -> dict[str, Way]:
    """Return the plainest way that a fit leaves open, and each change of it, by their names.

    Args:
        fit: What it does not leave open stays.
        num_steps: Of an epoch.
    """
    ways = {"plain": (plain := plainest(fit))}
    if fit.jit_compile == "auto":
        ways["XLA"] = replace(plain, jit_compile=True)
    if fit.precision == "auto":
        ways["bfloat16"] = replace(plain, precision="mixed_bfloat16")
    together = divisor(num_steps, MOST_TOGETHER)
    if fit.steps_per_execution == "auto" and together > 1:
        ways[f"{together} steps a call"] = replace(plain, steps_per_execution=together)
    return ways


def seconds_of_training(experiment: Experiment, splits: Splits, encoder: Encoder, num_measured: int) -> float:
    """Return the seconds of a whole training, by those of some steps and of what comes before them.

    Args:
        experiment: Its settings leave nothing open.
        splits: Audited examples.
        encoder: What the task learnt from them.
        num_measured: Steps that are timed.

    Raises:
        NoStepsError: It learns without gradients.
    """
    fit, num_steps = experiment.fit, steps_of_an_epoch(experiment, splits, encoder)
    start = time.perf_counter()
    probe = probed(experiment, splits, encoder, num_measured)
    if not probe.takes_batches:
        raise NoStepsError
    before = time.perf_counter() - start - fit.steps_together(num_steps) * sum(probe.seconds)
    return before + fit.epochs * num_steps * statistics.median(probe.seconds)


def choice(experiment: Experiment, splits: Splits, encoder: Encoder) -> tuple[Experiment, float]:
    """Return what `auto` makes of an experiment that nobody knows yet, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder, patch("platformdirs.user_cache_dir", lambda name: folder):
        run = Run.create(Path(folder) / "run", experiment)
        start = time.perf_counter()
        return chosen(run, splits, encoder), time.perf_counter() - start


if __name__ == "__main__":
    print_table(list(lines(dict(each.split("=", 1) for each in given(__doc__, "TASK=DATA")))))
