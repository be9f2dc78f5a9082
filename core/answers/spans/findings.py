"""What most needs mending in answers that are found in a context."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

SIGNIFICANT = 0.05
A_FEW = 5  # mistakes that make a pattern
MANY = 0.25  # share of the mistakes


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield the weakest questions, edges, silence where there is an answer, and confidence that misleads."""
    details = tree["details"]
    if not details["mistakes"]:
        return
    for look in (_weakest, _edges, _silence, _sure_and_wrong):
        yield from look(tree, details)


def _weakest(tree: Tree, details: Tree) -> Iterator[Finding]:
    words = {
        word: row
        for word, row in details["words"].items()
        if row["p"] < SIGNIFICANT and row["f1"] < row["others_f1"]
    }
    if not words:
        return
    word = min(words, key=lambda each: words[each]["f1"])
    row = words[word]
    lost = (1 - row["f1"]) * row["questions"] / max(tree["mean_loss"] * details["questions"], 1e-12)
    name = "Questions of few question words" if word == "other" else f"Questions with “{word}”"
    yield Finding(
        f"{name} are answered worst",
        f"F1 {row['f1']:.3f} on {row['questions']} questions, {row['others_f1']:.3f} on all others",
        "Look at these questions: do the training part's answers to such questions look alike? Add more.",
        min(lost, 1.0),
        "questions",
    )


def _edges(tree: Tree, details: Tree) -> Iterator[Finding]:
    errors = details["errors"]
    long, short = errors["too long"], errors["too short"]
    wrong, other = max(long, short), min(long, short)
    if wrong < A_FEW or long + short < MANY * details["mistakes"]:
        return
    which = "too long" if long > short else "too short"
    lopsided = wrong > 2 * other
    yield Finding(
        f"Answers are found, and {which if lopsided else 'begin or end at the wrong word'}",
        f"{long} of {details['mistakes']} mistakes hold a true answer and more, {short} are part of one",
        "Look at them: people differ too. If one way outweighs, bound the length of an answer, or choose "
        "start and end together instead of one after the other.",
        (long + short) / details["mistakes"] / 2,
        "questions",
    )


def _silence(tree: Tree, details: Tree) -> Iterator[Finding]:
    errors = details["errors"]
    silent, invented = errors["not answered"], errors["not answerable"]
    if silent >= A_FEW and silent >= MANY * details["mistakes"] and silent > invented:
        title, count = "Questions are left unanswered that have an answer", silent
    elif invented >= A_FEW and invented >= MANY * details["mistakes"]:
        title, count = "Questions are answered that have no answer in their context", invented
    else:
        return
    yield Finding(
        title,
        f"{silent} of {details['mistakes']} mistakes leave out an answer, {invented} give one where there is "
        "none",
        "Choose the threshold of no answer on the validation part.",
        count / details["mistakes"],
        "questions",
    )


def _sure_and_wrong(tree: Tree, details: Tree) -> Iterator[Finding]:
    if details["confident_mistakes"] < A_FEW:
        return
    yield Finding(
        "Some answers are sure and wrong",
        f"{details['confident_mistakes']} of {details['mistakes']} mistakes have a probability of 0.9 and up",
        "Look at them: an answer may be right that nobody wrote down; a true mistake needs examples like it.",
        details["confident_mistakes"] / details["mistakes"] / 2,
        "mistakes",
    )
