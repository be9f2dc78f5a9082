"""What a search is: the experiment and its space, the strategy, the objectives, and the budget."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from core.errors import UserError
from core.experiment import Experiment
from core.settings import read_yaml, to_yaml, unknown_key
from core.writing import written_whole

Strategy = Literal["bayesian", "random", "grid", "hyperband"]
MEASURES = ("parameters", "seconds", "latency_ms")
"""What a search can also go by, besides the figures that the training reports: the smaller the better."""


@dataclass(frozen=True)
class Objective:
    """A figure that a search goes by.

    Args:
        name: Of the training's history, such as `val_accuracy`, or one of `MEASURES`.
        direction: `min` or `max`.
    """

    name: str
    direction: Literal["min", "max"]

    def better(self, left: float, right: float) -> bool:
        """Return whether the left value is strictly better."""
        return left > right if self.direction == "max" else left < right

    def best(self, values: Mapping[Any, float]) -> Any:
        """Return the key of the best value."""
        return (max if self.direction == "max" else min)(values, key=values.__getitem__)


def objectives_of(experiment: Experiment, wanted: str | None) -> tuple[Objective, ...]:
    """Return the objectives that `--objective` names, or the task's own.

    Args:
        experiment: Whose task has an objective and its direction.
        wanted: Names apart by commas, one or two; each may be led by `min:` or `max:`.

    Raises:
        UserError: There are more than two, or a direction is neither `min` nor `max`.
    """
    task = experiment.task
    if not wanted:
        return (Objective(task.objective, task.direction),)
    objectives = []
    for text in wanted.split(","):
        direction, colon, name = text.strip().rpartition(":")
        if colon and direction not in ("min", "max"):
            raise UserError(
                f"An objective's direction is min or max, such as min:val_loss. Received: {text!r}."
            )
        if not direction:
            lower = name in MEASURES or name.endswith(("loss", "rmse", "mae", "error"))
            direction = task.direction if name == task.objective else ("min" if lower else "max")
        objectives.append(Objective(name, "min" if direction == "min" else "max"))
    if len(objectives) > 2:
        raise UserError(f"A search goes by one objective or two. Received: {len(objectives)}, {wanted!r}.")
    return tuple(objectives)


@dataclass(frozen=True)
class Budget:
    """When a search ends, whichever comes first; it can be raised later, and the search goes on.

    Args:
        trials: At most so many.
        minutes: By the clock, over all sittings; none for no limit.
    """

    trials: int = 20
    minutes: float | None = None


@dataclass(frozen=True)
class Search:
    """What makes a search what it is: two that differ in any of it can't share their trials.

    Args:
        experiment: The configuration to start from; its `tune` is the space.
        strategy: How trials are proposed.
        objectives: One, or two for a Pareto table; the first is what poor trials are stopped by.
        folds: Judge a trial by its mean over so many folds of train and validation; none for one training.
        max_parameters: Larger models are refused before they train.
        stop_poor: Stop a trial that is worse than the median of the others at the same epoch.
        seed: Of the proposals.
    """

    experiment: Experiment
    strategy: Strategy = "bayesian"
    objectives: tuple[Objective, ...] = ()
    folds: int | None = None
    max_parameters: int | None = None
    stop_poor: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.strategy not in get_args(Strategy):
            raise UserError(
                unknown_key(self.strategy, get_args(Strategy))
                .replace("keys", "strategies")
                .replace("key", "strategy")
            )
        if not self.objectives:
            object.__setattr__(self, "objectives", objectives_of(self.experiment, None))
        if self.strategy == "hyperband" and (self.folds or len(self.objectives) > 1):
            raise UserError(
                "hyperband compares trainings of different lengths by one figure: give another --strategy "
                "with --folds or with two objectives. Received: hyperband."
            )

    def tree(self) -> dict[str, Any]:
        """Return the search as nested mappings of plain values."""
        return {
            "strategy": self.strategy,
            "objective": ",".join(f"{goal.direction}:{goal.name}" for goal in self.objectives),
            "folds": self.folds,
            "max_parameters": self.max_parameters,
            "stop_poor": self.stop_poor,
            "seed": self.seed,
            "experiment": yaml.safe_load(self.experiment.to_yaml()),
        }

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that any change of the search changes."""
        text = yaml.safe_dump(self.tree(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def open_folder(folder: Path, search: Search) -> None:
    """Write a search into its folder, or make sure that it holds this very search.

    Raises:
        UserError: It holds another search, or can't be written.
    """
    path = folder / "search.yaml"
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary:
                temporary.write_text(to_yaml(search.tree()), encoding="utf-8")
        except OSError as error:
            raise UserError(f"The folder {folder} can't be written: {error.strerror or error}.") from None
        return
    before, now = _flat(read_yaml(path)), _flat(search.tree())
    for key in sorted({*before, *now}, key=lambda key: (not key.startswith("experiment.tune"), key)):
        if before.get(key) != now.get(key):
            raise UserError(
                f"{folder} holds a search with another {key.removeprefix('experiment.')}: "
                f"{before.get(key)!r} there, {now.get(key)!r} now. Its trials can't be reused: "
                "give another --folder, or the command that started it."
            )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


@dataclass
class TrialRecord:
    """What is known of one trial.

    Args:
        name: Its number, as text.
        values: Dotted path to value, of what was searched and active.
        status: `running`, `finished`, `stopped` (early, with a score) or `failed` (without).
        history: Epoch, counted from 1, to what was reported at its end.
        measures: `parameters`, `seconds`, `epochs`, and the objectives at the end.
        reason: Why it was stopped or failed.
        began: Seconds since the search began, over all its sittings.
        ended: Likewise.
    """

    name: str
    values: dict[str, Any]
    status: str
    history: dict[int, dict[str, float]]
    measures: dict[str, float]
    reason: str
    began: float
    ended: float | None

    def score(self, objective: Objective) -> float | None:
        """Return the trial's value of an objective, if it ended with one."""
        ended = self.status in ("finished", "stopped")
        return self.measures.get(objective.name) if ended else None


def best_of(records: list[TrialRecord], objective: Objective) -> TrialRecord | None:
    """Return the record with the best score; none where no trial has one."""
    scores = {
        place: score for place, record in enumerate(records) if (score := record.score(objective)) is not None
    }
    return records[objective.best(scores)] if scores else None


def pareto_front(records: list[TrialRecord], objectives: tuple[Objective, ...]) -> list[TrialRecord]:
    """Return the records that no other is as good as in all objectives and better in one, best first."""
    scored = [record for record in records if all(record.score(goal) is not None for goal in objectives)]

    def dominated(record: TrialRecord) -> bool:
        return any(
            all(not goal.better(_score(record, goal), _score(other, goal)) for goal in objectives)
            and any(goal.better(_score(other, goal), _score(record, goal)) for goal in objectives)
            for other in scored
        )

    front = [record for record in scored if not dominated(record)]
    first = objectives[0]
    return sorted(front, key=lambda record: _score(record, first), reverse=first.direction == "max")


def _score(record: TrialRecord, objective: Objective) -> float:
    score = record.score(objective)
    return float("nan") if score is None else score
