"""Pictures of recommendations: where the chosen item stands, and how few items are recommended to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.answers.canvas import COLOURS, canvas, line_style
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture."""
    return {"places": _places(tree), "concentration": _concentration(tree)}


def _places(tree: Tree) -> Figure:
    places = tree["details"]["places"]
    figure, axes = canvas(3.2)
    axes.bar(range(1, len(places) + 1), places, color=COLOURS[0])
    axes.set_xticks(range(1, len(places) + 1))
    axes.set(xlabel="place of the first chosen item", ylabel="users")
    return figure


def _concentration(tree: Tree) -> Figure:
    curve = tree["details"]["concentration"]
    figure, axes = canvas(3.2)
    axes.plot(curve["items"], curve["share"], **line_style(0))
    axes.set(xlabel="most recommended items", ylabel="share of all recommendations", xscale="log")
    axes.set_ylim(0, 1.02)
    return figure
