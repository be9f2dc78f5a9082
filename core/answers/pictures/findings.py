"""What most needs mending in pictures that a model makes."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

UNEVEN = 0.3  # share of the squared error that the worst tenth makes


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield that a few pictures are much worse than the rest."""
    worst = tree["details"]["worst"]
    if not worst or worst["rest"] is None or worst["share_of_error"] < UNEVEN:
        return
    yield Finding(
        "Few pictures make much of the error",
        f"the worst {worst['pictures']} make {worst['share_of_error']:.0%} of the squared error: psnr "
        f"{worst['psnr']:.2f}, of the rest {worst['rest']:.2f}",
        "Look at what they have in common that others lack, and train on pictures like them.",
        worst["share_of_error"] - 0.1,
        "mistakes",
    )
