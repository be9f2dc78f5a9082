"""Which of two values of a column means a click."""

from __future__ import annotations

import numpy as np

from core.data.examples import Examples
from core.errors import UserError

CLICKS = ("1", "true", "yes", "click", "clicked", "y", "t")
NO_CLICKS = ("0", "-1", "false", "no", "n", "f")


def no_click_and_click(train: Examples, positive: str | None = None) -> list[str]:
    """Return the two labels of a training part, that of a click last.

    Args:
        train: Has a column `label` of texts.
        positive: The one that means a click; by default the one whose name says so, else the rarer one.

    Raises:
        UserError: There are not two labels, or none of them is `positive`.

    Example:

    >>> no_click_and_click(Examples({"label": ["1", "-1", "-1"]}))
    ['-1', '1']
    """
    labels, counts = np.unique(train["label"], return_counts=True)
    names = labels.tolist()
    if len(names) > 2:
        raise UserError(
            f"A row was clicked or not: the column of clicks of {train.source} must have two values. "
            f"Received: {len(names)}, such as {', '.join(names[:5])}."
        )
    if len(names) < 2:
        raise UserError(
            f"Clicks are learnt from rows with and rows without one, and in the training part of "
            f"{train.source} all are alike. Received: {len(train)} rows, all {names[0]!r}."
        )
    if positive is not None and positive not in names:
        raise UserError(f"positive must be one of the labels {', '.join(names)}. Received: {positive!r}.")
    click = positive or _named(names) or names[int(counts[::-1].argmin() == 0)]
    return [next(name for name in names if name != click), click]


def _named(names: list[str]) -> str | None:
    for name in names:
        (other,) = (each for each in names if each != name)
        if name.lower() in CLICKS or other.lower() in NO_CLICKS:
            return name
    return None
