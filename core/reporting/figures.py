"""Every number of a report, gathered from the files of a run into one tree: `report/figures.json`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.calibration import Calibration
from core.answers.kind import Answers
from core.answers.rows import Direction
from core.answers.significance import CONFIDENCE, intervals, paired_differences
from core.reporting.findings import findings_of
from core.reporting.slices import by_slice, worst_slice
from core.writing import parsed_json

if TYPE_CHECKING:
    from core.run import Run

NUM_MISTAKES = 12
WATTS_OF_A_PROCESSOR = 12.0
WATTS_OF_A_GPU = 200.0
"""Assumed, not measured: those of Lannelongue et al., Green Algorithms (2021), for unknown models."""


def figures_of_run(
    run: Run, answers: Answers | None, rivals: Mapping[str, Answers], columns: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Return all that a report says of a run.

    Args:
        run: A finished run.
        answers: Its answers to the test part; nothing where they are of a kind that reports don't know.
        rivals: Their answers to the same, where they were kept.
        columns: What the test examples can be told apart by; may be empty.
    """
    task, metrics = run.experiment.task, run.metrics
    tree = {
        "run": run.folder.resolve().name,
        "task": type(task).__name__,
        "purpose": (type(task).__doc__ or "").strip().splitlines()[0],
        "limits": list(task.limits),
        "protocol": metrics["protocol"],
        "data": metrics["data"],
        "surroundings": {name: metrics.get(name) for name in ("versions", "backend", "devices", "platform")},
        "figures": _figures(metrics["test"], metrics["baseline"], task.figures, answers, rivals),
        "history": history_of(run.folder / "history.csv"),
        "objective": {"name": task.objective, "direction": task.direction},
        "audit": _audit_of(run.folder / "audit.json"),
        "cost": cost_of(run),
        "calibration": run.calibration.model_dump() if run.calibration else None,
        "settings": {
            part: getattr(run.experiment, part).model_dump(mode="json") for part in ("task", "fit", "audit")
        },
        **judged(answers, columns, run.calibration),
    }
    return {**tree, "findings": findings_of(tree, task.gives)}


def figures_of_answers(answers: Answers, columns: Mapping[str, np.ndarray], name: str) -> dict[str, Any]:
    """Return what can be said of answers whose model and training are not known, in the same tree."""
    statistics = answers.statistics(np.arange(len(answers)))
    tree = {
        "run": name,
        "task": "Any model",
        "purpose": "",
        "limits": [],
        "protocol": f"{len(answers)} examples",
        "data": {"test": len(answers), "notes": []},
        "surroundings": {},
        "figures": _figures(statistics, {}, answers.figures, answers, {}),
        "history": {},
        "objective": None,
        "audit": [],
        "cost": {},
        "calibration": None,
        "settings": {},
        **judged(answers, columns, None),
    }
    return {**tree, "findings": findings_of(tree, type(answers))}


def judged(
    answers: Answers | None, columns: Mapping[str, np.ndarray], calibration: Calibration | None
) -> dict[str, Any]:
    """Return what answers show by themselves: tables, curves, slices, and which are the worst mistakes."""
    if answers is None:
        return {"kind": None, "details": {}, "slices": [], "worst_slice": None, "mistakes": []}
    # Answers without a truth to compare them with, such as samples, have no figure to compare slices by.
    compared = answers.figure() in answers.statistics(np.arange(len(answers)))
    slices = by_slice(answers, columns, calibration) if compared else []
    return {
        "kind": answers.kind,
        "mistakes_title": answers.mistakes_title,
        "details": answers.details(calibration),
        "mean_loss": float(np.mean(answers.losses)),
        "slice_figure": answers.figure(),
        "slices": slices,
        "worst_slice": worst_slice(slices, answers.lower_is_better()),
        "mistakes": answers.mistakes(NUM_MISTAKES).tolist(),
    }


def _figures(
    test: Mapping[str, Any],
    baseline: Mapping[str, Mapping[str, Any]],
    directions: Mapping[str, Direction],
    answers: Answers | None,
    rivals: Mapping[str, Answers],
) -> list[dict[str, Any]]:
    """Return the figures, those of the headline first, with their intervals and their rivals'."""
    bounds = intervals(answers.statistics, len(answers)) if answers is not None else {}
    beside = {name: _beside(answers, each) for name, each in rivals.items() if answers is not None}
    directions = {**(answers.figures if answers is not None else {}), **directions}
    names = [name for name in directions if name in test]
    names += [name for name, value in test.items() if isinstance(value, int | float) and name not in names]
    return [
        {
            "name": name,
            "value": test[name],
            "low": bounds[name].low if name in bounds else None,
            "high": bounds[name].high if name in bounds else None,
            "confidence": CONFIDENCE,
            # What is not declared, such as a count of users, is neither better large nor small.
            "lower_is_better": directions[name] == "min" if name in directions else None,
            "rivals": {rival: figures[name] for rival, figures in baseline.items() if name in figures},
            "beside": {
                rival: figures[name]
                for rival, figures in beside.items()
                if name in figures and name in baseline.get(rival, {})
            },
        }
        for name in names
    ]


def _beside(answers: Answers, rival: Answers) -> dict[str, dict[str, Any]]:
    """Return the intervals of a rival's figures, and of the model's gain over it on the same examples."""
    if not np.array_equal(answers.truth, rival.truth):
        return {}
    bounds = intervals(rival.statistics, len(rival))
    gains = paired_differences(rival.statistics, answers.statistics, len(rival))
    return {
        name: {
            "low": bounds[name].low,
            "high": bounds[name].high,
            "gain": {**gain._asdict(), "significant": gain.significant},
        }
        for name, gain in gains.items()
    }


def history_of(path: Path) -> dict[str, list[float | None]]:
    """Return the columns of `history.csv`, an entry an epoch; nothing where there is no such file."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        name: [float(row[name]) if row[name] else None for row in rows]
        for name in (rows[0] if rows else ())
        if name != "epoch"
    }


def cost_of(run: Run) -> dict[str, Any]:
    """Return what a training took: seconds, examples a second, size, and an estimate of energy."""
    metrics = run.metrics
    model = run.folder / "model.keras"
    devices = [str(device) for device in metrics.get("devices", ())]
    num_gpus = sum("gpu" in device.lower() or "cuda" in device.lower() for device in devices)
    processors = metrics.get("processors")
    watts = None
    if processors:
        watts = WATTS_OF_A_PROCESSOR * processors + WATTS_OF_A_GPU * num_gpus
    seconds = metrics.get("seconds", {})
    return {
        "seconds": seconds,
        "examples_per_second": metrics.get("examples_per_second"),
        "data_wait_share": metrics.get("data_wait_share"),
        "parameters": metrics.get("parameters"),
        "model_bytes": model.stat().st_size if model.is_file() else None,
        "processors": processors,
        "gpus": num_gpus,
        "watts_assumed": watts,
        "watt_hours_estimated": watts * seconds["fit"] / 3600 if watts and "fit" in seconds else None,
    }


def _audit_of(path: Path) -> list[dict[str, Any]]:
    return parsed_json(path)["findings"] if path.is_file() else []
