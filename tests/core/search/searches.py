"""Searches over a small space, and trials whose scores are given instead of trained for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from core.experiment import Experiment, load_experiment
from core.search.definition import Budget, Objective, Search
from core.search.journal import Journal
from core.search.journalled_oracle import JournalledOracle, ended
from core.search.strategies import oracle_of

PRETEND = (sys.executable, str(Path(__file__).with_name("pretend_trial.py")))
RATE = {"fit.learning_rate": {"min": 1e-4, "max": 1, "scale": "log"}}
TWO = {**RATE, "task.encoder": ["bag", "convolutional"]}
every_strategy = pytest.mark.parametrize("strategy", ["bayesian", "random", "grid", "hyperband"])
ACCURACY = (Objective("val_accuracy", "max"),)


def experiment(tune: dict[str, Any] | None = None, *overrides: str) -> Experiment:
    """Return an experiment of 8 epochs at a rate of 0.001, with a search space."""
    plain = load_experiment(
        "nlp/sentiment", ["fit.epochs=8", "fit.learning_rate=0.001", "tune={}", *overrides]
    )
    return Experiment.model_validate({**dict(plain), "tune": RATE if tune is None else tune})


def search(tune: dict[str, Any] | None = None, *overrides: str, **options: Any) -> Search:
    """Return a search of `experiment(tune, *overrides)`."""
    return Search(experiment(tune, *overrides), **{"objectives": ACCURACY, **options})


def new_oracle(folder: Path, wanted: Search | None = None, trials: int = 20) -> JournalledOracle:
    """Return the oracle of a search, where its journal in a folder ends."""
    folder.mkdir(exist_ok=True)
    return oracle_of(wanted or search(), Budget(trials), Journal(folder / "journal.jsonl"))


def tell(
    oracle: JournalledOracle, trial: Any, *scores: float, worker: str = "one", reason: str | None = ""
) -> Any:
    """Tell an oracle a trial's score after each epoch, and that it then came to its end."""
    for epoch, score in enumerate(scores, start=1):
        answer = oracle.update_trial(trial.trial_id, {"val_accuracy": score}, step=epoch)
        if answer.status != "RUNNING":
            reason = None
            break
    oracle.end_trial(ended(trial, "COMPLETED", reason))
    return oracle.records[trial.trial_id]


def closeness(trial: Any) -> float:
    """Return a score that is best at a rate of 0.01."""
    import math

    return -abs(math.log10(trial.hyperparameters.values["fit.learning_rate"]) + 2)


def proposals(oracle: JournalledOracle, count: int, worker: str = "one") -> list[dict[str, Any]]:
    """Return the values of so many trials, each scored by how close it came."""
    values = []
    for _ in range(count):
        trial = oracle.create_trial(worker)
        if trial.status != "RUNNING":
            break
        values.append(dict(trial.hyperparameters.values))
        tell(oracle, trial, closeness(trial))
    return values
