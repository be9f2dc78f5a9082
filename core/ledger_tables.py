"""The tables of Markdown files that are made from ledgers.

A table stands between two comments, of which the first says what it shows: `summary`, one line for each
configuration (or for those named after it), or a domain such as `nlp`, with every measurement in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from core.errors import UserError
from core.ledger import Entry, Ledger, Spread
from core.settings import unknown_key

BEGINNING, END = "<!-- ledger:", "<!-- end of ledger -->"
PLACE = re.compile(rf"{BEGINNING} *(?P<shows>[^>]*?) *-->\n(?P<table>.*?){END}", re.DOTALL)


def with_tables(text: str, ledgers: Mapping[str, Ledger]) -> str:
    """Return a Markdown text with its tables made anew.

    Args:
        text: All of a Markdown file.
        ledgers: Name of a configuration, such as `nlp/sentiment`, to its ledger.

    Raises:
        UserError: A table is not ended, or shows something that is no configuration and no domain.
    """
    if not len(PLACE.findall(text)) == text.count(BEGINNING) == text.count(END):
        raise UserError(
            f"Each `{BEGINNING} ... -->` needs its own `{END}` after it. Received: "
            f"{text.count(BEGINNING)} and {text.count(END)}."
        )
    return PLACE.sub(
        lambda place: (
            f"{BEGINNING} {place['shows']} -->\n\n{_table(place['shows'].split(), ledgers)}\n\n{END}"
        ),
        text,
    )


def _table(shows: Sequence[str], ledgers: Mapping[str, Ledger]) -> str:
    if shows and shows[0] == "summary":
        for name in shows[1:]:
            if name not in ledgers:
                raise UserError(unknown_key(name, ledgers).replace("key", "configuration"))
        return summary({name: ledgers[name] for name in shows[1:] or ledgers})
    domains = {name.split("/")[0] for name in ledgers}
    if len(shows) != 1 or shows[0] not in domains:
        raise UserError(
            f"A table shows summary, or one of {', '.join(sorted(domains))}. "
            f"Received: {' '.join(shows) or 'nothing'}."
        )
    return measurements({name: each for name, each in ledgers.items() if name.split("/")[0] == shows[0]})


def summary(ledgers: Mapping[str, Ledger]) -> str:
    """Return a table with the first measurement of each configuration in one line."""
    rows = []
    for name, ledger in ledgers.items():
        for entry in ledger.entries[:1]:
            figure, value = entry.headline
            rival, rival_value = entry.best_rival(ledger.direction) or ("", "")
            rows.append(
                [
                    f"`{name}`",
                    entry.data,
                    figure,
                    _bold(value),
                    rival,
                    str(rival_value),
                    _number(entry.seconds),
                ]
            )
    return _rows(["task", "data", "figure", "model", "best rival", "its figure", "seconds"], rows)


def measurements(ledgers: Mapping[str, Ledger]) -> str:
    """Return a table with every measurement in full."""
    rows = [_measurement(entry) for ledger in ledgers.values() for entry in ledger.entries]
    return _rows(
        ["command", "data and protocol", "figures", "rivals in the same run", "seconds", "notes"], rows
    )


def _measurement(entry: Entry) -> list[str]:
    (first, value), *others = entry.figures.items()
    figures = [f"{first} {_bold(value)}", *(f"{name} {each}" for name, each in others)]
    rivals = [
        f"{rival} {', '.join(_compared(entry, name, each) for name, each in figures.items())}"
        for rival, figures in entry.rivals.items()
    ]
    seconds = f"{_number(entry.seconds)}, {entry.hardware}" if entry.seconds else entry.hardware or ""
    notes = [*([entry.note] if entry.note else []), *([str(entry.date)] if entry.date else [])]
    return [
        f"`{entry.command}`",
        entry.data,
        ", ".join(figures),
        ", ".join(rivals),
        seconds,
        "; ".join(notes),
    ]


def _compared(entry: Entry, name: str, value: Decimal | Spread) -> str:
    """Return a rival's figure, with its name where that is not the headline."""
    return str(value) if name == entry.headline[0] else f"({name} {value})"


def _bold(value: Decimal | Spread) -> str:
    return f"**{value.mean}** ± {value.std}" if isinstance(value, Spread) else f"**{value}**"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,}"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
