"""What is learnt of the columns of a table of clicks: vocabularies, bins and scales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field as Setting

from apps.recommendation.impressions.slots import (
    BETWEEN,
    UNKNOWN,
    Field,
    Pair,
    features_of,
    fields_of,
    pairs_of,
    values_of,
)
from core.data.examples import Examples, Splits
from core.data.larger_than_memory import allocated
from core.errors import UserError
from core.settings import Settings
from core.task.classification import LabelEncoder

MOST_PAIRS = 1_000_000  # that are counted
MOST_PAIRED = 3_000_000  # rows up to which `auto` looks at pairs
MANY_VALUES = 100  # of both columns of a pair that `auto` takes
COME_AGAIN = 0.05  # share of rows whose pair stands in another row too, from which on it takes them
TELLING = 0.1  # share of rows with a rare value of a column that is worth a note
MOST_SUGGESTED = 50  # values of a category that a form lists


AT_ONCE = 250_000  # rows that are numbered together
SAMPLED = 1_000_000  # rows, evenly taken, whose quantiles are those of all


class LearntColumn(Settings):
    """One column of a row, as training saw it."""

    name: str
    kind: Literal["category", "values", "number"]
    slots: int = Setting(1, ge=1, description="ids of a row, at most")
    vocabulary: list[str] = Setting([], description="values that are not rare, the commonest first")
    buckets: int = Setting(0, ge=0, description="into which values are hashed in place of a vocabulary")
    separator: str = Setting("|", description="between several values")
    edges: list[float] = Setting([], description="between the bins of numbers")
    mean: float = 0.0
    scale: float = 1.0
    low: float | None = None
    high: float | None = None
    typical: float | str | None = Setting(None, description="the median, or the commonest value")


class LearntPair(Settings):
    """Two columns of categories, by how often their values stood together in training."""

    name: str
    of: tuple[str, str]
    counts: dict[str, int] = Setting(description="of two values, those of the pair that stands in training")


class Learning(Settings):
    """How columns become ids and numbers."""

    min_count: int = 2
    bins: int = 32
    buckets: int | None = None
    separator: str = "|"
    most_values: int = 20


class ClicksEncoder(LabelEncoder):
    """The two labels, no click first, and the columns of a row."""

    columns: list[LearntColumn] = Setting(min_length=1)
    pairs: list[LearntPair] = Setting([], description="of columns, as columns of their own")
    own: bool = Setting(False, exclude=True, description="rows are those of training, which count themselves")
    passed_over: list[str] = Setting([], description="columns of the training data that are no features")
    tried: dict[str, float] = Setting(
        {}, description="log loss of methods on rows held out of training, the best first; auto only"
    )
    left_out: dict[str, str] = Setting({}, description="columns that say nothing, and why")
    rate: float = Setting(description="share of clicks in training")
    counts: list[int] = Setting(description="how often each id stands in the training part")
    average: list[float] = Setting([], description="mean of the numbers as a net reads them")

    @cached_property
    def fields(self) -> list[Field]:
        """The columns as fields."""
        return fields_of([column.model_dump() for column in self.columns])

    @cached_property
    def crossed(self) -> list[Pair]:
        """The pairs of columns."""
        last = self.fields[-1]
        return pairs_of([pair.model_dump() for pair in self.pairs], last.first + last.size)

    @property
    def read_fields(self) -> list[Field | Pair]:
        """What a net reads of a row, in the order of its slots."""
        return [*self.fields, *self.crossed]

    def ids(self, names: np.ndarray, source: str) -> np.ndarray:
        """Return 1 where a label is that of a click and 0 where it is the other, int32.

        Raises:
            UserError: A label was never seen in training.
        """
        is_click = names == self.labels[1]
        if np.all(is_click | (names == self.labels[0])):
            return is_click.astype(np.int32)
        return super().ids(names, source)

    def without_pairs(self) -> ClicksEncoder:
        """Return the encoder of the columns of the table alone."""
        return ClicksEncoder(**{**self.model_dump(), "pairs": []})

    @property
    def num_ids(self) -> int:
        """Ids of all columns, and the padding."""
        last = self.read_fields[-1]
        return last.first + last.size

    def features(self, examples: Examples) -> dict[str, np.ndarray]:
        """Return what a net reads of examples."""
        columns = {field.name: examples[field.name] for field in self.fields}
        if len(examples) <= AT_ONCE:
            return features_of(self.fields, self.crossed, columns, own=self.own)
        features: dict[str, np.ndarray] = {}
        for start in range(0, len(examples), AT_ONCE):
            block = slice(start, start + AT_ONCE)
            held = {name: column[block] for name, column in columns.items()}
            for name, part in features_of(self.fields, self.crossed, held, own=self.own).items():
                if name not in features:
                    features[name] = allocated((len(examples), *part.shape[1:]), part.dtype)
                features[name][block] = part
        return features


def learnt_columns(
    train: Examples, names: Sequence[str], how: Learning
) -> tuple[list[LearntColumn], dict[str, str]]:
    """Return what is learnt of columns, and why some say nothing and are left out.

    Args:
        train: The training part; numbers are float64, all else is text.
        names: Of the columns.
        how: How they become ids and numbers.
    """
    columns, left_out = [], {}
    for name in names:
        values = train[name]
        column = _number(name, values, how) if values.dtype.kind == "f" else _category(name, values, how)
        reason = _says_nothing(column)
        if reason:
            left_out[name] = reason
        else:
            columns.append(column)
    return columns, left_out


def _says_nothing(column: LearntColumn) -> str:
    if column.kind == "number":
        return "" if column.edges else "it holds one number"
    if column.buckets or column.vocabulary:
        return ""
    return "no value of it stands in training often enough" if column.typical else "it is empty"


def _number(name: str, values: np.ndarray, how: Learning) -> LearntColumn:
    values = np.asarray(values[:: -(-len(values) // SAMPLED)], np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        return LearntColumn(name=name, kind="number")
    edges = edges_of(known, how.bins)
    return LearntColumn(
        name=name,
        kind="number",
        edges=edges.tolist(),
        mean=float(known.mean()),
        scale=float(known.std()) or 1.0,
        low=float(known.min()),
        high=float(known.max()),
        typical=float(np.median(known)),
    )


def edges_of(numbers: np.ndarray, bins: int) -> np.ndarray:
    """Return edges between bins with about as many numbers each; a frequent number has a bin of its own.

    Without that, most quantiles of a column that is mostly 0 are 0, and the rest would share a bin or two.

    Args:
        numbers: float64, none missing.
        bins: At most so many, but one for each side of the frequent numbers.

    Returns:
        float64, rising; a number that equals an edge is of the bin above it.

    Example:

    >>> edges_of(np.array([0.0] * 96 + [1.0, 2.0, 3.0, 4.0]), bins=3).tolist()
    [0.5, 2.5]
    """
    distinct, counts = np.unique(numbers, return_counts=True)
    middles = (distinct[1:] + distinct[:-1]) / 2
    if len(distinct) <= bins:
        return middles
    frequent = counts >= len(numbers) / bins
    beside = np.zeros(len(middles), bool)
    beside |= frequent[1:] | frequent[:-1]
    rest = np.where(frequent, 0, counts)
    # Where the numbers that are not frequent pass another share of their sum.
    shares = np.cumsum(rest) * max(bins - frequent.sum(), 1) / max(rest.sum(), 1)
    beside |= np.diff(np.floor(shares - 1e-9)) > 0
    return middles[beside]


def _category(name: str, values: np.ndarray, how: Learning) -> LearntColumn:
    if values.dtype == np.int32:  # buckets
        return LearntColumn(name=name, kind="category", buckets=how.buckets or 0)
    counts = Counter(values.tolist())
    counts.pop("", None)
    typical = max(counts, key=lambda value: (counts[value], value), default=None)
    several = bool(how.separator) and any(how.separator in value for value in counts)
    slots = 1
    if several:
        apart: Counter[str] = Counter()
        for value, count in counts.items():
            values_of_one = values_of(value, how.separator)
            slots = min(max(slots, len(values_of_one)), how.most_values)
            for each in values_of_one:
                apart[each] += count
        counts = apart
    common = [value for value, count in counts.items() if count >= how.min_count]
    return LearntColumn(
        name=name,
        kind="values" if several else "category",
        slots=slots,
        vocabulary=[] if how.buckets else sorted(common, key=lambda value: (-counts[value], value)),
        buckets=how.buckets or 0,
        separator=how.separator,
        typical=typical,
    )


def learnt_pairs(
    train: Examples, columns: Sequence[LearntColumn], asked: Literal["auto"] | Sequence[tuple[str, str]]
) -> list[LearntPair]:
    """Return how often the values of two columns stand together.

    Args:
        train: The training part.
        columns: What was learnt of it.
        asked: Pairs of columns by name; `auto` takes the two categories of most values, such as those of
            people and of things, where both have many and pairs of theirs come again.

    Raises:
        UserError: A column is none of categories.
    """
    categories = {column.name: column for column in columns if column.kind == "category"}
    if asked != "auto":
        for name in (name for pair in asked for name in pair):
            if name not in categories:
                raise UserError(
                    f"pairs are of columns of categories: {', '.join(categories) or 'here is none'}. "
                    f"Received: {name!r}."
                )
        return [_pair(train, left, right) for left, right in asked]
    large = sorted(categories, key=lambda name: -len(categories[name].vocabulary))[:2]
    if len(large) < 2 or len(train) > MOST_PAIRED or len(categories[large[1]].vocabulary) < MANY_VALUES:
        return []
    pair = _pair(train, *sorted(large, key=list(categories).index))
    again = sum(count for count in pair.counts.values() if count > 1)
    return [pair] if again >= COME_AGAIN * len(train) else []


def _pair(train: Examples, left: str, right: str) -> LearntPair:
    together = map(BETWEEN.join, zip(train[left].tolist(), train[right].tolist(), strict=True))
    counts = dict(Counter(together).most_common(MOST_PAIRS))
    return LearntPair(name=f"{left} and {right}", of=(left, right), counts=counts)


def with_averages(encoder: ClicksEncoder, train: Examples) -> ClicksEncoder:
    """Return an encoder that knows how often each id stands in training, and the mean of the numbers."""
    features = encoder.model_copy(update={"own": True}).features(train)
    counts = np.zeros(encoder.num_ids, np.int64)
    for start in range(0, len(train), AT_ONCE):
        counts += np.bincount(features["ids"][start : start + AT_ONCE].ravel(), minlength=encoder.num_ids)
    average: list[Any] = []
    if "numbers" in features:
        sample = features["numbers"][:: -(-len(train) // SAMPLED)]
        average = np.nan_to_num(np.nanmean(sample, axis=0)).astype(float).tolist()
    return encoder.model_copy(update={"counts": counts.tolist(), "average": average})


def suggested(column: LearntColumn) -> list[str]:
    """Return the values of a category that a form may list: all that are known, where they are few."""
    few = column.kind == "category" and len(column.vocabulary) <= MOST_SUGGESTED
    return sorted(column.vocabulary) if few else []


def notes_of_columns(encoder: ClicksEncoder, splits: Splits) -> list[str]:
    """Return notes of columns that are no features, and of those with many new values in the test part.

    Args:
        encoder: What was learnt.
        splits: The parts.
    """
    notes = [f"column {name} is left out: {reason}" for name, reason in encoder.left_out.items()]
    if encoder.tried:
        seen = ", ".join(f"{name} {loss:.4f}" for name, loss in encoder.tried.items())
        notes.append(
            "method=auto grows trees where they beat logistic regression on rows held out of training, and "
            f"else trains deepfm, which begins with that regression. Log loss: {seen}"
        )
    notes += [f"how often {pair.name} stood together in training is a column too" for pair in encoder.pairs]
    ids = encoder.features(splits.test.take(np.arange(min(len(splits.test), AT_ONCE))))["ids"]
    first = 0
    for field in encoder.fields:
        own = ids[:, first : first + field.slots]
        share = float(np.mean(own[:, 0] == field.first + UNKNOWN))
        if share >= TELLING and not field.is_number:
            notes.append(f"{share:.0%} of the test part have a value of {field.name} that is rare or new")
        first += field.slots
    return notes
