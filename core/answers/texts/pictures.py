"""Pictures of generated texts: how good each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, drawn from the figures of a report."""
    return {"text_losses": _losses(tree)}


def _losses(tree: Tree) -> Figure:
    counts = tree["details"]["losses"]
    largest = tree["details"].get("largest_loss")  # of losses that are no share
    edges = np.linspace(0, largest or 1, len(counts) + 1)
    figure, axes = canvas(2.8)
    axes.bar(edges[:-1], counts, np.diff(edges) * 0.9, align="edge", color=COLOURS[0])
    unit = tree["details"].get("loss_unit", "bits a byte")
    label = unit if largest else "lost by a text, 1 and more as 1"
    axes.set(xlabel=label, ylabel="texts", xlim=(0, edges[-1]))
    return figure
