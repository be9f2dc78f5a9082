"""Why a trial is stopped before its end: its model is too large, or others were better by then."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.search.definition import Search, TrialRecord

FEWEST_TO_COMPARE = 3  # other trials, before one is stopped for being worse than their median


def too_large(search: Search, record: TrialRecord) -> str:
    """Return in what a trial's model is larger than the search allows; nothing where it is not."""
    ceiling, num_parameters = search.max_parameters, record.measures.get("parameters", 0)
    if ceiling is None or num_parameters <= ceiling:
        return ""
    return f"{num_parameters:,.0f} parameters are above the {ceiling:,} allowed"


def worse_than_most(search: Search, record: TrialRecord, known: Iterable[TrialRecord], step: int) -> str:
    """Return in what a trial is worse than the median of the others; nothing where it goes on.

    Args:
        search: Whose first objective is compared, unless it has two or says not to stop.
        record: Of the trial, which has just reported its figures of an epoch.
        known: All trials, this one too.
        step: The epoch, from 1.

    Reference:
        Golovin et al., 2017, Google Vizier: A Service for Black-Box Optimization, section 3.2
    """
    goal = search.objectives[0]
    epochs = search.folds or search.experiment.fit.planned_epochs
    if (
        not search.stop_poor
        or search.strategy == "hyperband"
        or len(search.objectives) > 1
        or step < max(2, epochs // 3)
        or goal.name not in record.history[step]
    ):
        return ""
    others = [
        float(np.mean([figures[goal.name] for epoch, figures in other.history.items() if epoch <= step]))
        for other in known
        if other is not record and other.status in ("finished", "stopped") and step in other.history
    ]
    if len(others) < FEWEST_TO_COMPARE:
        return ""
    reached = {epoch: figures[goal.name] for epoch, figures in record.history.items()}
    middle, best = float(np.median(others)), reached[goal.best(reached)]
    if not goal.better(middle, best):
        return ""
    return f"{goal.name} {best:.4g} after epoch {step} is worse than the others' median {middle:.4g}"
