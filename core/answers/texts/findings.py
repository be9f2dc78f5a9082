"""What most needs mending in generated texts."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

MANY = 0.05  # share of the texts
SAME = 0.1  # share of the texts that may be one and the same
A_FEW = 5
ADVICE = {
    "empty": "Forbid the end of a text as its first token, and look whether these inputs are cut off.",
    "too short": "Score by the mean over tokens instead of their sum, or weigh length in the beam search.",
    "too long": "Look whether the end of a text is learnt: is it among the targets, and never cut off?",
    "repeats itself": "Forbid n-grams that stand there already, or draw from the likeliest tokens instead of "
    "taking the best; a longer training helps too.",
    "copies the source": "Look at the training part: pairs whose two sides are equal teach to copy.",
}


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield faults that many texts have, and one answer for everything."""
    details = tree["details"]
    for fault, advice in ADVICE.items():
        row = details["faults"][fault]
        if row["texts"] >= max(A_FEW, MANY * details["texts"]):
            yield Finding(
                f"Texts are {fault}" if fault in ("empty", "too short", "too long") else f"A text {fault}",
                f"{row['texts']} of {details['texts']} texts; {row['share_of_loss']:.0%} of all that is lost",
                advice,
                max(row["share_of_loss"], row["texts"] / details["texts"] / 2),
                "texts",
            )
    most = details["most_said"]
    if most["texts"] >= max(A_FEW, SAME * details["texts"]) and most["texts"] > 2 * most["true"]:
        yield Finding(
            "Many answers are one and the same",
            f"{most['texts']} of {details['texts']} are “{most['text']}”, which is true of {most['true']}",
            "It is the safest answer: train longer, weigh frequent texts less, or draw instead of searching.",
            most["texts"] / details["texts"],
            "texts",
        )
