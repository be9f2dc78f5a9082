"""Pictures of how likely something was said to be: curves, gain, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, canvas, line_style
from core.answers.classes.pictures import curves_of_classes
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {**curves_of_classes(tree), "gain": _gain(tree), "reliability": _reliability(tree)}


def _gain(tree: Tree) -> Figure | None:
    gain = tree["details"].get("gain")
    if not gain:
        return None
    figure, axes = canvas(3.8)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":")
    axes.plot([0, *gain["x"]], [0, *gain["y"]], **line_style(0))
    axes.set(
        xlabel="share of examples, the likeliest first",
        ylabel=f"share of all “{tree['details']['labels'][1][:16]}” among them",
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
    )
    return figure


def _reliability(tree: Tree) -> Figure | None:
    raw, calibrated = (tree["details"].get(name) for name in ("reliability", "reliability_calibrated"))
    if not raw:
        return None
    figure, axes = canvas(3.8)
    # What is rare would lie in one corner of the whole square.
    most = 1.08 * max(max(bins[name]) for bins in (raw, calibrated) if bins for name in ("said", "happened"))
    axes.plot([0, most], [0, most], color="#999999", linewidth=1, linestyle=":", label="as it should be")
    for place, (name, bins) in enumerate((("as trained", raw), ("calibrated", calibrated))):
        if bins:
            label = f"{name}, error {bins['calibration_error']:.4f}"
            said, happened = np.asarray(bins["said"]), np.asarray(bins["happened"])
            strays = np.sqrt(said * (1 - said) / np.asarray(bins["count"]))
            axes.errorbar(said, happened, 1.96 * strays, fmt="none", ecolor=COLOURS[place], alpha=0.4)
            axes.plot(said, happened, label=label, **line_style(place))
    axes.set(xlabel="said to be so likely", ylabel="so often it happened", xlim=(0, most), ylim=(0, most))
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    return figure
