"""Pictures of a classifier's answers: confusions, curves, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.answers.canvas import COLOURS, WIDTH, canvas, line_style
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 20  # classes of a confusion matrix whose counts are written out
MOST_ROWS = 60  # classes of a confusion matrix that is drawn


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, or nothing where the figures have nothing to draw."""
    return {
        "confusion": _confusion(tree),
        **curves_of_classes(tree),
        "reliability": _reliability(tree),
        "risk_coverage": _risk_coverage(tree),
    }


def curves_of_classes(tree: Tree) -> dict[str, Figure | None]:
    """Return the curves of classes against the rest, by name."""
    return {"roc": _roc(tree), "precision_recall": _precision_recall(tree)}


def _confusion(tree: Tree) -> Figure | None:
    labels = tree["details"]["labels"]
    if len(labels) > MOST_ROWS:
        return None
    counts = np.asarray(tree["details"]["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    many = max(len(labels) - 10, 0)
    figure, axes = canvas(3.0 if len(labels) <= 4 else 4.4 + 0.12 * many, WIDTH + 0.12 * many)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    short = [label if len(label) <= 14 else label[:13] + "…" for label in labels]
    turned = 90 if max(map(len, short)) > 3 and len(labels) > 3 else 0
    axes.set_xticks(range(len(labels)), short, rotation=turned, fontsize=8 if len(labels) > 12 else 9)
    axes.set_yticks(range(len(labels)), short, fontsize=8 if len(labels) > 12 else 9)
    axes.set(xlabel="answered", ylabel="true")
    if len(labels) <= MOST_CELLS:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.55 else "#222222"
                small = 9 if len(labels) <= 5 else 7 if len(labels) <= 12 else 5
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=small)
    return figure


def _roc(tree: Tree) -> Figure | None:
    figure = _class_curves(tree, "roc", "auc", "share of others taken for it", "share of it found")
    if figure:
        figure.axes[0].plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":")
    return figure


def _precision_recall(tree: Tree) -> Figure | None:
    return _class_curves(tree, "precision_recall", "average_precision", "recall", "precision")


def _class_curves(tree: Tree, curve: str, area: str, x: str, y: str) -> Figure | None:
    curves = tree["details"].get("curves")
    if not curves:
        return None
    figure, axes = canvas(4.2)
    for place, (label, both) in enumerate(curves.items()):
        value = tree["details"]["per_class"][label][area]
        line_label = label[:16] if value is None else f"{label[:16]}  {value:.3f}"
        axes.plot(both[curve]["x"], both[curve]["y"], label=line_label, **line_style(place))
    axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(frameon=False, fontsize=8, title="class and area under its curve", title_fontsize=8)
    return figure


def _reliability(tree: Tree) -> Figure | None:
    raw, calibrated = (tree["details"].get(name) for name in ("reliability", "reliability_calibrated"))
    if not raw:
        return None
    figure, axes = canvas(3.8)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":", label="as it should be")
    most = max(raw["count"])
    for place, (name, bins) in enumerate((("as trained", raw), ("calibrated", calibrated))):
        if bins:
            label = f"{name}, error {bins['calibration_error']:.3f}"
            axes.plot(bins["confidence"], bins["accuracy"], label=label, **line_style(place))
            sizes = 10 + 90 * np.asarray(bins["count"]) / most
            axes.scatter(bins["confidence"], bins["accuracy"], sizes, color=COLOURS[place], zorder=3)
    axes.set(xlabel="confidence (larger dots: more answers)", ylabel="accuracy", ylim=(-0.02, 1.04))
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    return figure


def _risk_coverage(tree: Tree) -> Figure | None:
    curve = tree["details"].get("risk_coverage")
    if not curve:
        return None
    figure, axes = canvas(3.0)
    axes.plot(curve["coverage"], curve["risk"], **line_style(0))
    decided = tree["details"]["decided"]
    if decided and tree["calibration"]["abstain_below"] is not None and decided["answered"]:
        risk = 1 - decided["accuracy_of_answered"]
        axes.plot(decided["answered"], risk, "s", color=COLOURS[1], label="chosen abstention")
        axes.legend(frameon=False)
    axes.set(xlabel="share answered, the surest first", ylabel="share of them wrong", xlim=(0, 1.01))
    axes.set_ylim(bottom=0)
    return figure
