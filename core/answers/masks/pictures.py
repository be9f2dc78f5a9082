"""Pictures of how masks agree with the truth: overlap picture by picture, and classes taken for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, WIDTH, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 12  # classes of a confusion matrix whose shares are written out
MOST_ROWS = 60


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {"overlap": _overlap(tree), "confusion": _confusion(tree)}


def _overlap(tree: Tree) -> Figure:
    bars = tree["details"]["pictures"]
    figure, axes = canvas(3.0)
    axes.bar(bars["edges"][:-1], bars["counts"], np.diff(bars["edges"]), align="edge", color=COLOURS[0])
    axes.set(xlabel="mean overlap (IoU) of the classes of a picture", ylabel="pictures", xlim=(0, 1))
    return figure


def _confusion(tree: Tree) -> Figure | None:
    labels = tree["details"]["labels"]
    if len(labels) > MOST_ROWS:
        return None
    counts = np.asarray(tree["details"]["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    many = max(len(labels) - 10, 0)
    figure, axes = canvas(4.0 + 0.12 * many, WIDTH + 0.12 * many)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    short = [label if len(label) <= 14 else label[:13] + "…" for label in labels]
    small = 8 if len(labels) > 10 else 9
    axes.set_xticks(range(len(labels)), short, rotation=90 if len(labels) > 3 else 0, fontsize=small)
    axes.set_yticks(range(len(labels)), short, fontsize=small)
    axes.set(xlabel="predicted", ylabel="true")
    if len(labels) <= MOST_CELLS:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                colour = "white" if share > 0.55 else "#222222"
                axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=7)
    return figure
