"""What most needs mending in sounds that a model makes."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

OFF = 0.1  # by which sounds are longer or shorter than they should be


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield sounds of the wrong length, which time warping hides."""
    ratio = tree["details"]["length_ratio"]
    if ratio is None or abs(ratio - 1) < OFF:
        return
    yield Finding(
        f"Sounds are too {'long' if ratio > 1 else 'short'}",
        f"half of them have {ratio:.0%} of the true length or {'more' if ratio > 1 else 'less'}, which the "
        "mel-cepstral distortion does not count",
        "Look at how the model tells when a sound ends, and how long its parts last.",
        min(abs(ratio - 1), 1.0),
        "likeness",
    )
