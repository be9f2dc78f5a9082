"""What most needs mending in a classifier's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.answers.finding import Finding
from core.answers.kind import Tree

MISCALIBRATED = 0.02
SIGNIFICANT = 0.05
A_FEW = 5  # mistakes that make a pattern


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield the weakest class, the classes taken for each other, and confidence that misleads."""
    details = tree["details"]
    if details["mistakes"]:
        weakest = _weakest_class(details)
        if weakest:
            yield weakest
        # Of two classes every mistake is the same confusion, and that of the weakest is reported with it.
        pair = details["confused"][0]
        if (
            len(details["labels"]) > 2
            and pair["count"] >= A_FEW
            and not (weakest and _is_reported(pair, details))
        ):
            yield _confused(pair, details["mistakes"])
        if details["confident_mistakes"] >= A_FEW:
            yield _sure_and_wrong(details)
    yield from _confidence(tree)


def _is_reported(pair: Mapping[str, Any], details: Tree) -> bool:
    label = _weakest(details)
    return {pair["first"], pair["second"]} == {label, details["per_class"][label]["mostly_taken_for"]}


def _weakest(details: Tree) -> str:
    known = [label for label, row in details["per_class"].items() if row["recall"] is not None]
    return min(known, key=lambda label: details["per_class"][label]["recall"])


def _weakest_class(details: Tree) -> Finding | None:
    label = _weakest(details)
    row, rows = details["per_class"][label], details["per_class"].values()
    others = sum(other["support"] for other in rows) - row["support"]
    missed = round((1 - row["recall"]) * row["support"])
    rest = 1 - (details["mistakes"] - missed) / max(others, 1)
    if row["p"] >= SIGNIFICANT or row["recall"] >= rest:
        return None
    return Finding(
        f"“{label}” is recognised worst, and mostly taken for “{row['mostly_taken_for']}”",
        f"recall {row['recall']:.3f} ({row['recall_low']:.3f} to {row['recall_high']:.3f}), of all others "
        f"{rest:.3f}; {missed} of {details['mistakes']} mistakes are on its {row['support']} examples",
        "Look at these examples: are their labels clear? Add examples, weigh the class higher "
        "(fit.imbalance=weights), or give it a threshold of its own: "
        f"quartet calibrate RUN --label {label} --recall 0.9",
        missed / details["mistakes"],
        "classes",
    )


def _confused(pair: Mapping[str, Any], mistakes: int) -> Finding:
    return Finding(
        f"“{pair['first']}” and “{pair['second']}” are taken for each other",
        f"{pair['count']} of {mistakes} mistakes: {pair['first_as_second']} “{pair['first']}” taken for "
        f"“{pair['second']}”, {pair['second_as_first']} the other way",
        "Look at these examples: are the labels clear? Then add examples of both, or merge the classes.",
        pair["count"] / mistakes,
        "confusion",
    )


def _sure_and_wrong(details: Tree) -> Finding:
    return Finding(
        "Some answers are sure and wrong",
        f"{details['confident_mistakes']} of {details['mistakes']} mistakes have a confidence of 0.9 or more",
        "Look at them: a wrong label is mended in the data, a true mistake needs examples like it.",
        details["confident_mistakes"] / details["mistakes"] / 2,
        "mistakes",
    )


def _confidence(tree: Tree) -> Iterator[Finding]:
    details, right = tree["details"], 1 - tree["mean_loss"]
    bins = details["reliability_calibrated"] or details["reliability"]
    excess = bins["calibration_error"] - bins["expected_by_chance"]
    if excess < max(MISCALIBRATED, bins["expected_by_chance"] / 2):
        return
    if abs(bins["mean_confidence"] - right) < excess / 2:
        title = "The model is too sure of some answers and not sure enough of others"
    elif bins["mean_confidence"] > right:
        title = "The model is surer than it is right"
    else:
        title = "The model is less sure than it is right"
    yield Finding(
        title,
        f"mean confidence {bins['mean_confidence']:.3f}, accuracy {right:.3f}, expected calibration error "
        f"{bins['calibration_error']:.3f}, of which chance makes {bins['expected_by_chance']:.3f}",
        "Fit a temperature on the validation part: quartet calibrate RUN, or by core.answers.calibration."
        if tree["calibration"] is None
        else "It is calibrated already: the validation part may be too small, or unlike the test part.",
        min(excess / max(tree["mean_loss"], 0.01), 1.0),
        "calibration",
    )
