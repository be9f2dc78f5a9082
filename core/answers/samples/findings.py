"""What most needs mending in generated pictures."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

COLLAPSED = 0.1  # recall below which most of what real pictures are is never made
MEMORISED = 0.2  # share of copies, of which real pictures have one in twenty


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield that the pictures are too alike, or copies."""
    figures = {figure["name"]: figure["value"] for figure in tree["figures"]}
    recall = figures.get("recall")
    if recall is not None and recall < COLLAPSED:
        yield Finding(
            "The generated pictures are too much alike",
            f"only {recall:.0%} of real pictures lie among generated ones",
            "Train longer or with a lower rate, a larger batch or more regularisation; look at `variety` in "
            "the history for where it fell.",
            COLLAPSED - recall + 0.2,
            "mistakes",
        )
    copies = figures.get("memorised")
    if copies is not None and copies > MEMORISED:
        yield Finding(
            "Some generated pictures are nearly copies",
            f"{copies:.0%} are nearer to a training picture than 95% of training pictures to another",
            "Train on more pictures, with augmentation, or shorter.",
            copies,
            "mistakes",
        )
