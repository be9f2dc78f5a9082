"""Pictures of the moves of a game: where the played move stands, and how well each phase goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, drawn from the figures of a report."""
    return {"move_places": _places(tree), "phases": _phases(tree)}


def _places(tree: Tree) -> Figure:
    details = tree["details"]
    names = [*map(str, range(1, len(details["places"]) + 1)), "below"]
    figure, axes = canvas(2.8)
    axes.bar(names, [*details["places"], details["below"]], color=COLOURS[0])
    axes.set(xlabel="place of the played move", ylabel="positions")
    return figure


def _phases(tree: Tree) -> Figure | None:
    phases = tree["details"]["phases"]
    if len(phases) < 2:
        return None
    figure, axes = canvas(2.8)
    markers = zip(("accuracy", "top_3", "top_5"), ("o", "s", "^"), strict=True)
    for place, (name, marker) in enumerate(markers):
        values = [row[name] for row in phases.values()]
        axes.plot(list(phases), values, marker=marker, label=name, color=COLOURS[place])
    axes.tick_params(axis="x", labelsize=8)
    axes.set(xlabel="moves of a game", ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9)
    return figure
