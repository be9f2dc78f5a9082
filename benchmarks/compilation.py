"""Whether `auto` chooses well: the seconds of each shipped training, chosen and by each fixed way.

    python -m benchmarks.compilation [TASK=DATA ...]

Each configuration is tried on its sample, or on DATA; those that learn without gradients, and those whose
data are not at hand, are left out. Steps are timed by turns; a training's seconds are those of all its steps
and of what comes before the first that is measured, such as compilation, with `auto` also what the choice
took. What was found out about a model before is not used.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

from benchmarks.table import Line, given, print_table
from core.compilation import CHOICES, chosen
from core.data.examples import Splits
from core.errors import UserError
from core.experiment import Experiment, configurations, load_experiment
from core.probe import probed
from core.run import Run
from core.task import Encoder

ROUNDS, STEPS = 3, 32
PLAIN = {"jit_compile": False, "steps_per_execution": 1}


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
            yield line


def compared(name: str, experiment: Experiment, splits: Splits) -> Line | None:
    """Return the line of one configuration; nothing where it has no steps of gradient."""
    encoder = experiment.task.encode(splits.train)
    fit, num_steps = experiment.fit, -(-len(splits.train) // experiment.fit.batch_size)
    auto, spent = choice(experiment, splits, encoder)
    together = max(each for each in range(1, 17) if num_steps % each == 0)
    fixed = {
        "plain": PLAIN,
        "XLA": {**PLAIN, "jit_compile": True},
        f"{together} steps a call": {**PLAIN, "steps_per_execution": together},
    }
    if fit.precision == "auto":
        fixed["bfloat16"] = {**PLAIN, "precision": "mixed_bfloat16"}
    ways = {way: experiment.model_copy(update={"fit": fit.model_copy(update=fixed[way])}) for way in fixed}
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for way, tried in {"auto": auto, **ways}.items():
            start = time.perf_counter()
            probe = probed(tried, splits, encoder, STEPS)
            if not probe.takes_batches:
                return None
            before = time.perf_counter() - start - tried.fit.steps_together(num_steps) * sum(probe.seconds)
            taken = before + fit.epochs * num_steps * statistics.median(probe.seconds)
            seconds.setdefault(way, []).append(taken + (spent if way == "auto" else 0.0))
    best = min(fixed, key=lambda way: statistics.median(seconds[way]))
    chose = ", ".join(f"{each} {getattr(auto.fit, each)}" for each in CHOICES)
    others = ", ".join(
        f"{way} {statistics.median(each):.3g}" for way, each in seconds.items() if way != "auto"
    )
    note = f"{chose}; the choice took {spent:.2g} s; {others}"
    return Line(f"{name} by auto", "s", seconds["auto"], best, seconds[best], note=note)


def choice(experiment: Experiment, splits: Splits, encoder: Encoder) -> tuple[Experiment, float]:
    """Return what `auto` makes of an experiment that nobody knows yet, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder, patch("platformdirs.user_cache_dir", lambda name: folder):
        run = Run.create(Path(folder) / "run", experiment)
        start = time.perf_counter()
        return chosen(run, splits, encoder), time.perf_counter() - start


if __name__ == "__main__":
    print_table(list(lines(dict(each.split("=", 1) for each in given(__doc__, "TASK=DATA")))))
