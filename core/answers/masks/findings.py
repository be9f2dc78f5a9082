"""What most needs mending in masks."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

WEAKER = 0.1  # by which a class is worse than the rest
MUCH = 0.2  # share of the wrong pixels that makes a pattern
SHARP = 0.15  # by which edges are worse than what lies within them


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield the weakest class, the classes that are confused most, and edges that are found badly."""
    details = tree["details"]
    known = {label: row for label, row in details["per_class"].items() if row["iou"] is not None}
    if len(known) > 1:
        yield from _weakest(known)
    yield from _confused(details)
    yield from _edges(known)


def _weakest(known: Tree) -> Iterator[Finding]:
    label = min(known, key=lambda each: known[each]["iou"])
    others = [row["iou"] for each, row in known.items() if each != label]
    rest, row = sum(others) / len(others), known[label]
    if rest - row["iou"] < WEAKER:
        return
    yield Finding(
        f"“{label}” is found worst",
        f"it overlaps the truth by {row['iou']:.3f}, the others by {rest:.3f} on average; it has "
        f"{row['share']:.1%} of the pixels",
        "Look at its pictures: is it marked alike in all of them? Add pictures of it, or weigh the overlap "
        "of classes higher in the loss.",
        rest - row["iou"],
        "classes",
    )


def _confused(details: Tree) -> Iterator[Finding]:
    wrong = details["wrong"]["wrong"]
    if not details["confused"] or len(details["labels"]) < 3:
        return
    pair = details["confused"][0]
    if pair["pixels"] < MUCH * wrong:
        return
    yield Finding(
        f"“{pair['true']}” is taken for “{pair['said']}”",
        f"{pair['pixels']:,} of {wrong:,} wrong pixels",
        "Look at them: are the masks clear there? Then add pictures of both.",
        pair["pixels"] / wrong / 2,
        "confusion",
    )


def _edges(known: Tree) -> Iterator[Finding]:
    gaps = {
        label: row["dice"] - row["boundary_f1"]
        for label, row in known.items()
        if row["boundary_f1"] is not None
    }
    if not gaps:
        return
    label = max(gaps, key=lambda each: gaps[each])
    if gaps[label] < SHARP:
        return
    yield Finding(
        f"The edges of “{label}” are found badly",
        f"boundary F1 {known[label]['boundary_f1']:.3f}, Dice {known[label]['dice']:.3f}",
        "Give the net larger pictures or more width, or look at how exactly masks are drawn.",
        gaps[label] / 2,
        "classes",
    )
