"""What is wrong with the data, found before training: leaks, contradictions, empty and extreme examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from core.data.content import compared, row_hash
from core.data.examples import Column, Examples, Ragged, Splits
from core.data.larger_than_memory import blocks_of
from core.data.near_duplicates import near_duplicates
from core.data.splitting import require_parts
from core.errors import UserError
from core.settings import Settings
from core.wording import agreeing, counted

SHOWN = 3
SHOWN_LABELS = 8  # of an example that has many
Compare = Callable[[Mapping[str, Examples], tuple[str, ...]], dict[str, np.ndarray]]
EXTREME = 8.0  # distance from the median, in robust standard deviations


class Audit(Settings):
    """What is done about flaws that are found in the data before training."""

    leaks: Literal["refuse", "drop", "allow"] = Field(
        "refuse",
        description="where validation or test share examples with train: stop, drop them from train, go on",
    )
    near_duplicates: bool = Field(True, description="look for near-duplicates too")


@dataclass(frozen=True)
class Finding:
    """One kind of flaw.

    Args:
        kind: What it is, in words that follow the count.
        count: How many examples have it.
        instances: A few of them, for a person to look up.
        leak: Whether it lets a model see in training what it is judged on.
    """

    kind: str
    count: int
    instances: tuple[str, ...]
    leak: bool = False


@dataclass(frozen=True)
class AuditReport:
    """All that was found, and what was done about it."""

    findings: tuple[Finding, ...]
    done: str = ""
    checked: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return one line a finding."""
        return [
            f"{finding.count} {finding.kind}, such as {'; '.join(finding.instances)}"
            for finding in self.findings
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def audited(
    splits: Splits,
    settings: Audit,
    content: tuple[str, ...],
    *,
    label: str | None = None,
    skip_bad: bool = False,
    compare: Compare = compared,
) -> tuple[Splits, AuditReport]:
    """Look for flaws, and deal with leaks as the settings say.

    Args:
        splits: What is about to be used.
        settings: Whether leaks are refused, dropped from the training part, or allowed.
        content: The columns that an example is made of.
        label: The column that holds its class, where there is one.
        skip_bad: Leave out examples whose label training lacks, and count them, instead of refusing them.
        compare: From parts and the names of columns to hashes that are equal where examples are.

    Returns:
        The splits, whose notes name what was found; and the report.

    Raises:
        UserError: Train or test is empty; validation or test share examples with train, and leaks are to be
            refused; or they have labels that training lacks.
    """
    require_parts(splits)
    splits = _of_known_labels(splits, label, skip_bad)
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    hashes = compare(parts, content)
    leaks = [
        _shared(parts, hashes, "train", "test", content),
        _shared(parts, hashes, "train", "validation", content),
        _shared(parts, hashes, "validation", "test", content),
    ]
    findings = [finding for finding in leaks if finding.count]
    findings += _conflicts(parts, hashes, label)
    findings += _near(parts, hashes, content) if settings.near_duplicates else []
    findings += _extremes(parts, content)
    done = ""
    leaked = [finding for finding in findings if finding.leak]
    if leaked and settings.leaks == "refuse":
        raise UserError(
            f"{leaked[0].count} {leaked[0].kind}, such as {leaked[0].instances[0]}. "
            "Set audit.leaks=drop to leave them out of training, or audit.leaks=allow to keep them."
        )
    if leaked and settings.leaks == "drop":
        held = np.concatenate([hashes["validation"], hashes["test"]])
        kept = ~np.isin(hashes["train"], held)
        validation = splits.validation.take(~np.isin(hashes["validation"], hashes["test"]))
        splits = replace(splits, train=splits.train.take(kept), validation=validation)
        done = counted(
            int((~kept).sum()),
            "example left out of training that also stands in validation or test",
            "examples left out of training that also stand in validation or test",
        )
    report = AuditReport(tuple(findings), done, {name: len(part) for name, part in parts.items()})
    return replace(splits, notes=(*splits.notes, *report.lines(), *([done] if done else []))), report


def _shared(
    parts: dict[str, Examples],
    content: dict[str, np.ndarray],
    first: str,
    second: str,
    columns: Sequence[str],
) -> Finding:
    rows = np.flatnonzero(np.isin(content[second], content[first]))
    return Finding(
        _kind(len(rows), second, f"also stands in {first}", f"also stand in {first}"),
        len(rows),
        tuple(_shown(parts[second], row, columns) for row in rows[:SHOWN]),
        leak=len(rows) > 0,
    )


def _shown(examples: Examples, row: int, columns: Sequence[str]) -> str:
    if "path" in examples:
        return str(examples["path"][row])
    quoted_values = []
    for name in columns:
        column = examples.columns[name]
        if isinstance(column, Ragged) or column.ndim > 1:
            return f"row {row}"
        quoted_values.append(repr(str(column[row])[:60]))
    return " ".join(quoted_values)


def _conflicts(
    parts: dict[str, Examples], content: dict[str, np.ndarray], label: str | None
) -> list[Finding]:
    train = parts["train"]
    _, members, counts = np.unique(content["train"], return_inverse=True, return_counts=True)
    if label is None or label not in train:
        label = None
        classes = np.zeros(len(train), np.int64)
    else:
        column = train.columns[label]
        several = isinstance(column, Ragged) or column.ndim > 1
        _, classes = np.unique(row_hash(column) if several else train[label], return_inverse=True)
    lowest, highest = np.full(len(counts), len(train)), np.full(len(counts), -1)
    np.minimum.at(lowest, members, classes)
    np.maximum.at(highest, members, classes)
    findings = []
    conflict = np.flatnonzero((lowest != highest)[members])
    if label is not None and len(conflict):
        shown = tuple(
            f"row {row} of train ({_label_text(train.columns[label][row])})" for row in conflict[:SHOWN]
        )
        findings.append(Finding("training examples have a twin with another label", len(conflict), shown))
    repeated = np.flatnonzero((counts > 1)[members])
    if len(repeated) > len(conflict):
        shown = tuple(f"row {row} of train" for row in repeated[:SHOWN])
        findings.append(Finding("training examples stand there more than once", len(repeated), shown))
    return findings


def _label_text(label: Any) -> str:
    return " ".join(map(str, np.ravel(label)[:SHOWN_LABELS]))


def _of_known_labels(splits: Splits, label: str | None, skip_bad: bool) -> Splits:
    """Refuse labels that training lacks, or with `skip_bad` leave their examples out and count them."""
    notes, kept = [], {}
    if label is None or label not in splits.train:
        return splits
    for name in ("validation", "test"):
        part = getattr(splits, name)
        known, strangers = _known(part.columns[label], splits.train.columns[label])
        if known.all():
            continue
        strange = ", ".join(sorted(map(str, strangers))[:SHOWN])
        if not (skip_bad and known.any()):
            raise UserError(
                f"{part.source} has labels that training never saw. Give training some of them, or leave "
                f"such examples out with skip_bad=true. Received: {strange} in {(~known).sum()} of {name}."
            )
        kept[name] = part.take(known)
        left_out = counted(int((~known).sum()), f"example of {name}", f"examples of {name}")
        notes.append(f"{left_out} left out, of labels that training lacks, such as {strange}")
    return replace(splits, **kept, notes=(*splits.notes, *notes)) if kept else splits


def _known(labels: Column, of_train: Column) -> tuple[np.ndarray, set[Any]]:
    """Return which rows have labels of training alone, bool, and the labels that are strange to it."""
    values, seen = (each.values if isinstance(each, Ragged) else each for each in (labels, of_train))
    # NumPy compares texts with one known value after another, so each must stand there once.
    known = np.isin(values, np.unique(seen))
    strangers = set(values[~known].tolist())
    if isinstance(labels, Ragged):
        rows = np.repeat(np.arange(len(labels)), labels.lengths)
        return np.bincount(rows[~known], minlength=len(labels)) == 0, strangers
    return np.asarray(known.all(axis=tuple(range(1, known.ndim)))), strangers


def _near(
    parts: dict[str, Examples], content: dict[str, np.ndarray], columns: Sequence[str]
) -> list[Finding]:
    """Return the test examples that have a near-duplicate, and no equal, in train."""
    if len(columns) != 1:
        return []
    (name,) = columns
    fresh = parts["test"].take(~np.isin(content["test"], content["train"]))
    rows = near_duplicates(parts["train"].columns[name], fresh.columns[name])
    if not len(rows):
        return []
    shown = tuple(_shown(fresh, row, columns) for row in rows[:SHOWN])
    kind = _kind(len(rows), "test", "is nearly equal to one of train", "are nearly equal to one of train")
    return [Finding(kind, len(rows), shown)]


def _extremes(parts: dict[str, Examples], columns: Sequence[str]) -> list[Finding]:
    findings: list[Finding] = []
    for part, examples in parts.items():
        for name in columns:
            column = examples.columns[name]
            lengths = _lengths(column)
            # How long an id is says nothing: it is one of several columns, and a text or a wave stands alone.
            if lengths is not None and len(columns) == 1:
                odd = (_robust_distance(lengths) > EXTREME) & (lengths > 0)
                findings += _flawed(lengths == 0, None, part, "is empty", "are empty")
                findings += _flawed(
                    odd, lengths, part, "is extremely long or short", "are extremely long or short"
                )
            findings += _flawed(
                _constant(column), None, part, "holds one value throughout", "hold one value throughout"
            )
    return findings


def _flawed(flawed: np.ndarray, sizes: np.ndarray | None, part: str, one: str, many: str) -> list[Finding]:
    """Return a finding where a part has flawed examples; `one` and `many` say of them what they are."""
    rows = np.flatnonzero(flawed)
    shown = tuple(_place(row, sizes) for row in rows[:SHOWN])
    return [Finding(_kind(len(rows), part, one, many), len(rows), shown)] if len(rows) else []


def _kind(count: int, part: str, one: str, many: str) -> str:
    return agreeing(count, f"example of {part} {one}", f"examples of {part} {many}")


def _place(row: int, sizes: np.ndarray | None) -> str:
    return f"row {row}" if sizes is None else f"row {row} of length {sizes[row]:,}"


def _lengths(column: Column) -> np.ndarray | None:
    """Return the number of samples of waves or of characters of texts, or nothing where lengths are alike."""
    if isinstance(column, Ragged):
        # Bytes are pictures of many sizes, whose length is no flaw.
        return None if column.values.dtype == np.uint8 else column.lengths
    if isinstance(column.dtype, np.dtypes.StringDType) and column.ndim == 1:
        return np.strings.str_len(np.strings.strip(column))
    return None


def _constant(column: Column) -> np.ndarray:
    """Return which waves are silent and which pictures of one colour."""
    values = column.values if isinstance(column, Ragged) else column
    if values.dtype.kind not in "biuf":
        return np.zeros(len(column), bool)  # a word many times is no flaw
    if isinstance(column, Ragged):
        constant = np.zeros(len(column), bool)
        filled = np.flatnonzero(column.lengths)
        if len(filled):
            starts = column.offsets[filled]
            highest, lowest = (each.reduceat(column.values, starts) for each in (np.maximum, np.minimum))
            constant[filled] = highest == lowest
        return constant
    if column.ndim < 2 or not len(column):
        return np.zeros(len(column), bool)
    axes, constant = tuple(range(1, column.ndim)), np.zeros(len(column), bool)
    for block in blocks_of(column):
        constant[block] = column[block].max(axis=axes) == column[block].min(axis=axes)
    return constant


def _robust_distance(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.zeros(0)
    values = np.log1p(values)
    away = np.abs(values - np.median(values))
    return away / max(1.4826 * float(np.median(away)), 0.1)
