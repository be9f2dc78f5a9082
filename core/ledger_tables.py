"""The tables of Markdown files that are made from ledgers.

A table stands between two comments, each at the beginning of a line. The first says what the table shows:
`summary`, one line for each configuration (or for those named after it), or a domain such as `nlp`, with
every measurement in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from core.errors import UserError
from core.ledger import Entry, Ledger, Spread, middle
from core.settings import unknown_key

BEGINNING, END = "<!-- ledger:", "<!-- end of ledger -->"
MARK = re.compile(rf"^(?:{BEGINNING}|{END})", re.MULTILINE)
PLACE = re.compile(rf"^{BEGINNING} *(?P<shows>[^>\n]*?) *-->\n(?P<table>.*?)^{END}", re.DOTALL | re.MULTILINE)


def with_tables(text: str, ledgers: Mapping[str, Ledger]) -> str:
    """Return a Markdown text with its tables made anew.

    Args:
        text: All of a Markdown file.
        ledgers: Name of a configuration, such as `nlp/sentiment`, to its ledger.

    Raises:
        UserError: A table is not ended, or shows something that is no configuration and no domain.
    """
    marks = MARK.findall(text)
    if marks != [BEGINNING, END] * len(PLACE.findall(text)):
        raise UserError(
            f"Each line `{BEGINNING} ... -->` needs a line `{END}` after it. Received: {', '.join(marks)}."
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
            rival, rival_value = entry.best_rival(ledger.direction) or ("", None)
            best = entry.best(ledger.direction)
            compared = [figure, _shown(value, best), rival, _shown(rival_value, best)]
            rows.append([f"`{name}`", entry.data, *compared, _number(entry.seconds)])
    return _rows(["task", "data", "figure", "model", "best rival", "its figure", "seconds"], rows)


def measurements(ledgers: Mapping[str, Ledger]) -> str:
    """Return a table with every measurement in full."""
    head = ["command", "data and protocol", "figures", "rivals in the same run", "seconds", "notes"]
    rows = [_measurement(entry, ledger) for ledger in ledgers.values() for entry in ledger.entries]
    return _rows(head, rows)


def _measurement(entry: Entry, ledger: Ledger) -> list[str]:
    best = entry.best(ledger.direction)
    headline = entry.headline[0]
    figures = ", ".join(
        f"{name} {_shown(value, best) if name == headline else value}"
        for name, value in entry.figures.items()
    )
    rivals = "; ".join(
        f"{rival} {_of_rival(values, headline, best)}" for rival, values in entry.rivals.items()
    )
    seconds = f"{_number(entry.seconds)}, {entry.hardware}" if entry.seconds else entry.hardware or ""
    notes = "; ".join(str(part) for part in (entry.note, entry.date) if part)
    return [f"`{entry.command}`", entry.data, figures, rivals, seconds, notes]


def _of_rival(values: Mapping[str, Decimal | Spread], headline: str, best: Decimal) -> str:
    return ", ".join(
        _shown(value, best) if name == headline else f"{name} {value}" for name, value in values.items()
    )


def _shown(value: Decimal | Spread | None, best: Decimal) -> str:
    """Return a headline figure, in bold where none of the same measurement is better."""
    if value is None or middle(value) != best:
        return str(value or "")
    return f"**{value.mean}** ± {value.std}" if isinstance(value, Spread) else f"**{value}**"


def _number(seconds: Decimal | None) -> str:
    return "" if seconds is None else f"{seconds:,}"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
