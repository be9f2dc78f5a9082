"""What labels of medical data mean, and which of them is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.data.examples import Examples
from core.errors import UserError

# What says that nothing is to be found.
ABSENT = (
    *("normal", "healthy", "well", "benign", "negative", "none", "nothing", "absent", "control", "clear"),
    *("no", "no finding", "no_finding", "false", "n", "0", "-"),
)
OTHERS = "other"  # the class of all that is not looked for, where that is several classes


def renamed(examples: Examples, names: Mapping[str, str]) -> Examples:
    """Return examples with labels by the names that they are given; several may get the same.

    Raises:
        UserError: A label has no name.
    """
    if not names:
        return examples
    strange = sorted(set(examples["label"].tolist()) - names.keys())
    if strange:
        raise UserError(
            f"label_names must name each label of {examples.source}. Received: no name for "
            f"{', '.join(strange[:8])}."
        )
    return examples.with_columns(label=[names[label] for label in examples["label"].tolist()])


def found_or_other(parts: Mapping[str, Examples], finding: str) -> dict[str, Examples]:
    """Return the parts of a source with two labels: what is looked for, and all else.

    Args:
        parts: `train` at least.
        finding: What is looked for.

    Raises:
        UserError: No training example has it.
    """
    labels = sorted(set(parts["train"]["label"].tolist()))
    if finding not in labels:
        raise UserError(
            f"finding must be a label of {parts['train'].source}, which are {', '.join(labels[:12])}. "
            f"Received: {finding!r}."
        )
    if len(labels) == 2:
        return dict(parts)
    return {
        part: examples.with_columns(
            label=[label if label == finding else OTHERS for label in examples["label"].tolist()]
        )
        for part, examples in parts.items()
    }


def present_among(labels: Sequence[str]) -> str:
    """Return which of two labels means that something is there, as the other one means that nothing is.

    Raises:
        UserError: It can't be known.

    Example:

    >>> present_among(["normal", "abnormal"])
    'abnormal'
    """
    present = [label for label in labels if label.lower() not in ABSENT]
    if len(present) != 1:
        raise UserError(
            f"Say with finding= which of the two labels is looked for. Received: {' and '.join(labels)}."
        )
    return present[0]
