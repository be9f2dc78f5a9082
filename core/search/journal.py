"""The journal of a search: one line an event, from which a killed search is brought back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import UserError

Event = dict[str, Any]


class Journal:
    """Events in a file, in the order in which they happened.

    Args:
        path: The file; it is made by the first event.

    Example:

    >>> import tempfile
    >>> journal = Journal(Path(tempfile.mkdtemp()) / "journal.jsonl")
    >>> journal.append({"event": "stopped"})
    >>> journal.events()
    [{'event': 'stopped'}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[Event]:
        """Return all events; a last line that a kill tore off is removed from the file.

        Raises:
            UserError: A line within the file is damaged.
        """
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self.path.open("r+b") as file:
                file.truncate(len(whole))
        events = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                events.append(json.loads(line))
            except ValueError:
                raise UserError(
                    f"{self.path}, line {number}, is damaged. Give another --folder to search anew. "
                    f"Received: {line[:60]!r}."
                ) from None
        return events

    def append(self, event: Event) -> None:
        """Write one event, in one piece."""
        with self.path.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")
