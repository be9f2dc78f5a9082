"""The exceptions for mistakes that a user can mend, and what the system refuses, in words."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

LONGEST = 2_000  # characters of a message, since what it quotes of files may be of any length
LINE_ENDS = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]\s*")
# What moves a terminal's cursor or changes its colours, and halves of surrogate pairs.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class UserError(ValueError):
    """A mistake that the user can mend, reported in one or two plain lines.

    The command line prints the message without a traceback and exits with code 2. A good message says what is
    wrong, where, what was received, and what to do.

    Example:

    >>> raise UserError("epochs must be at least 1. Received: epochs=0.")
    Traceback (most recent call last):
    core.errors.UserError: epochs must be at least 1. Received: epochs=0.
    >>> str(UserError("There is no label a\\nb\\x1b[0m."))
    'There is no label a b\\\\x1b[0m.'
    """

    def __init__(self, message: str) -> None:
        super().__init__(in_a_line(message))


class MethodError(UserError):
    """An answer of this model can't be explained by the method that was asked for."""


def in_a_line(message: str) -> str:
    """Return a message as one line that any terminal shows, its middle left out where it is very long."""
    line = LINE_ENDS.sub(" ", message)
    line = UNPRINTABLE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 500]} ... {line[-490:]}"


@contextlib.contextmanager
def damage_reported(folder: object) -> Iterator[None]:
    """Report in one line that the files of a run are not as its training wrote them; never what they hold.

    Args:
        folder: Of the run.

    Example:

    >>> with damage_reported("runs/one"):
    ...     {"test": {}}["protocol"]
    Traceback (most recent call last):
    core.errors.UserError: The files of runs/one are damaged, or of another Quartet ...
    """
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise UserError(
            f"The files of {folder} are damaged, or of another Quartet: train again, or bring them back from "
            f"a copy. Received: {type(error).__name__} in {Path(place.filename).name}, {place.name}."
        ) from error


def refusal_of(error: OSError) -> str:
    """Return what the system refused, and of which file, if it says.

    Example:

    >>> refusal_of(OSError(28, "No space left on device", "runs/one/model.keras"))
    'No space left on device: runs/one/model.keras'
    """
    reason = str(error.strerror or error)
    return f"{reason}: {error.filename}" if error.filename else reason
