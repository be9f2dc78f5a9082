"""How examples are divided: by a seeded hash of their content, by group, by time, in folds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.data.content import content_hash, is_text
from core.data.examples import Column, Examples, Ragged, Splits
from core.errors import UserError

PARTS = ("train", "validation", "test")


def _is_plain(column: Column) -> bool:
    return not isinstance(column, Ragged) and column.ndim == 1


def completed(
    parts: Mapping[str, Examples],
    key: Sequence[str],
    *,
    validation: float,
    test: float,
    seed: int = 0,
    group: str | None = None,
    time: str | None = None,
    notes: Sequence[str] = (),
) -> Splits:
    """Return the three parts of a source; what it does not name itself is split off its training part.

    Args:
        parts: Those of `train`, `validation`, `test` that the source names; `train` at least.
        key: The columns that make an example what it is; their hash decides where it goes, so that equal
            examples stay together.
        validation: Share of the examples that becomes the validation part, at least 0 and below 1.
        test: Share that becomes the test part, likewise.
        seed: Of the hash.
        group: A column whose values are each kept in one part, such as the speaker; in place of `key`.
        time: A column: the latest examples are the test part, those before them validation.
        notes: What a user should know of the reading.

    Raises:
        UserError: There is no such column.
    """
    if group is not None and time is not None:
        raise UserError(
            "split_group and split_time each say what the test part is: leave one of them out. "
            f"Received: split_group={group}, split_time={time}."
        )
    whole, found, said = parts["train"], dict(parts), []
    position = _position(whole, key, seed, group, time)
    upper = np.inf
    for name, share in (("test", test), ("validation", validation)):
        if name in parts:
            said.append(f"{name} part as published")
            continue
        lower = min(upper, 1.0) - share
        found[name] = whole.take((position >= lower) & (position < upper))
        upper = lower
        said.append(f"{name} {share:.0%} {_words(group, time, seed)}" if share else f"no {name} part")
    found["train"] = whole.take(position < upper)
    return Splits(
        **{name: found[name] for name in PARTS},
        protocol=f"{', '.join(said)}; split {split_fingerprint(found, key)}",
        notes=tuple(notes),
        official_test="test" in parts,
    )


def require_parts(splits: Splits) -> None:
    """Refuse a division that leaves nothing to train on, or nothing to judge on.

    Raises:
        UserError: The training part or the test part is empty.
    """
    sizes = {part: len(getattr(splits, part)) for part in PARTS}
    for name in ("train", "test"):
        if not sizes[name]:
            _require_different(splits, name)
            raise UserError(
                f"The {name} part of {splits.train.source} is empty: there are too few examples, or values "
                f"to group them by, for the shares of the parts. Received: {sum(sizes.values())} examples."
            )


def _require_different(splits: Splits, empty: str) -> None:
    """Refuse examples of which so few differ that a part is empty; their content was read for the division.

    Raises:
        UserError: It is so.
    """
    parts = [part for part in (splits.train, splits.validation, splits.test) if len(part)]
    known = [part.hashes for part in parts]
    for key in known[0] if known else ():
        if not all(key in hashes for hashes in known):
            continue
        values, counts = np.unique(np.concatenate([hashes[key] for hashes in known]), return_counts=True)
        if len(values) < len(PARTS) < counts.sum():
            different = "all are equal" if len(values) == 1 else f"only {len(values)} differ"
            raise UserError(
                f"The {empty} part of {splits.train.source} is empty: of {counts.sum()} examples {different} "
                f"in {', '.join(key[0])}, and equal ones stay in one part. Look at what was read of them."
            )


def _position(
    examples: Examples, key: Sequence[str], seed: int, group: str | None, time: str | None
) -> np.ndarray:
    """Return a number in [0, 1) for each example; the highest become the test part."""
    _require_plain(examples, (group, time))
    if time is not None:
        ranks = np.empty(len(examples))
        ranks[_by_time(examples, time)] = np.arange(len(examples))
        return ranks / max(len(examples), 1)
    if group is None:
        return content_hash(examples, key, seed) / 2.0**64
    _, first, members, counts = np.unique(
        examples[group], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(content_hash(examples.take(first), (group,), seed))
    middle = np.empty(len(counts))
    middle[order] = (np.cumsum(counts[order]) - counts[order] / 2) / len(examples)
    return middle[members]


def _require_plain(examples: Examples, names: Sequence[str | None]) -> None:
    for name in names:
        if name is not None and name in examples and not _is_plain(examples.columns[name]):
            raise UserError(
                f"Column {name!r} holds no single values to split by. Received: {examples.source}."
            )


def _by_time(examples: Examples, time: str) -> np.ndarray:
    """Return the rows from the earliest to the latest; texts that are all numbers go by number."""
    moments = examples[time]
    if is_text(moments):
        import pandas as pd

        numbers = pd.to_numeric(pd.Series(moments.astype(object)), errors="coerce").to_numpy(np.float64)
        if np.isnan(numbers).all():
            return np.argsort(moments, kind="stable")
        moments = numbers
    if not np.isfinite(moments).all():
        raise UserError(
            f"Column {time!r} of {examples.source} has values that are no time. "
            f"Received: {examples[time][~np.isfinite(moments)][0]!s} among numbers."
        )
    return np.argsort(moments, kind="stable")


def _words(group: str | None, time: str | None, seed: int) -> str:
    if time is not None:
        return f"latest by {time}"
    return f"by hash of {group or 'content'}, seed {seed}"


def split_fingerprint(parts: Mapping[str, Examples], key: Sequence[str]) -> str:
    """Return 8 hexadecimal digits that name this very division: other members in any part, other digits."""
    digest = hashlib.blake2b(digest_size=4)
    for name in PARTS:
        if name in parts and len(parts[name]):
            digest.update(np.sort(content_hash(parts[name], key)).tobytes())
        digest.update(name.encode())
    return digest.hexdigest()


def fold_splits(
    examples: Examples,
    num_folds: int,
    *,
    key: Sequence[str],
    stratify: str | None = None,
    group: str | None = None,
    time: str | None = None,
    validation: float = 0.1,
    seed: int = 0,
) -> Iterator[Splits]:
    """Yield one division a fold: its test part, and train and validation from the rest.

    Args:
        examples: All of them.
        num_folds: At least 2.
        key: The columns that make an example what it is.
        stratify: A column whose values are spread evenly over the folds.
        group: A column whose values are each kept in one fold.
        time: A column; each fold is tested on what comes after all that it learns from.
        validation: Share of the rest that becomes the validation part: by hash of the content, or with `time`
            the latest.
        seed: Of the shuffle and the hash.

    Raises:
        UserError: There are fewer examples, groups or members of a class than folds, or no such column.
    """
    for name in (group, time):
        if name is not None and name not in examples:
            raise UserError(
                f"{examples.source} has no column {name!r} to make folds by. "
                f"Received the columns: {', '.join(examples.columns)}."
            )
    _require_plain(examples, (group, time))
    try:
        if time:
            how, pairs = f"by {time}", _pairs_by_time(_by_time(examples, time), num_folds)
        elif group:
            how, pairs = _pairs_by_group(examples, num_folds, group, stratify, seed)
        else:
            how, pairs = _pairs_by_content(examples, num_folds, key, stratify, seed)
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        told = str(error).rstrip(".")
        raise UserError(f"{examples.source} can't be divided into {num_folds} folds: {told}.") from None
    for fold, (rest, held_out) in enumerate(pairs, start=1):
        whole = completed(
            {"train": examples.take(rest), "test": examples.take(held_out)},
            key,
            validation=validation,
            test=0.0,
            seed=seed,
            time=time,
        )
        yield Splits(
            whole.train,
            whole.validation,
            whole.test,
            protocol=f"fold {fold} of {num_folds}, {how}, seed {seed}; "
            + whole.protocol.removeprefix("test part as published, "),
            official_test=True,
        )


Pairs = list[tuple[np.ndarray, np.ndarray]]


def _pairs_by_time(rows: np.ndarray, num_folds: int) -> Pairs:
    from sklearn.model_selection import TimeSeriesSplit

    return [(rows[rest], rows[held_out]) for rest, held_out in TimeSeriesSplit(num_folds).split(rows)]


def _pairs_by_group(
    examples: Examples, num_folds: int, group: str, stratify: str | None, seed: int
) -> tuple[str, Pairs]:
    from sklearn import model_selection as selection

    rows = np.arange(len(examples))
    names, groups = np.unique(examples[group], return_inverse=True)
    if num_folds == len(names):
        return f"one {group} held out", list(selection.LeaveOneGroupOut().split(rows, groups=groups))
    if stratify:
        classes = np.unique(examples[stratify], return_inverse=True)[1]
        stratified = selection.StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
        return f"grouped by {group}, stratified by {stratify}", list(stratified.split(rows, classes, groups))
    grouped = selection.GroupKFold(num_folds, shuffle=True, random_state=seed)
    return f"grouped by {group}", list(grouped.split(rows, groups=groups))


def _pairs_by_content(
    examples: Examples, num_folds: int, key: Sequence[str], stratify: str | None, seed: int
) -> tuple[str, Pairs]:
    from sklearn import model_selection as selection

    # Equal examples are folded as one, so that none is learnt from in the fold that judges its twin.
    _, first, twins = np.unique(content_hash(examples, key), return_index=True, return_inverse=True)
    if stratify:
        how = f"stratified by {stratify}"
        classes = np.unique(examples[stratify], return_inverse=True)[1][first]
        folds = selection.StratifiedKFold(num_folds, shuffle=True, random_state=seed).split(first, classes)
    else:
        how, folds = "at random", selection.KFold(num_folds, shuffle=True, random_state=seed).split(first)
    return how, [
        (np.flatnonzero(np.isin(twins, rest)), np.flatnonzero(np.isin(twins, held_out)))
        for rest, held_out in folds
    ]


def pooled(splits: Splits) -> Examples:
    """Return all examples of the three parts in one.

    Raises:
        UserError: There is none.
    """
    filled = [part for part in (splits.train, splits.validation, splits.test) if len(part)]
    if not filled:
        raise UserError(
            f"There is nothing to judge on. Received: {splits.train.source}, which has no example."
        )
    return Examples.concatenate(filled)
