"""What most needs mending in the moves of a game."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

SIGNIFICANT = 0.05
A_FEW = 5  # mistakes that make a pattern
TOO_SURE = 0.05


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield moves against the rules, the weakest phase, near misses, and confidence that misleads."""
    details = tree["details"]
    if not details["mistakes"]:
        return
    for look in (_illegal, _weakest, _near_misses, _too_sure):
        yield from look(details)


def _illegal(details: Tree) -> Iterator[Finding]:
    if details["illegal"]:
        yield Finding(
            "Some answers are against the rules",
            f"{details['illegal']} of {details['positions']} best moves are not legal",
            "Leave moves out that the rules forbid before the probabilities are made.",
            min(0.2 + details["illegal"] / details["mistakes"], 1.0),
            "moves",
        )


def _weakest(details: Tree) -> Iterator[Finding]:
    phases = {
        name: row
        for name, row in details["phases"].items()
        if row["p"] < SIGNIFICANT and row["accuracy"] < row["others"]
    }
    if not phases:
        return
    name = min(phases, key=lambda each: phases[each]["accuracy"])
    row = phases[name]
    wrong = round((1 - row["accuracy"]) * row["positions"])
    yield Finding(
        f"Moves {name} are answered worst",
        f"accuracy {row['accuracy']:.3f} on {row['positions']} positions, {row['others']:.3f} on all others",
        "Few games reach the same position there: add games, or weigh positions of this phase higher.",
        wrong / details["mistakes"],
        "moves",
    )


def _near_misses(details: Tree) -> Iterator[Finding]:
    near = details["second_or_third"]
    if near < A_FEW or 2 * near < details["mistakes"]:
        return
    yield Finding(
        "Most moves that are missed stand second or third",
        f"{near} of {details['mistakes']} mistakes",
        "People differ too: judge by top_3 and log_loss, and look whether positions have several moves.",
        near / details["mistakes"] / 4,
        "moves",
    )


def _too_sure(details: Tree) -> Iterator[Finding]:
    excess = details["mean_confidence"] - details["accuracy"]
    if excess < TOO_SURE or details["mistakes"] < A_FEW:
        return
    yield Finding(
        "The model is surer than it is right",
        f"mean probability of the best move {details['mean_confidence']:.3f}, accuracy "
        f"{details['accuracy']:.3f}; {details['confident_mistakes']} mistakes have 0.9 and up",
        "Smooth the labels, stop earlier, or divide the logits by a temperature.",
        min(excess / max(1 - details["accuracy"], 0.01), 1.0) / 2,
        "moves",
    )
