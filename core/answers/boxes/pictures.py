"""Pictures of a detector's boxes: precision by recall, and confusions with the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import WIDTH, canvas, line_style
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 20  # classes of a confusion matrix whose counts are written out
MOST_ROWS = 60  # classes of a confusion matrix that is drawn


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {"precision_recall": _precision_recall(tree), "confusion": _confusion(tree)}


def _precision_recall(tree: Tree) -> Figure | None:
    curves, table = tree["details"]["curves"], tree["details"]["per_class"]
    if not curves:
        return None
    figure, axes = canvas(4.2)
    for place, (label, curve) in enumerate(curves.items()):
        line_label = f"{label[:16]}  {table[label]['ap50']:.3f}"
        axes.plot(curve["recall"], curve["precision"], label=line_label, **line_style(place))
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
    axes.legend(frameon=False, fontsize=8, title="class and average precision", title_fontsize=8)
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
    turned = 90 if max(map(len, short), default=0) > 3 and len(labels) > 3 else 0
    small = 8 if len(labels) > 12 else 9
    axes.set_xticks(range(len(labels) + 1), [*short, "nothing"], rotation=turned, fontsize=small)
    axes.set_yticks(range(len(labels) + 1), [*short, "background"], fontsize=small)
    axes.set(xlabel="predicted", ylabel="true")
    if len(labels) <= MOST_CELLS:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.55 else "#222222"
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=small - 1)
    return figure
