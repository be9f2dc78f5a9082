"""What a notebook needs: train or search by a name, and ask a run for all that it can do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import run as runs
from core.experiment import Experiment, load_experiment

if TYPE_CHECKING:
    from core.answers.rows import Figures
    from core.inputs import Input
    from core.task.explanation import Explanation
    from core.task.portable import Format


class Run(runs.Run):
    """A finished training that answers, explains itself, and leaves: `core.run.Run` with its verbs.

    Args:
        folder: An existing run folder.

    Example:

    >>> run = Run("runs/reviews")  # doctest: +SKIP
    >>> run.predict(["A lovely film"])  # doctest: +SKIP
    [{'label': 'pos', 'probability': 0.97, ...}]
    """

    @cached_property
    def input(self) -> Input:
        """What the run takes."""
        from core.inputs import joined

        return joined(self.experiment.task.inputs(self.encoder))[1]

    def predict(self, inputs: Sequence[Any], **options: Any) -> list[dict[str, Any]]:
        """Return one answer for each raw input.

        Args:
            inputs: As the task takes them: texts, paths of files, ids, rows as mappings.
            **options: What is asked of the answers, where the task has options.

        Raises:
            UserError: An input can't be read, or there is no such option.
        """
        from core.settings import validated

        task = self.experiment.task
        asked = validated(task.options, options, "options") if options else None
        return task.predict(self.model, self.encoder, list(inputs), asked)

    def explain(self, value: Any, method: str | None = None) -> Explanation:
        """Return why one raw input gets its answer.

        Args:
            value: As `predict` takes it.
            method: How; the task's own first by default.

        Raises:
            UserError: The task does not explain, or not by this method.
        """
        self.require("explain")
        return self.experiment.task.explain(self.model, self.encoder, value, method)

    def evaluate(self, data: str | None = None) -> Figures:
        """Return the run's figures, or the same figures on other data."""
        from core.training.evaluation import evaluate

        return evaluate(self, data)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report of the run as one page, and return where it is."""
        from core.reporting import report_runs

        return report_runs([self], None if path is None else Path(path))

    def export(self, formats: Sequence[Format] = (), *, quantise: bool = False) -> dict[str, Any]:
        """Export the run, each export checked against it.

        Args:
            formats: `saved_model`, `onnx`, `litert`; by default all.
            quantise: Keep weights as whole numbers of 8 bits.

        Returns:
            Sizes, times and figures of the exports.

        Raises:
            UserError: The task can't be exported, or no format holds the model.
        """
        from core.exporting.export import export_run
        from core.task.portable import FORMATS

        return export_run(self, formats or FORMATS, quantise="int8" if quantise else None)


def train(
    task: str | Experiment,
    folder: Path | str | None = None,
    *,
    resume: bool = False,
    progress: bool = True,
    **overrides: Any,
) -> Run:
    """Train a task, judge it on its test part beside its rivals, and return the run.

    Args:
        task: A name such as `nlp/sentiment`, a YAML file, or an experiment.
        folder: Of the run; by default `runs/<task>-<time>`.
        resume: Go on with the run in `folder` where it was cut off.
        progress: Show a progress bar.
        **overrides: Settings of the task by name, such as `data="reviews.csv"`; `fit={"epochs": 3}` and
            `audit={"leaks": "drop"}` for the others.

    Raises:
        UserError: A setting is wrong, or the data can't be used.

    Example:

    >>> run = train("nlp/sentiment", "runs/reviews", data="reviews.csv", fit={"epochs": 3})  # doctest: +SKIP
    """
    from core.training.train import train as train_experiment

    experiment = _experiment(task, overrides)
    name = task.replace("/", "-") if isinstance(task, str) else type(experiment.task).__name__.lower()
    place = Path(folder) if folder else Path("runs") / f"{Path(name).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Run(train_experiment(experiment, place, resume=resume, progress=progress).folder)


def tune(
    task: str | Experiment,
    folder: Path | str,
    *,
    trials: int = 20,
    minutes: float | None = None,
    strategy: Any = "bayesian",
    **overrides: Any,
) -> dict[str, Any]:
    """Search the space in a task's `tune:` section; the same call goes on with a search that was cut off.

    Args:
        task: A name, a YAML file, or an experiment.
        folder: Of the search.
        trials: At most so many.
        minutes: At most so long, by the clock.
        strategy: bayesian, random, grid or hyperband.
        **overrides: As for `train`.

    Returns:
        The best configuration beside the task's own, with their figures on the test part.

    Raises:
        UserError: A setting is wrong, or no trial succeeded.
    """
    from core.search.definition import Budget, Search
    from core.search.tuning import tune as tune_experiment

    return tune_experiment(Search(_experiment(task, overrides), strategy), folder, Budget(trials, minutes))


def _experiment(task: str | Experiment, overrides: Mapping[str, Any]) -> Experiment:
    experiment = load_experiment(task) if isinstance(task, str) else task
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        if name in Experiment.model_fields and isinstance(value, Mapping):
            values |= {f"{name}.{field}": each for field, each in value.items()}
        else:
            values[f"task.{name}"] = value
    return experiment.with_values(values) if values else experiment
