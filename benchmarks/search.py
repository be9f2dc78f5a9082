"""Our Bayesian search beside Optuna's TPE, KerasTuner's Gaussian process and random search.

    python benchmarks/search.py recommendation/ratings data=ml-latest-small --trials 15 --seeds 5

All search the `tune:` space of the task by the same trials, each begins with the configuration's own values,
and they take turns seed by seed. Optuna is installed into a folder of its own under build/. Printed is the
best objective so far after each trial: the median over the seeds, with the smallest and the largest.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner as kt
import numpy as np

from core.experiment import Choice, load_experiment
from core.search.definition import Budget, Search
from core.search.journal import Journal
from core.search.journalled_oracle import ended
from core.search.space import chosen_values, own_values, search_space
from core.search.strategies import oracle_of
from core.search.trial import Order, run

OPTUNA = "optuna==5.0.0"
Objective = Callable[[dict[str, Any]], float]


def main() -> None:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="where every score goes")
    options = parser.parse_args()
    sys.path.append(str(installed(OPTUNA)))
    search = Search(load_experiment(options.task, options.overrides))
    rivals = {"ours": ours, "Optuna TPE": optuna_tpe, "KerasTuner GP": keras_tuner_gp, "random": at_random}
    scores: dict[str, list[list[float]]] = {name: [] for name in rivals}
    spent = dict.fromkeys(rivals, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        objective = Trials(search, Path(folder))
        for seed in range(options.seeds):
            for name, rival in rivals.items():
                start, objective.seconds = time.perf_counter(), 0.0
                scores[name].append(rival(search, objective, options.trials, seed))
                spent[name] += time.perf_counter() - start - objective.seconds
                print(f"seed {seed} {name}: best {best(search, scores[name][-1])[-1]:.5f}", flush=True)
    report(search, scores, spent, options)


def installed(requirement: str) -> Path:
    """Return a folder that holds a package and what it needs; it is made the first time."""
    folder = Path("build") / "benchmarks" / requirement.partition("==")[0]
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), requirement]
        subprocess.run(command, check=True)
    return folder


class Trials:
    """The objective that all search by: one training, in this process, on data that is loaded once."""

    def __init__(self, search: Search, folder: Path) -> None:
        self.search, self.folder = search, folder
        self.seconds, self.count = 0.0, 0

    def __call__(self, values: dict[str, Any]) -> float:
        """Return the objective at values of the space."""
        start = time.perf_counter()
        self.count += 1
        goal = self.search.objectives[0]
        order = Order(
            folder=str(self.folder / str(self.count)),
            cache=str(self.folder / "cache"),
            experiment=self.search.experiment.with_values({**values, "fit.tensorboard": False}).to_yaml(),
            objectives=[goal.name],
            best=[goal.direction],
        )
        score = run(order, lambda known: None)[goal.name]
        self.seconds += time.perf_counter() - start
        return score


def ours(
    search: Search, objective: Objective, trials: int, seed: int, strategy: str = "bayesian"
) -> list[float]:
    """Search as `quartet tune` does, without early stops."""
    wanted = Search(search.experiment, strategy, search.objectives, stop_poor=False, seed=seed)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        oracle = oracle_of(wanted, Budget(trials), Journal(Path(folder) / "journal.jsonl"))
        while (trial := oracle.create_trial("one")).status == "RUNNING":
            score = objective(oracle.records[trial.trial_id].values)
            oracle.update_trial(trial.trial_id, {search.objectives[0].name: score}, step=1)
            oracle.end_trial(ended(trial, "COMPLETED", ""))
        return [record.measures[search.objectives[0].name] for record in oracle.records.values()]


def at_random(search: Search, objective: Objective, trials: int, seed: int) -> list[float]:
    """Draw values at random."""
    return ours(search, objective, trials, seed, "random")


def keras_tuner_gp(search: Search, objective: Objective, trials: int, seed: int) -> list[float]:
    """Search by KerasTuner's own Bayesian oracle, as it comes, after the configuration's own values."""
    goal, space = search.objectives[0], search_space(search)
    first, scores = own_values(space), []
    oracle = kt.oracles.BayesianOptimizationOracle(
        kt.Objective(goal.name, goal.direction), max_trials=trials, hyperparameters=space, seed=seed + 1
    )
    oracle.verbose = 0
    with tempfile.TemporaryDirectory() as folder:
        oracle._set_project_dir(folder, "search")
        while (trial := oracle.create_trial("one")).status == "RUNNING":
            if not scores:
                trial.hyperparameters.values = dict(first)
            scores.append(objective(chosen_values(search, trial.hyperparameters.values)))
            oracle.update_trial(trial.trial_id, {goal.name: scores[-1]}, step=1)
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    return scores


def optuna_tpe(search: Search, objective: Objective, trials: int, seed: int) -> list[float]:
    """Search by Optuna's TPE, as it comes, after the configuration's own values."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    goal, scores = search.objectives[0], []
    tune = search.experiment.tune

    def suggest(trial: Any, path: str) -> Any:
        space = tune[path]
        if isinstance(space, Choice):
            return space.values[trial.suggest_categorical(path, range(len(space.values)))]
        if isinstance(search.experiment.value_at(path), int):
            return trial.suggest_int(path, int(space.min), int(space.max), log=space.scale == "log")
        return trial.suggest_float(path, space.min, space.max, log=space.scale == "log", step=space.step)

    def score(trial: Any) -> float:
        values: dict[str, Any] = {}
        for path, space in tune.items():
            if all(values.get(parent) in allowed for parent, allowed in space.when.items()):
                values[path] = suggest(trial, path)
        scores.append(objective(values))
        return scores[-1]

    study = optuna.create_study(
        direction={"min": "minimize", "max": "maximize"}[goal.direction],
        sampler=optuna.samplers.TPESampler(seed=seed),
    )
    own = chosen_values(search, own_values(search_space(search)))
    study.enqueue_trial(
        {
            path: tune[path].values.index(value) if isinstance(tune[path], Choice) else value
            for path, value in own.items()
        }
    )
    study.optimize(score, n_trials=trials)
    return scores


def best(search: Search, scores: list[float]) -> np.ndarray:
    """Return the best so far after each trial."""
    upwards = search.objectives[0].direction == "max"
    return (np.maximum if upwards else np.minimum).accumulate(scores)


def report(
    search: Search, scores: dict[str, list[list[float]]], spent: dict[str, float], options: Any
) -> None:
    """Print the curves, and write every score where that is asked for."""
    print(f"{search.objectives[0].name} so far: median of {options.seeds} seeds (smallest to largest)")
    print("trial  " + "  ".join(f"{name:28s}" for name in scores))
    for trial in range(options.trials):
        cells = []
        for runs in scores.values():
            reached = [best(search, run)[min(trial, len(run) - 1)] for run in runs]
            cells.append(f"{np.median(reached):.5f} ({min(reached):.5f} to {max(reached):.5f})")
        print(f"{trial + 1:5d}  " + "  ".join(f"{cell:28s}" for cell in cells))
    for name, seconds in spent.items():
        print(f"{name}: {1000 * seconds / options.seeds / options.trials:.0f} ms a proposal")
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["method", "seed", "trial", search.objectives[0].name])
            for name, runs in scores.items():
                for seed, run in enumerate(runs):
                    table.writerows([name, seed, trial, score] for trial, score in enumerate(run, start=1))


if __name__ == "__main__":
    main()
