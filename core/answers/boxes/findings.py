"""What most needs mending in a detector's boxes."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

A_FEW = 5  # mistakes that make a pattern
WEAKER = 0.1  # by which a class or a size is worse than the rest
LOOSE = 0.2  # share of hits that are badly placed


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield the weakest class, small objects that are missed, and what predictions are wrong about."""
    details = tree["details"]
    mistakes = sum(details["wrong"].values())
    if mistakes:
        yield from _weakest_class(details, mistakes)
        yield from _small(details, mistakes)
        yield from _confused(details, mistakes)
        yield from _false_alarms(details, mistakes)
    yield from _placement(details)


def _weakest_class(details: Tree, mistakes: int) -> Iterator[Finding]:
    known = {
        label: row
        for label, row in details["per_class"].items()
        if row["ap50"] is not None and row["true"] >= A_FEW
    }
    if len(known) < 2:
        return
    label = min(known, key=lambda each: known[each]["ap50"])
    others = [row["ap50"] for each, row in known.items() if each != label]
    rest = sum(others) / len(others)
    place = details["labels"].index(label)
    row, confusion = known[label], details["confusion"]
    wrong = row["true"] - confusion[place][place] + confusion[-1][place]
    if rest - row["ap50"] < WEAKER:
        return
    yield Finding(
        f"“{label}” is found worst",
        f"average precision {row['ap50']:.3f} at an overlap of 0.5, of the others {rest:.3f} on average; "
        f"{wrong} of {mistakes} mistakes concern its {row['true']} objects",
        "Look at its pictures: are all of its objects marked, and alike? Add pictures of it.",
        min(wrong / mistakes, 1.0),
        "classes",
    )


def _small(details: Tree, mistakes: int) -> Iterator[Finding]:
    small = details["sizes"]["small"]
    rest = [row for name, row in details["sizes"].items() if name != "small" and row["true"]]
    if not small["true"] or not rest or small["missed"] < A_FEW:
        return
    recall = 1 - sum(row["missed"] for row in rest) / sum(row["true"] for row in rest)
    if recall - small["recall"] < WEAKER:
        return
    yield Finding(
        "Small objects are missed",
        f"{small['missed']} of {small['true']} smaller than 32 x 32 pixels are not found: recall "
        f"{small['recall']:.3f}, of larger ones {recall:.3f}",
        "Give the model larger pictures or a finer grid, or cut pictures into parts.",
        min(small["missed"] / mistakes, 1.0),
        "sizes",
    )


def _confused(details: Tree, mistakes: int) -> Iterator[Finding]:
    if not details["confused"] or details["confused"][0]["count"] < A_FEW:
        return
    pair = details["confused"][0]
    yield Finding(
        f"“{pair['true']}” is taken for “{pair['said']}”",
        f"{pair['count']} of {mistakes} mistakes, each in the right place",
        "Look at these objects: are the labels clear? Then add pictures of both, or merge the classes.",
        pair["count"] / mistakes,
        "confusion",
    )


def _false_alarms(details: Tree, mistakes: int) -> Iterator[Finding]:
    duplicates, background = (details["wrong"][name] for name in ("duplicates", "background"))
    if duplicates >= A_FEW:
        yield Finding(
            "Objects are found twice",
            f"{duplicates} of {mistakes} mistakes are further boxes on an object that a surer one has taken",
            "Suppress overlapping boxes of a class from a lower overlap on.",
            duplicates / mistakes,
            "confusion",
        )
    if background >= A_FEW:
        yield Finding(
            "Background is taken for objects",
            f"{background} of {mistakes} mistakes are boxes where no object of the class is",
            "Look at them: an object that nobody marked is mended in the data. Else train on pictures "
            "without objects too.",
            background / mistakes,
            "confusion",
        )


def _placement(details: Tree) -> Iterator[Finding]:
    hits, loose = details["hits"], details["loose_hits"]
    if loose < A_FEW or loose < LOOSE * hits:
        return
    yield Finding(
        "Boxes are badly placed",
        f"{loose} of {hits} boxes that overlap their object by half overlap it by less than three quarters",
        "Weigh the loss of the boxes higher, train longer, or look at how exactly the data are marked.",
        loose / hits / 2,
        "sizes",
    )
