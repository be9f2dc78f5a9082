"""Pictures of answers that are found in a context: which questions are answered how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.answers.canvas import COLOURS, canvas
from core.answers.kind import Tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(tree: Tree) -> dict[str, Figure | None]:
    """Return name to picture, drawn from the figures of a report."""
    return {"question_words": _question_words(tree)}


def _question_words(tree: Tree) -> Figure:
    words = sorted(tree["details"]["words"].items(), key=lambda pair: pair[1]["f1"])[::-1]
    figure, axes = canvas(1.5 + 0.34 * len(words))
    names = [f"{word[:16]} ({row['questions']})" for word, row in words]
    for place, (figure_name, label) in enumerate((("f1", "F1"), ("exact_match", "exact match"))):
        heights = [index + 0.18 - 0.36 * place for index in range(len(words))]
        axes.barh(heights, [row[figure_name] for _, row in words], 0.34, label=label, color=COLOURS[place])
    axes.set_yticks(range(len(words)), names)
    axes.set(xlim=(0, 1))
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, ncols=2, loc="outside upper center")
    return figure
