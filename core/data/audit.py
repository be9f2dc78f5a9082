"""What is wrong with the data, found before training: leaks, contradictions, empty and extreme examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from core.data.examples import Examples, Ragged, Splits
from core.data.splitting import content_hash
from core.errors import UserError
from core.experiment import Audit
from core.task import Task

SHOWN = 3
NEAR_PIXELS = 4  # mean difference of pixel values, of 255, below which two pictures are near-duplicates
NEAR_WORDS = 0.9  # share of common word pairs above which two texts are
NEAR_MOST = 200_000  # examples beyond which near-duplicates are not searched
EXTREME = 8.0  # distance from the median, in robust standard deviations


@dataclass(frozen=True)
class Finding:
    """One kind of flaw.

    Args:
        kind: What it is, in words.
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
            f"{found.count} {found.kind}, such as {'; '.join(found.instances)}" for found in self.findings
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def audited(splits: Splits, task: Task, settings: Audit) -> tuple[Splits, AuditReport]:
    """Look for flaws, and deal with leaks as the settings say.

    Args:
        splits: What is about to be used.
        task: Says which columns an example is made of, and which holds its class.
        settings: Whether leaks are refused, dropped from the training part, or allowed.

    Returns:
        The splits, whose notes name what was found; and the report.

    Raises:
        UserError: Validation or test share examples with train, and leaks are to be refused.
    """
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    content = {name: content_hash(part, task.content) for name, part in parts.items()}
    leaks = [
        _shared(parts, content, "train", "test", task.content),
        _shared(parts, content, "train", "validation", task.content),
        _shared(parts, content, "validation", "test", task.content),
    ]
    findings = [finding for finding in leaks if finding.count]
    findings += _conflicts(parts, content, task.label)
    findings += _near(parts, content, task.content) if settings.near_duplicates else []
    findings += _extremes(parts, task.content)
    done = ""
    leaked = [finding for finding in findings if finding.leak]
    if leaked and settings.leaks == "refuse":
        raise UserError(
            f"{leaked[0].count} {leaked[0].kind}, such as {leaked[0].instances[0]}. "
            "Set audit.leaks=drop to leave them out of training, or audit.leaks=allow to keep them."
        )
    if leaked and settings.leaks == "drop":
        held = np.concatenate([content["validation"], content["test"]])
        kept = ~np.isin(content["train"], held)
        validation = splits.validation.take(~np.isin(content["validation"], content["test"]))
        splits = replace(splits, train=splits.train.take(kept), validation=validation)
        done = f"{int((~kept).sum())} examples left out of training that also stand in validation or test"
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
        f"examples of {second} also stand in {first}",
        len(rows),
        tuple(_shown(parts[second], row, columns) for row in rows[:SHOWN]),
        leak=len(rows) > 0,
    )


def _shown(examples: Examples, row: int, columns: Sequence[str]) -> str:
    if "path" in examples:
        return str(examples["path"][row])
    told = []
    for name in columns:
        column = examples.columns[name]
        if isinstance(column, Ragged) or column.ndim > 1:
            return f"row {row}"
        told.append(repr(str(column[row])[:60]))
    return " ".join(told)


def _conflicts(
    parts: dict[str, Examples], content: dict[str, np.ndarray], label: str | None
) -> list[Finding]:
    if label is None or label not in parts["train"]:
        return []
    train = parts["train"]
    _, members, counts = np.unique(content["train"], return_inverse=True, return_counts=True)
    _, classes = np.unique(train[label], return_inverse=True)
    lowest, highest = np.full(len(counts), len(train)), np.full(len(counts), -1)
    np.minimum.at(lowest, members, classes)
    np.maximum.at(highest, members, classes)
    findings = []
    conflict = np.flatnonzero((lowest != highest)[members])
    if len(conflict):
        shown = tuple(f"row {row} of train ({train[label][row]})" for row in conflict[:SHOWN])
        findings.append(Finding("training examples have a twin with another label", len(conflict), shown))
    repeated = np.flatnonzero((counts > 1)[members])
    if len(repeated) > len(conflict):
        shown = tuple(f"row {row} of train" for row in repeated[:SHOWN])
        findings.append(Finding("training examples stand there more than once", len(repeated), shown))
    return findings


def _near(
    parts: dict[str, Examples], content: dict[str, np.ndarray], columns: Sequence[str]
) -> list[Finding]:
    """Return the test examples that have a near-duplicate, and no equal, in train."""
    train, test = parts["train"], parts["test"]
    if len(columns) != 1 or len(train) + len(test) > NEAR_MOST or not len(test):
        return []
    column = train.columns[columns[0]]
    if isinstance(column, Ragged) or column.ndim not in (1, 3, 4):
        return []
    new = np.flatnonzero(~np.isin(content["test"], content["train"]))
    fresh = test.take(new)
    if column.ndim > 1:
        rows = _near_pictures(column, fresh[columns[0]])
    elif isinstance(column.dtype, np.dtypes.StringDType):
        rows = _near_texts(column, fresh[columns[0]])
    else:
        return []
    if not len(rows):
        return []
    shown = tuple(_shown(fresh, row, columns) for row in rows[:SHOWN])
    return [Finding("examples of test are nearly equal to one of train", len(rows), shown)]


def _near_texts(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the rows of `test` that share nearly all word pairs with a text of `train`."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.neighbors import NearestNeighbors

    pairs = HashingVectorizer(
        ngram_range=(1, 2), binary=True, norm="l2", n_features=2**18, alternate_sign=False
    )
    rows = []
    nearest = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(
        pairs.transform(train.tolist())
    )
    for start in range(0, len(test), 1000):
        vectors = pairs.transform(test[start : start + 1000].tolist())
        distance, _ = nearest.kneighbors(vectors)
        several = np.diff(vectors.indptr) > 3
        rows.append(start + np.flatnonzero((distance[:, 0] < 1 - NEAR_WORDS) & several))
    return np.concatenate(rows) if rows else np.zeros(0, np.int64)


def _near_pictures(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the rows of `test` whose every region is as light as that of one picture of `train`."""
    from sklearn.neighbors import KDTree

    if train.shape[1:] != test.shape[1:]:
        return np.zeros(0, np.int64)
    tree = KDTree(_thumbnails(train))
    distance, nearest = tree.query(_thumbnails(test), k=1)
    close = np.flatnonzero(distance[:, 0] < NEAR_PIXELS * 4)
    difference = np.array(
        [np.abs(test[row].astype(np.int16) - train[nearest[row, 0]].astype(np.int16)).mean() for row in close]
    )
    return close[difference < NEAR_PIXELS] if len(close) else close


def _thumbnails(pictures: np.ndarray, side: int = 4) -> np.ndarray:
    height, width = (pictures.shape[axis] // side * side for axis in (1, 2))
    if not height or not width:
        return np.zeros((len(pictures), 1), np.float32)
    blocks = pictures[:, :height, :width].reshape(
        len(pictures), side, height // side, side, width // side, -1
    )
    return blocks.mean(axis=(2, 4, 5), dtype=np.float32).reshape(len(pictures), -1)


def _extremes(parts: dict[str, Examples], columns: Sequence[str]) -> list[Finding]:
    findings = []
    for part, examples in parts.items():
        for name in columns:
            column = examples.columns[name]
            is_text = not isinstance(column, Ragged) and isinstance(column.dtype, np.dtypes.StringDType)
            if isinstance(column, Ragged):
                lengths, unit = column.lengths, "samples"
            elif is_text:
                lengths, unit = np.strings.str_len(np.strings.strip(column)), "characters"
            else:
                continue
            empty = np.flatnonzero(lengths == 0)
            if len(empty):
                findings.append(
                    Finding(
                        f"examples of {part} are empty",
                        len(empty),
                        tuple(f"row {row}" for row in empty[:SHOWN]),
                    )
                )
            long = np.flatnonzero((_robust_distance(lengths) > EXTREME) & (lengths > 0))
            if len(long):
                shown = tuple(f"row {row} with {lengths[row]:,} {unit}" for row in long[:SHOWN])
                findings.append(Finding(f"examples of {part} are extremely long or short", len(long), shown))
    return findings


def _robust_distance(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.zeros(0)
    values = np.log1p(values)
    away = np.abs(values - np.median(values))
    return away / max(1.4826 * float(np.median(away)), 0.1)
