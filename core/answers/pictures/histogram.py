"""How like the truth pictures are, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where there is no truth."""
    return {"psnr": _psnr(tree)}


def _psnr(tree: Tree) -> Figure | None:
    bars = tree["details"]["psnr"]
    if not bars:
        return None
    figure, axes = canvas(3.2)
    axes.bar(bars["edges"][:-1], bars["counts"], np.diff(bars["edges"]), align="edge", color=COLOURS[0])
    median = tree["details"]["spread"]["psnr"]["median"]
    axes.axvline(median, color="#333333", linewidth=1, linestyle="--", label=f"median {median:.2f}")
    axes.set(xlabel="peak signal-to-noise ratio (decibels)", ylabel="pictures")
    axes.legend(frameon=False, fontsize=9)
    return figure
