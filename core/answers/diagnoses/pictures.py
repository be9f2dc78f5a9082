"""Pictures of diagnoses: those of answers of two classes, and whom decisions by them help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import canvas, line_style
from core.answers.kind import Tree
from core.answers.two_classes.pictures import pictures as pictures_of_two_classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {**pictures_of_two_classes(tree), "decision_curve": _decision_curve(tree)}


def _decision_curve(tree: Tree) -> Figure | None:
    curve = tree["details"].get("decision_curve")
    if not curve:
        return None
    figure, axes = canvas(3.4)
    threshold = np.asarray(curve["threshold"])
    axes.plot(threshold, curve["model"], label="by this model", **line_style(0))
    axes.plot(threshold, curve["all"], label="treat all", color="#999999", linestyle="--")
    axes.axhline(0, label="treat nobody", color="#999999", linestyle=":")
    most = max(*curve["model"], *curve["all"])
    chosen = tree["details"]["operating_point"]["threshold"]
    if chosen is not None:
        axes.axvline(chosen, color="#D55E00", linewidth=1, label="the threshold")
    axes.set(
        xlabel="probability from which one is treated",
        ylabel="net benefit",
        xlim=(0, 1),
        ylim=(-0.15 * most - 0.01, 1.1 * most + 0.01),
    )
    axes.legend(loc="lower left", fontsize=9, framealpha=0.9, edgecolor="none")
    return figure
