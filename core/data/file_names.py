"""What the names of files say, by a pattern such as `{label}_{speaker}_{take}`."""

from __future__ import annotations

import re

from core.errors import UserError

PLACEHOLDER = re.compile(r"\{(\w+)(?:=([^{}]*))?\}")


class NamePattern:
    """A pattern that tells what each piece of a file's name is.

    Args:
        names: Words in braces, and what stands between them. A word may list its values, as in
            `{label=turn_on|turn_off}_{speaker}`; otherwise it is whatever fits.

    Raises:
        UserError: It does not say the label, or is no such pattern.

    Example:

    >>> NamePattern("{label}_{speaker}").values("seven_theo")
    {'label': 'seven', 'speaker': 'theo'}
    >>> NamePattern("{label=on|turn_on}_{speaker}").values("turn_on_ann")
    {'label': 'turn_on', 'speaker': 'ann'}
    """

    def __init__(self, names: str) -> None:
        self.names = names
        # What stands between, a word, its values, what stands between, ...
        pieces = PLACEHOLDER.split(names)
        self.words = tuple(pieces[1::3])
        if "label" not in self.words:
            raise UserError(
                f"File names must say the label, such as {{label}}_{{speaker}}. Received: names={names!r}."
            )
        if (
            len(set(self.words)) < names.count("{")
            or not all(word.isidentifier() for word in self.words)
            or any(known is not None and not all(known.split("|")) for known in pieces[2::3])
        ):
            raise UserError(
                "Each {name} in names must be a word, and stand there once; its values, if it lists them, "
                f"stand between bars as in {{label=on|off}}. Received: names={names!r}."
            )
        self.shortest, self.longest = (_expression(pieces, longest=longest) for longest in (False, True))

    def values(self, stem: str) -> dict[str, str]:
        """Return what a name without its ending says of each word.

        Raises:
            UserError: It does not fit, or in more than one way.
        """
        first, last = self.shortest.fullmatch(stem), self.longest.fullmatch(stem)
        if first is None or last is None:
            raise UserError(f"A file is not named as names={self.names!r} says. Received: {stem!r}.")
        # Of all ways to split a name these two differ the most, so where they agree there is no other.
        if first.groups() != last.groups():
            raise UserError(
                f"names={self.names!r} splits {stem!r} in more than one way: {' + '.join(first.groups())}, "
                f"or {' + '.join(last.groups())}. List the values of a word, as in "
                f"{{label={last['label']}|...}}, or rename the files."
            )
        return first.groupdict()


def _expression(pieces: list[str | None], *, longest: bool) -> re.Pattern[str]:
    """Return the expression that gives the earlier words as many characters as they can have, or as few."""
    fragments = []
    for place in range(0, len(pieces), 3):
        fragments.append(re.escape(pieces[place] or ""))
        if place + 1 < len(pieces):
            word, known = pieces[place + 1], pieces[place + 2]
            values = sorted(known.split("|"), key=len, reverse=longest) if known else []
            fits = "|".join(map(re.escape, values)) or (".+" if longest else ".+?")
            fragments.append(f"(?P<{word}>{fits})")
    return re.compile("".join(fragments), re.DOTALL)
