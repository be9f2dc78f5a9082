"""Pictures of predicted numbers: residuals, and predictions by the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture."""
    return {"residuals": _residuals(tree), "by_truth": _by_truth(tree)}


def _residuals(tree: Tree) -> Figure:
    bars = tree["details"]["residuals"]
    figure, axes = canvas(3.2)
    axes.bar(bars["edges"][:-1], bars["counts"], np.diff(bars["edges"]), align="edge", color=COLOURS[0])
    axes.axvline(0, color="#333333", linewidth=1)
    axes.set(xlabel="predicted less true", ylabel="examples")
    return figure


def _by_truth(tree: Tree) -> Figure:
    levels = tree["details"]["levels"]
    truth, predicted, low, high = (
        np.array([level[name] for level in levels])
        for name in ("truth", "predicted", "predicted_low", "predicted_high")
    )
    figure, axes = canvas(3.6)
    axes.plot(truth, truth, ":", color="#777777", linewidth=1.2, label="as it should be")
    axes.fill_between(truth, low, high, color=COLOURS[0], alpha=0.2, label="middle 80% of predictions")
    axes.plot(truth, predicted, "o-", color=COLOURS[0], linewidth=1.8, label="mean prediction")
    axes.set(xlabel="true", ylabel="predicted")
    axes.legend(frameon=False, fontsize=9)
    return figure
