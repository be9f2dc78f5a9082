"""What a search leaves behind: tables, the best configuration, what mattered, and the last judgement."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.run import Run
from core.search.definition import Search, TrialRecord, best_of, pareto_front
from core.wording import counted
from core.writing import cell, write_json, written_whole

if TYPE_CHECKING:
    from core.search.journalled_oracle import JournalledOracle


def write_findings(folder: Path, search: Search, oracle: JournalledOracle) -> None:
    """Write the tables, `best.yaml`, `importance.json` and the pictures of all trials so far."""
    from core.search.importance import importance
    from core.search.pictures import draw_importance, draw_progress, draw_values

    records = list(oracle.records.values())
    _write_table(folder / "trials.csv", search, records)
    best = best_of(records, search.objectives[0])
    if best is None:
        return
    if len(search.objectives) > 1:
        _write_table(folder / "pareto.csv", search, pareto_front(records, search.objectives))
    with written_whole(folder / "best.yaml") as path:
        head = f"# {search.objectives[0].name} {best.score(search.objectives[0]):.6g}, trial {best.name}\n"
        experiment = search.experiment.with_values(best.values)
        path.write_text(head + experiment.to_yaml(), encoding="utf-8")
    shares = importance(records, search)
    write_json(folder / "importance.json", shares)
    draw_values(folder / "values.png", records, search)
    draw_progress(folder / "progress.png", records, search)
    if shares:
        draw_importance(folder / "importance.png", shares)
    for record in records:
        _write_hparams(folder / "trials" / record.name / "logs", record, search)


def _write_table(path: Path, search: Search, records: list[TrialRecord]) -> None:
    measures = [goal.name for goal in search.objectives]
    measures += [name for name in ("epochs", "parameters", "seconds") if name not in measures]
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["trial", "status", *measures, *search.experiment.tune, "reason"])
        for record in records:
            table.writerow(
                [record.name, record.status]
                + [_rounded(record.measures.get(name)) for name in measures]
                + [cell(record.values.get(name, "")) for name in search.experiment.tune]
                + [cell(record.reason)]
            )


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _write_hparams(logs: Path, record: TrialRecord, search: Search) -> None:
    """Write what TensorBoard's HParams page shows of a trial, once."""
    if record.status == "running" or any(logs.glob("*hparams*")):
        return
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    plain = {
        path: value if isinstance(value, bool | int | float | str) else str(value)
        for path, value in record.values.items()
    }
    writer = tf.summary.create_file_writer(str(logs), filename_suffix=".hparams")
    with writer.as_default():
        api.hparams(plain, trial_id=record.name)
        for goal in search.objectives:
            score = record.score(goal)
            if score is not None:
                tf.summary.scalar(goal.name, score, step=int(record.measures.get("epochs", 0)))
    writer.close()


def write_outcome(folder: Path, search: Search, oracle: JournalledOracle) -> dict[str, Any]:
    """Finish the best trial and the configuration's own values as runs, and write `outcome.json`.

    This is the only time that the test part is looked at.

    Raises:
        UserError: No trial has a score.
    """
    records = list(oracle.records.values())
    best = best_of(records, search.objectives[0])
    if best is None:
        reasons = Counter(record.reason for record in records if record.reason)
        reason = (
            reasons.most_common(1)[0][0] if reasons else oracle.stop_reason or "there was no time for one"
        )
        hint = " Mend it and search again: that begins anew, and keeps these trials aside." if reasons else ""
        raise UserError(f"No trial of {len(records)} succeeded. Most often: {reason.rstrip('.')}.{hint}")
    own_values = oracle.own_values()
    tried = [record for record in records if record.values == own_values and record.status == "finished"]
    own = max(tried, key=lambda record: record.measures["epochs"], default=None)
    outcome = {
        "trials": dict(Counter(record.status for record in records)),
        "ended_because": oracle.stop_reason or counted(len(records), "trial was run", "trials were run"),
        "seconds": round(oracle.elapsed(), 1),
        "stopped_early": savings(records, search),
        "objectives": {goal.name: goal.direction for goal in search.objectives},
        "best": _judged(folder, search, best.values, best, "best"),
        "own": _judged(folder, search, own_values, own, "own"),
    }
    if len(search.objectives) > 1:
        outcome["pareto"] = [
            {"trial": record.name, "values": record.values}
            | {goal.name: record.score(goal) for goal in search.objectives}
            for record in pareto_front(records, search.objectives)
        ]
    write_json(folder / "outcome.json", outcome)
    return outcome


def _judged(
    folder: Path, search: Search, values: Mapping[str, Any], record: TrialRecord | None, name: str
) -> dict[str, Any]:
    """Train to the end what is not, judge it on the test part, and return its figures."""
    from core.training.train import train

    of_its_own = record is None or search.folds
    place = folder / name if of_its_own else folder / "trials" / record.name  # type: ignore[union-attr]
    run = train(search.experiment.with_values(values), place, resume=True)
    # Hyperband's trials are parts of a training, which is only now whole.
    whole = record is not None and search.strategy != "hyperband"
    scores = {
        goal.name: record.score(goal) if record and whole else _validated(run, goal.name)
        for goal in search.objectives
    }
    return {
        "trial": record.name if record else None,
        "run": str(run.folder),
        "values": dict(values),
        "validation": scores,
        "test": {
            figure: run.metrics["test"][figure]
            for figure in run.experiment.task.figures
            if figure in run.metrics["test"]
        },
        "parameters": run.metrics["parameters"],
    }


def _validated(run: Run, name: str) -> float | None:
    """Return the last epoch's figure of a run's history, or its parameters."""
    if name in run.metrics:
        return run.metrics[name]
    with (run.folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return float(rows[-1][name]) if rows and name in rows[-1] else None


def savings(records: list[TrialRecord], search: Search) -> dict[str, float]:
    """Return how many trials were stopped early, and the epochs and seconds that this spared."""
    planned = search.folds or search.experiment.fit.planned_epochs
    spared_epochs = spared_seconds = 0.0
    stopped = [record for record in records if record.status == "stopped"]
    for record in stopped:
        epochs = record.measures.get("epochs", 0)
        spared_epochs += max(planned - epochs, 0)
        if epochs:
            spared_seconds += max(planned - epochs, 0) * record.measures.get("seconds", 0.0) / epochs
    return {"trials": len(stopped), "epochs": spared_epochs, "seconds": round(spared_seconds, 1)}
