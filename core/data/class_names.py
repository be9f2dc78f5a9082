"""One name for each class, however its examples spell it: blanks about it, accents, and 1.0 for 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.data.content import is_text
from core.data.examples import Column, Examples, Ragged
from core.data.letters import composed

SHOWN = 3
_DECIMAL = re.compile(r"([+-]?\d+)(?:\.(\d*))?")


def plain_name(name: str) -> str:
    """Return the name of a class without blanks about it, and with single ones within.

    Example:

    >>> plain_name(" very  good ")
    'very good'
    """
    return " ".join(composed(name).split())


def with_one_name_a_class(
    parts: Mapping[str, Examples], label: str | None
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Return the parts of a source with one spelling of each class, and notes of what was spelt otherwise.

    Args:
        parts: Name to examples.
        label: The column of classes, of texts or of ragged texts; where there is none, nothing is changed.

    Example:

    >>> train = Examples({"label": ["pos", "pos ", "1.0", "1"]})
    >>> parts, notes = with_one_name_a_class({"train": train}, "label")
    >>> parts["train"]["label"].tolist()
    ['pos', 'pos', '1', '1']
    >>> notes
    ("'1.0' is read as the class '1'", "'pos ' is read as the class 'pos'")
    """
    if label is None or any(label not in part for part in parts.values()):
        return dict(parts), ()
    columns = {name: part.columns[label] for name, part in parts.items()}
    if not all(is_text(_values(column)) for column in columns.values()):
        return dict(parts), ()
    spellings = sorted({text for column in columns.values() for text in np.unique(_values(column)).tolist()})
    names = _names(spellings)
    changed = {spelling: name for spelling, name in names.items() if spelling != name}
    if not changed:
        return dict(parts), ()
    renamed = {
        name: part.with_columns(**{label: _renamed(columns[name], names)}) for name, part in parts.items()
    }
    merged = [spelling for spelling in changed if list(names.values()).count(names[spelling]) > 1]
    notes = tuple(f"{spelling!r} is read as the class {names[spelling]!r}" for spelling in merged[:SHOWN])
    return renamed, notes


def as_known(names: np.ndarray, known: Sequence[str]) -> np.ndarray:
    """Return names of classes as a model knows them, where only their spelling differs.

    Args:
        names: Texts, shape `(num_examples,)`.
        known: The classes of the model.

    Example:

    >>> as_known(np.array(["1.0", "2", "x"], np.dtypes.StringDType()), ["1", "2"]).tolist()
    ['1', '2', 'x']
    """
    if not is_text(names) or np.isin(names, np.asarray(known, names.dtype)).all():
        return names
    of_key = {_key(name): name for name in reversed(known)}
    spellings, members = np.unique(names, return_inverse=True)
    respelled = [text if text in known else of_key.get(_key(text), text) for text in spellings.tolist()]
    return np.array(respelled, names.dtype)[members]


def _names(spellings: Iterable[str]) -> dict[str, str]:
    """Return each spelling's class: of those that mean the same, the shortest plain one."""
    of_key: dict[str, str] = {}
    for spelling in spellings:
        plain, key = plain_name(spelling), _key(spelling)
        of_key[key] = min(of_key.get(key, plain), plain, key=lambda name: (len(name), name))
    return {spelling: of_key[_key(spelling)] for spelling in spellings}


def _key(spelling: str) -> str:
    """Return what spellings of one class share: of a decimal number its digits without zeros behind."""
    plain = plain_name(spelling)
    match = _DECIMAL.fullmatch(plain)
    if match is None:
        return plain
    fraction = (match[2] or "").rstrip("0")
    return f"{match[1]}.{fraction}" if fraction else match[1]


def _values(column: Column) -> np.ndarray:
    return column.values if isinstance(column, Ragged) else column


def _renamed(column: Column, names: Mapping[str, str]) -> Column:
    values = _values(column)
    spellings, members = np.unique(values, return_inverse=True)
    renamed = np.array([names[text] for text in spellings.tolist()], values.dtype)[members]
    renamed = renamed.reshape(values.shape)
    return Ragged(renamed, column.offsets) if isinstance(column, Ragged) else renamed
