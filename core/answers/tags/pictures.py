"""Pictures of a tagger's answers: what becomes of the entities of each type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_TYPES = 20
SHOWN = ("wrong type", "wrong boundary", "wrong both", "missed")


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {"entity_errors": _entity_errors(tree)}


def _entity_errors(tree: Tree) -> Figure | None:
    true = {name: row for name, row in tree["details"]["types"].items() if row["support"]}
    names = sorted(true, key=lambda name: true[name]["recall"])[:MOST_TYPES][::-1]
    if not names:
        return None
    figure, axes = canvas(1.6 + 0.28 * len(names))
    support = np.array([true[name]["support"] for name in names])
    left = np.zeros(len(names))
    shares = {"right": np.array([true[name]["recall"] for name in names])}
    shares |= {error: np.array([true[name]["errors"][error] for name in names]) / support for error in SHOWN}
    hatches = ("", "//", "..", "xx", "")
    for place, (error, share) in enumerate(shares.items()):
        colour = "#BBBBBB" if error == "missed" else COLOURS[place]
        axes.barh(range(len(names)), share, left=left, label=error, color=colour, hatch=hatches[place])
        left = left + share
    axes.set_yticks(range(len(names)), [name[:16] for name in names])
    axes.set(xlabel="share of the true entities", xlim=(0, 1))
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=8, ncols=3, loc="outside upper center"
    )
    return figure
