"""How examples are divided: by a seeded hash of their content, by group, by time, in folds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.data.content import content_hash
from core.data.examples import Column, Examples, Ragged, Splits
from core.data.times import Times, times_of
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
    time_format: str | None = None,
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
        time_format: How that column is read, as `core.data.times.times_of` takes it.
        notes: What a user should know of the reading.

    Raises:
        UserError: There is no such column, or it can't be read as times.
    """
    if group is not None and time is not None:
        raise UserError(
            "split_group and split_time each say what the test part is: leave one of them out. "
            f"Received: split_group={group}, split_time={time}."
        )
    whole, divided, said = parts["train"], dict(parts), []
    times = _times_of_parts(parts, time, time_format)
    position = _position(whole, key, seed, group, times.get("train"))
    upper = np.inf
    for name, share in (("test", test), ("validation", validation)):
        if name in parts:
            said.append(f"{name} part as published")
            continue
        lower = min(upper, 1.0) - share
        inside = (position >= lower) & (position < upper)
        divided[name] = whole.take(inside)
        if times:
            times[name] = times["train"].take(inside)
        upper = lower
        said.append(f"{name} {share:.0%} {_words(group, time, seed)}" if share else f"no {name} part")
    divided["train"] = whole.take(position < upper)
    if times:
        said += [f"{time} read {times['train'].form}"] if times["train"].form else []
        times["train"] = times["train"].take(position < upper)
    spans = ", ".join(
        f"{name} {times[name].range()}" for name in PARTS if name in times and len(divided[name])
    )
    return Splits(
        **{name: divided[name] for name in PARTS},
        protocol="; ".join(
            filter(None, (", ".join(said), spans, f"split {split_fingerprint(divided, key)}"))
        ),
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


def _times_of_parts(
    parts: Mapping[str, Examples], time: str | None, time_format: str | None
) -> dict[str, Times]:
    """Return the times of each part that has them, all read by one rule; the training part must have them."""
    if time is None:
        return {}
    timed = {name: part for name, part in parts.items() if name == "train" or time in part}
    for part in timed.values():
        _require_plain(part, (time,))
    times, starts = times_of(list(timed.values()), time, time_format), [0]
    for part in timed.values():
        starts.append(starts[-1] + len(part))
    return {name: times.take(slice(starts[at], starts[at + 1])) for at, name in enumerate(timed)}


def _position(
    examples: Examples, key: Sequence[str], seed: int, group: str | None, times: Times | None
) -> np.ndarray:
    """Return a number in [0, 1) for each example; the highest become the test part."""
    _require_plain(examples, (group,))
    if times is not None:
        ranks = np.empty(len(examples))
        ranks[np.argsort(times.values, kind="stable")] = np.arange(len(examples))
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
    time_format: str | None = None,
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
        time_format: How that column is read, as `core.data.times.times_of` takes it.
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
    if stratify is not None and stratify in examples and not _is_plain(examples.columns[stratify]):
        stratify = None  # several labels an example say of no class how it is to be spread
    try:
        if time:
            times = times_of([examples], time, time_format)
            # The folds are divided as times were read in the whole, where a part alone may be ambiguous.
            time_format = times.setting
            how = f"by {time}"
            pairs = _pairs_by_time(np.argsort(times.values, kind="stable"), num_folds)
        elif group:
            how, pairs = _pairs_by_group(examples, num_folds, group, stratify, seed)
        else:
            how, pairs = _pairs_by_content(examples, num_folds, key, stratify, seed)
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        reason = str(error).rstrip(".")
        raise UserError(f"{examples.source} can't be divided into {num_folds} folds: {reason}.") from None
    for fold, (rest, held_out) in enumerate(pairs, start=1):
        whole = completed(
            {"train": examples.take(rest), "test": examples.take(held_out)},
            key,
            validation=validation,
            test=0.0,
            seed=seed,
            time=time,
            time_format=time_format,
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
