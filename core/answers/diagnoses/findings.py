"""What most needs mending in answers of how likely somebody has something."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree
from core.answers.two_classes.findings import findings as findings_of_two_classes


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield that a threshold finds fewer than it should, and what answers of two classes show."""
    point = tree["details"]["operating_point"]
    asked, recall = point["asked_recall"], point["recall"]
    if point["threshold"] is not None and asked and recall["high"] is not None and recall["high"] < asked:
        label = tree["details"]["labels"][1]
        yield Finding(
            f"The threshold finds fewer “{label}” than it was chosen for",
            f"recall {recall['value']:.3f} ({recall['low']:.3f} to {recall['high']:.3f}) on the test part, "
            f"{asked:g} asked for on the validation part",
            "Ask for a higher recall, by a validation part that is more like the test part.",
            1.0,
            "decision",
        )
    yield from findings_of_two_classes(tree)
