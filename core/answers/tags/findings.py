"""What most needs mending in a tagger's answers."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

SIGNIFICANT = 0.05
A_FEW = 5  # mistakes that make a pattern
MANY = 0.25  # share of the mistakes


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield the weakest type, boundaries, types taken for each other, and entities that are new."""
    details = tree["details"]
    if not details["mistakes"]:
        return
    for look in (_weakest, _boundaries, _confused, _unseen):
        yield from look(details)


def _weakest(details: Tree) -> Iterator[Finding]:
    true = {name: row for name, row in details["types"].items() if row["support"]}
    if len(true) < 2:
        return
    name = min(true, key=lambda each: true[each]["recall"])
    row = true[name]
    if row["p"] >= SIGNIFICANT or row["recall"] >= row["others_recall"]:
        return
    mistakes = sum(row["errors"].values())
    yield Finding(
        f"Entities of type “{name}” are found worst",
        f"recall {row['recall']:.3f} of {row['support']}, of all other types {row['others_recall']:.3f}; "
        f"{mistakes} of {details['mistakes']} mistakes are on it",
        "Look at these sentences: are its boundaries and its type labelled alike everywhere? Add examples.",
        mistakes / details["mistakes"],
        "entities",
    )


def _boundaries(details: Tree) -> Iterator[Finding]:
    wrong = details["errors"]["wrong boundary"]
    if wrong < A_FEW or wrong < MANY * details["mistakes"]:
        return
    yield Finding(
        "Entities are found, with the wrong first or last word",
        f"{wrong} of {details['mistakes']} mistakes have the right type and overlap the true words",
        "Look at them: titles, articles and punctuation are often labelled now one way, now the other. A "
        "layer that knows which tags may follow each other helps too.",
        wrong / details["mistakes"],
        "errors",
    )


def _confused(details: Tree) -> Iterator[Finding]:
    if not details["confused"]:
        return
    pair = details["confused"][0]
    if pair["count"] < A_FEW:
        return
    yield Finding(
        f"“{pair['true']}” is taken for “{pair['predicted']}”",
        f"{pair['count']} of {details['mistakes']} mistakes have the right words and the wrong type so",
        "Look at these sentences: are the labels clear? Then add examples of both, or merge the types.",
        pair["count"] / details["mistakes"],
        "confused",
    )


def _unseen(details: Tree) -> Iterator[Finding]:
    seen = details["seen"]
    if not seen or seen["p"] >= SIGNIFICANT or seen["recall_unseen"] >= seen["recall_seen"]:
        return
    missed = round((1 - seen["recall_unseen"]) * seen["unseen"])
    yield Finding(
        "Entities that the training part lacks are found less often",
        f"recall {seen['recall_unseen']:.3f} of {seen['unseen']} new ones, {seen['recall_seen']:.3f} of "
        f"{seen['seen']} seen ones",
        "The model remembers names: drop words while training, add subwords or characters, or start from a "
        "pretrained encoder.",
        missed / details["mistakes"],
        "entities",
    )
