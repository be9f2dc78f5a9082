"""Pictures of a search: the objective against each hyperparameter, the best so far, and what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from core.experiment import Choice
from core.search.definition import Search, TrialRecord, best_of
from core.writing import written_whole

# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#999999"
COLUMNS = 3


def draw_values(path: Path, records: list[TrialRecord], search: Search) -> None:
    """Draw one panel for each hyperparameter: its values across, the objective up, one point a trial."""
    goal, tune = search.objectives[0], search.experiment.tune
    rows = math.ceil(len(tune) / COLUMNS)
    figure = Figure(figsize=(4 * min(COLUMNS, len(tune)), 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, min(COLUMNS, len(tune)), squeeze=False, sharey=True)
    best = best_of(records, goal)
    for panel in panels.flat[len(tune) :]:
        panel.set_visible(False)
    for panel, (name, definition) in zip(panels.flat, tune.items(), strict=False):
        shown = [record for record in records if record.score(goal) is not None and name in record.values]
        for status, colour, label in (("finished", BLUE, "finished"), ("stopped", GREY, "stopped early")):
            some = [record for record in shown if record.status == status]
            across = [_across(definition, record.values[name]) for record in some]
            panel.scatter(
                across, [record.score(goal) for record in some], color=colour, label=label, alpha=0.8
            )
        if best is not None and name in best.values:
            panel.scatter(
                [_across(definition, best.values[name])],
                [best.score(goal)],
                s=160,
                facecolors="none",
                edgecolors=ORANGE,
                linewidths=2,
                label="best",
            )
        panel.set_xlabel(name)
        panel.grid(alpha=0.3)
        if isinstance(definition, Choice):
            panel.set_xticks(range(len(definition.values)), [str(value) for value in definition.values])
            panel.set_xlim(-0.5, len(definition.values) - 0.5)
        elif definition.scale == "log":
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            panel.xaxis.set_minor_locator(NullLocator())
    for row in panels:
        row[0].set_ylabel(goal.name)
    panels[0][0].legend(fontsize="small")
    _save(figure, path)


def _across(definition: Any, value: Any) -> float:
    return definition.values.index(value) if isinstance(definition, Choice) else value


def draw_progress(path: Path, records: list[TrialRecord], search: Search) -> None:
    """Draw each trial's score where it ended, and the best so far as a line."""
    goal = search.objectives[0]
    ended = [record for record in records if record.score(goal) is not None]
    ended.sort(key=lambda record: record.ended or 0.0)
    minutes = [(record.ended or 0.0) / 60 for record in ended]
    scores = [record.score(goal) or 0.0 for record in ended]
    best = list(scores)
    for place in range(1, len(best)):
        best[place] = scores[place] if goal.better(scores[place], best[place - 1]) else best[place - 1]
    figure = Figure(figsize=(7, 4), layout="constrained")
    panel = figure.subplots()
    panel.step(minutes, best, where="post", color=ORANGE, linewidth=2, label="best so far")
    for status, colour, label in (("finished", BLUE, "finished"), ("stopped", GREY, "stopped early")):
        some = [place for place, record in enumerate(ended) if record.status == status]
        panel.scatter(
            [minutes[i] for i in some], [scores[i] for i in some], color=colour, label=label, zorder=3
        )
    panel.set_xlabel("minutes since the search began")
    panel.set_ylabel(goal.name)
    panel.grid(alpha=0.3)
    panel.legend()
    _save(figure, path)


def draw_importance(path: Path, shares: Mapping[str, float]) -> None:
    """Draw one bar for each hyperparameter, the most important on top."""
    figure = Figure(figsize=(6, 0.45 * len(shares) + 1.2), layout="constrained")
    panel = figure.subplots()
    names = list(shares)[::-1]
    bars = panel.barh(names, [shares[name] for name in names], color=GREEN)
    panel.bar_label(bars, fmt="{:.0%}", padding=3)
    panel.set_xlim(0, 1.12 * max(max(shares.values()), 0.01))
    panel.set_xlabel("share of the objective's variance, each alone")
    panel.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=120)
