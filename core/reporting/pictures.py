"""The pictures of a report, drawn from its figures alone, for the page and for papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.canvas import COLOURS, canvas, line_style, png
from core.answers.kind import Answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SLICES = 24

Tree = Mapping[str, Any]


def pictures_of(tree: Tree, kind: type[Answers] | None) -> dict[str, bytes]:
    """Return the pictures that fit a run's figures, whose answers are of a kind: name to PNG."""
    drawn = {
        "learning_loss": _loss_curve(tree),
        "learning_objective": _objective_curve(tree),
        **(kind.pictures(tree) if kind and tree["kind"] else {}),
        "slices": _slices(tree),
    }
    return {name: png(figure) for name, figure in drawn.items() if figure is not None}


def _loss_curve(tree: Tree) -> Figure | None:
    return _curve(tree, "loss")


def _objective_curve(tree: Tree) -> Figure | None:
    objective = tree["objective"]["name"] if tree["objective"] else "val_loss"
    name = objective.removeprefix("val_")
    return None if name == "loss" else _curve(tree, name)


def _curve(tree: Tree, name: str) -> Figure | None:
    curves = {
        part: tree["history"][column]
        for part, column in (("training", name), ("validation", f"val_{name}"))
        if column in tree["history"]
    }
    if not curves:
        return None
    from matplotlib.ticker import MaxNLocator

    figure, axes = canvas(3.0)
    for part, values in curves.items():
        place = 0 if part == "training" else 1
        points = [np.nan if value is None else value for value in values]
        marker = "o" if place == 0 else "s"
        axes.plot(
            range(1, len(points) + 1), points, marker=marker, markersize=4, label=part, **line_style(place)
        )
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return figure


def _slices(tree: Tree) -> Figure | None:
    """Draw a dot a slice under the name of its column, which stands there once."""
    shown = [each for each in tree["slices"] if each["p"] is not None][:MOST_SLICES]
    if not shown:
        return None
    lines: list[tuple[str, Mapping[str, Any] | None]] = []
    for place, each in enumerate(shown):
        if place == 0 or each["column"] != shown[place - 1]["column"]:
            lines.append((each["column"], None))
        lines.append((each["value"], each))
    figure, axes = canvas(0.8 + 0.25 * len(lines))
    worst, lowest = tree["worst_slice"], min(each["figure"] for each in shown)
    for place, (_, each) in enumerate(lines):
        if each is not None:
            axes.hlines(place, lowest, each["figure"], color="#cccccc", linewidth=1)
            axes.scatter(each["figure"], place, 36, color=COLOURS[1 if each == worst else 0], zorder=3)
    axes.set_yticks(range(len(lines)), [name if len(name) < 38 else name[:37] + "…" for name, _ in lines])
    for label, (_, each) in zip(axes.get_yticklabels(), lines, strict=True):
        label.set(fontsize=9, fontweight="normal" if each else "bold")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set(xlabel=tree["slice_figure"] + (" (orange: the worst)" if worst else ""))
    return figure
