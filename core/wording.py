"""Messages that tell how many."""

from __future__ import annotations


def agreeing(count: int, one: str, many: str = "") -> str:
    """Return the words for one of a thing, or those for any other number.

    Args:
        count: Of things.
        one: Words for one.
        many: Words for more or none; by default those for one with an s.

    Example:

    >>> agreeing(1, "text is empty", "texts are empty")
    'text is empty'
    """
    return one if count == 1 else many or f"{one}s"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number and the words that go with it, as `agreeing` chooses them.

    Example:

    >>> counted(1, "bad line"), counted(2, "bad line")
    ('1 bad line', '2 bad lines')
    """
    return f"{count} {agreeing(count, one, many)}"
