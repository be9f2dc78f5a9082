"""Plain texts as models read them, alike in training and in exports; needs Python alone."""

from __future__ import annotations

from core.data.letters import composed


def cleaned(text: str) -> str:
    """Return a text with the line ends of Unix, and each letter with its marks as one where there is one.

    Example:

    >>> cleaned("one\\r\\ntwo")
    'one\\ntwo'
    """
    return composed(text.replace("\r\n", "\n").replace("\r", "\n"))
