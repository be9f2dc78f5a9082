"""Several runs side by side: their figures, whether they differ for sure, and how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.canvas import COLOURS, canvas, line_style
from core.answers.kind import Answers
from core.answers.significance import holm, mcnemar, paired_differences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IN_PAIRS = 4  # runs that are each compared with each; of more, each with the best
SIGNIFICANT = 0.05

Tree = Mapping[str, Any]


def comparison_of(
    names: Sequence[str], trees: Sequence[Tree], answers: Sequence[Answers | None]
) -> dict[str, Any]:
    """Return the figures of runs side by side.

    Args:
        names: Of the runs, each another.
        trees: The figures of their reports.
        answers: Theirs, to pair them where they answered the same examples.
    """
    figures = _figures(trees)
    paired = _answered_the_same(answers)
    best = figures[0]["best"] if figures else 0
    return {
        "runs": list(names),
        "figures": figures,
        "pairs": _pairs(names, answers, best) if paired else [],
        "not_paired": None if paired else "Their test examples differ, so differences can't be tested.",
        "settings": _differing_settings(trees),
        "protocols": [tree["protocol"] for tree in trees],
        "costs": [tree["cost"] for tree in trees],
        "histories": [tree["history"] for tree in trees],
        "objectives": [tree["objective"] for tree in trees],
    }


def _figures(trees: Sequence[Tree]) -> list[dict[str, Any]]:
    rows = []
    for row in trees[0]["figures"]:
        values = [
            next((other for other in tree["figures"] if other["name"] == row["name"]), None) for tree in trees
        ]
        known = {place: each["value"] for place, each in enumerate(values) if each is not None}
        best = (min if row["lower_is_better"] else max)(known, key=known.__getitem__)
        rows.append(
            {
                "name": row["name"],
                "lower_is_better": row["lower_is_better"],
                "best": best,
                "values": [
                    each and {name: each[name] for name in ("value", "low", "high")} for each in values
                ],
            }
        )
    return rows


def _answered_the_same(answers: Sequence[Answers | None]) -> bool:
    first = answers[0]
    return first is not None and all(
        other is not None and type(other) is type(first) and np.array_equal(other.truth, first.truth)
        for other in answers[1:]
    )


def _pairs(names: Sequence[str], answers: Sequence[Any], best: int) -> list[dict[str, Any]]:
    places = range(len(answers))
    if len(answers) <= MOST_IN_PAIRS:
        chosen = list(combinations(places, 2))
    else:
        chosen = [(best, place) for place in places if place != best]
    pairs = [_pair(answers[first], answers[second]) for first, second in chosen]
    tested = [pair["mcnemar"] for pair in pairs if pair["mcnemar"] is not None]
    corrected = iter(holm([test["p"] for test in tested]))
    for pair, (first, second) in zip(pairs, chosen, strict=True):
        pair |= {"first": names[first], "second": names[second]}
        if pair["mcnemar"] is not None:
            pair["mcnemar"]["p_corrected"] = next(corrected)
            pair["mcnemar"]["significant"] = pair["mcnemar"]["p_corrected"] < SIGNIFICANT
    return pairs


def _pair(first: Answers, second: Answers) -> dict[str, Any]:
    differences = paired_differences(first.statistics, second.statistics, len(first))
    test = None
    if first.right is not None and second.right is not None:
        test = {
            "p": mcnemar(first.right, second.right),
            "only_first": int((first.right & ~second.right).sum()),
            "only_second": int((second.right & ~first.right).sum()),
        }
    return {
        "differences": [
            {"name": name, **each._asdict(), "significant": each.significant}
            for name, each in differences.items()
        ],
        "mcnemar": test,
    }


def _differing_settings(trees: Sequence[Tree]) -> list[dict[str, Any]]:
    flat = [
        {
            f"{part}.{name}": value
            for part, values in tree["settings"].items()
            for name, value in values.items()
        }
        for tree in trees
    ]
    names = dict.fromkeys(name for settings in flat for name in settings)
    return [
        {"name": name, "values": [settings.get(name) for settings in flat]}
        for name in names
        if any(settings.get(name) != flat[0].get(name) for settings in flat[1:])
    ]


def comparison_pictures(comparison: Tree) -> dict[str, Figure | None]:
    """Return name to picture: the headline figure with its interval, and the learning curves together."""
    return {"figures": _intervals(comparison), "learning": _learning(comparison)}


def _intervals(comparison: Tree) -> Figure | None:
    if not comparison["figures"]:
        return None
    row, names = comparison["figures"][0], comparison["runs"]
    figure, axes = canvas(1.0 + 0.4 * len(names))
    for place, value in enumerate(row["values"]):
        if value is None:
            continue
        if value["low"] is not None:
            axes.hlines(place, value["low"], value["high"], color=COLOURS[0], linewidth=2)
        axes.plot(value["value"], place, "o", color=COLOURS[1 if place == row["best"] else 0], markersize=8)
    axes.set_yticks(range(len(names)), [name if len(name) < 24 else name[:23] + "…" for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(xlabel=f"{row['name']} (orange: the best)")
    return figure


def _learning(comparison: Tree) -> Figure | None:
    objective = comparison["objectives"][0]
    if objective is None or any(objective["name"] not in history for history in comparison["histories"]):
        return None
    from matplotlib.ticker import MaxNLocator

    figure, axes = canvas(3.2)
    for place, (name, history) in enumerate(zip(comparison["runs"], comparison["histories"], strict=True)):
        values = [np.nan if value is None else value for value in history[objective["name"]]]
        axes.plot(range(1, len(values) + 1), values, label=name[:24], **line_style(place))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel=objective["name"])
    axes.legend(frameon=False, fontsize=9)
    return figure
