"""Examples of a next choice: what somebody had chosen, oldest first, and what they chose next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.data.examples import Examples, Splits
from core.data.splitting import split_fingerprint
from core.errors import UserError
from core.wording import counted

SEPARATOR = "\t"  # between the ids of a history, in which none may stand
CONTENT = ("user", "history", "next")


def ids_of(text: str) -> list[str]:
    """Return the ids that a column holds joined.

    Example:

    >>> ids_of("4\\t2"), ids_of("")
    (['4', '2'], [])
    """
    return text.split(SEPARATOR) if text else []


def last_out(events: Examples, notes: Sequence[str] = ()) -> Splits:
    """Return each user's last choice as the test part, the one before as validation, the rest as train.

    What was chosen before is the history of each, the validation choice that of the test choice too. A user
    with fewer than three choices is only learnt from.

    Args:
        events: A row a choice, with `user`, `item`, and `time` or `order`.
        notes: Of the reading.

    Raises:
        UserError: There is neither column, or nobody has three choices.
    """
    users, items = _items_by_user(events)
    lengths = [len(chosen) for chosen in items]
    if max(lengths) < 3:
        raise UserError(
            f"To hold the last out, a user needs three choices. Received: at most {max(lengths)} a user."
        )
    held = {"train": 2, "validation": 1, "test": 0}
    parts = {}
    for part, left in held.items():
        rows = [
            (user, chosen[: len(chosen) - (left if len(chosen) >= 3 else 0)])
            for user, chosen in zip(users, items, strict=True)
            if part == "train" or len(chosen) >= 3
        ]
        parts[part] = _rows(((user, chosen[:-1], chosen[-1:]) for user, chosen in rows), events.source)
    return Splits(
        parts["train"],
        parts["validation"],
        parts["test"],
        protocol=f"last choice of each user held out, the one before is validation; "
        f"split {split_fingerprint(parts, CONTENT)}",
        notes=tuple(notes),
    )


def require_apart(train: Examples, held_out: Examples) -> None:
    """Refuse a division by which training holds what somebody is judged on, as random folds would.

    Raises:
        UserError: Training knows somebody for longer than the history that they are judged after.
    """
    known = {
        user: len(ids_of(before)) + len(ids_of(after))
        for user, before, after in zip(train["user"], train["history"], train["next"], strict=True)
    }
    for user, history in zip(held_out["user"], held_out["history"], strict=True):
        if known.get(user, 0) > len(ids_of(history)):
            raise UserError(
                f"The training part holds what user {user} is to be judged on, since one history lies in "
                "several parts. To judge by folds, divide people: set task.leave_last_out=false."
            )


def by_person(events: Examples) -> Examples:
    """Return a row for each user: all choices but the last, and the last; with the `time` of that, if any."""
    users, items = _items_by_user(events)
    rows = _rows(
        ((user, chosen[:-1], chosen[-1:]) for user, chosen in zip(users, items, strict=True)), events.source
    )
    if "time" not in events:
        return rows
    _, places = np.unique(events["user"], return_inverse=True)
    latest = np.full(len(users), np.iinfo(np.int64).min)
    np.maximum.at(latest, places, events["time"].astype(np.int64))
    return rows.with_columns(time=latest)


def as_published(parts: Mapping[str, Examples]) -> dict[str, Examples]:
    """Return the parts of a source that names them, each choice with what came before it in earlier parts.

    A user of the validation or test part whom an earlier part has, is judged on all their choices of that
    part; any other on the last, after the others.

    Args:
        parts: A row a choice, `train` at least.

    Raises:
        UserError: A part has neither `time` nor `order`.
    """
    before: dict[str, list[str]] = {}
    rows: dict[str, Examples] = {}
    for part in ("train", "validation", "test"):
        if part not in parts:
            continue
        users, items = _items_by_user(parts[part])
        judged = []
        for user, chosen in zip(users, items, strict=True):
            if user in before:
                judged.append((user, before[user], chosen))
            elif part == "train" or len(chosen) > 1:
                judged.append((user, chosen[:-1], chosen[-1:]))
        rows[part] = _rows(judged, parts[part].source)
        for user, chosen in zip(users, items, strict=True):
            before[user] = [*before.get(user, ()), *chosen]
    return rows


def _items_by_user(events: Examples) -> tuple[list[str], list[list[str]]]:
    """Return the users, and the items that each of them chose, oldest first."""
    if "time" not in events and "order" not in events:
        raise UserError(
            f"What was chosen after what can't be told: {events.source} has no times. Where the order of its "
            f"lines is that of events, set task.ordered=true. Received the columns: "
            f"{', '.join(events.columns)}."
        )
    users, places = np.unique(events["user"], return_inverse=True)
    order = np.lexsort((events["time" if "time" in events else "order"], places))
    items = events["item"][order].tolist()
    if any(SEPARATOR in item for item in set(items)):
        bad = next(item for item in items if SEPARATOR in item)
        raise UserError(f"Ids of items in {events.source} may hold no tab. Received: {bad!r}.")
    ends = np.cumsum(np.bincount(places)).tolist()
    return users.tolist(), [items[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _rows(rows: Iterable[tuple[str, list[str], list[str]]], source: str) -> Examples:
    users, before, after = [], [], []
    for user, history, chosen in rows:
        users.append(user)
        before.append(SEPARATOR.join(history))
        after.append(SEPARATOR.join(chosen))
    columns = {"user": users, "history": before, "next": after}
    return Examples({name: np.array(values, object) for name, values in columns.items()}, source)


def notes_of_test(test: Examples, known: set[str], *, masked: bool) -> tuple[str, ...]:
    """Return notes of what no ranking can find: items that training never saw, and repeated ones.

    Args:
        test: What is judged.
        known: The items that training saw.
        masked: Whether items of a history are left out of the ranking.
    """
    before, after = ([set(ids_of(text)) for text in test[name].tolist()] for name in ("history", "next"))
    new = sum(not chosen <= known for chosen in after)
    again = sum(bool(chosen & history) for chosen, history in zip(after, before, strict=True))
    notes = []
    if new:
        notes.append(
            f"{counted(new, 'test example')} of {len(test):,} ask for an item that training never saw"
        )
    if again and masked:
        notes.append(
            f"{counted(again, 'test example')} of {len(test):,} ask for an item of their own history, which "
            "is never recommended: where people choose the same again, set task.mask_seen=false"
        )
    return tuple(notes)
