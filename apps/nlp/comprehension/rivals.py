"""The rivals of the reader: logistic regression over spans on features made by hand, and a sliding window."""

from __future__ import annotations

import itertools
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from apps.nlp.comprehension.batches import words_spanned
from apps.nlp.comprehension.forms import forms_of
from apps.nlp.comprehension.windows import NO_SPAN, Found, best_of, cut, spelt
from apps.nlp.word_ids import shape_of, word_key
from apps.nlp.words import Split, Word
from core.answers.spans.spans import question_word
from core.data.examples import Examples

LONGEST = 12  # words of a span
MOST_WORDS = 2_000  # of a context that the rivals read
MOST_CELLS = 6_000_000  # spans that are learnt from; of more questions, some at random
NEAR = (1, 2, 4, 8)  # words before and behind a span in which those of the question are counted
NEAR_LEVELS = 7
BITS = 22  # features are told apart by so many
BLOCK = 256  # questions that are answered at once
LEAST = 3  # features of fewer words are one
MIX, KIND, ALL_BITS = np.uint64(0x9E3779B97F4A7C15), 0xC2B2AE3D27D4EB4F, 2**64 - 1
PENALTY = 0.3
STEPS = 80
ASKING = "谁何哪几多什么怎为时"  # characters by which Chinese asks


class Context(NamedTuple):
    """What is known by hand of a text, whatever is asked about it.

    Args:
        words: Of the text.
        forms: Of each word, `(num_words, NUM_FORMS)`.
        rare: How rare each word is, float, `(num_words,)`.
        own: Numbers of the features of each word: word, ending, shape, place, `(num_words, 4)`.
        outer: Of what stands before and behind each word, `(2, num_words, 2)`.
    """

    words: Sequence[str]
    forms: np.ndarray
    rare: np.ndarray
    own: np.ndarray
    outer: np.ndarray

    @classmethod
    def of(cls, words: Sequence[str], split: Split, counts: Mapping[str, int]) -> Context:
        """Return what is known of a text.

        Args:
            words: Of the text.
            split: How it was cut.
            counts: How often each word stands in training texts, by its key.
        """
        keys, shapes = ["<", *map(word_key, words), ">"], ["<", *map(shape_of, words), ">"]
        names = [
            (_number(f"word={key}"), _number(f"shape={shape}"))
            for key, shape in zip(keys, shapes, strict=True)
        ]
        own = [
            (
                *names[place],
                _number(f"end={keys[place][-3:]}"),
                _number(f"place={4 * (place - 1) // len(words)}"),
            )
            for place in range(1, len(words) + 1)
        ]
        beside = np.array(names, np.uint64)
        return cls(
            words,
            forms_of(words, split),
            np.array([1 / (1 + np.log1p(counts.get(key, 0))) for key in keys[1:-1]]),
            np.array(own, np.uint64).reshape(-1, 4),
            np.stack([beside[:-2], beside[2:]]),
        )


class Asked(NamedTuple):
    """A question beside a text.

    Args:
        context: The text.
        kinds: Numbers of what is asked: of anything, of the question word, of that and the word after it.
        word: The question word.
        is_met: Whether each word of the text stands in the question, bool, `(num_words,)`.
    """

    context: Context
    kinds: Sequence[int]
    word: str
    is_met: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """How rare the words are that stand in the question, 0 for the others."""
        return self.is_met * self.context.rare

    def features(self, side: int) -> np.ndarray:
        """Return the features of each word as the first of a span (side 0), or the last (side 1).

        Returns:
            Numbers below `2 ** BITS`, int64, `(num_words, num_features)`.
        """
        context, num_words = self.context, len(self.context.words)
        beside = np.roll(self.is_met, -1 if side else 1)
        beside[-1 if side else 0] = False
        sums, places = np.concatenate([[0.0], np.cumsum(self.weights)]), np.arange(num_words)
        columns = [2 * self.is_met + beside]
        for reach in NEAR:
            before = sums[places] - sums[np.maximum(places - reach, 0)]
            behind = sums[np.minimum(places + 1 + reach, num_words)] - sums[places + 1]
            columns.append(np.minimum(4 * (behind if side else before), NEAR_LEVELS - 1).astype(np.int64))
        met = [(column + _number(f"met{place}")).astype(np.uint64) for place, column in enumerate(columns)]
        features = np.concatenate([context.own, context.outer[side], np.stack(met, axis=1)], axis=1)
        mixed = [features * MIX + np.uint64(kind * KIND & ALL_BITS) for kind in self.kinds]
        return (np.concatenate(mixed, axis=1) >> np.uint64(64 - BITS)).astype(np.int64)


def _number(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def asked_of(question: Sequence[str], context: Context, split: Split) -> Asked:
    """Return a question beside a text."""
    same = forms_of(question, split)[None] == context.forms[:, None]
    is_met = same[..., 1:].any(axis=(1, 2)) if len(question) else np.zeros(len(context.words), bool)
    if split == "words":
        keys, word = [word_key(each) for each in question], question_word(" ".join(question))
        after = keys[keys.index(word) + 1 :][:1] if word in keys else []
    else:
        word, after = "".join(each for each in question if each in ASKING), []
    return Asked(context, [0, _number(word), _number("/".join([word, *after, "."]))], word, is_met)


def _counts(train: Examples, split: Split) -> Counter[str]:
    texts = dict.fromkeys(train["context"].tolist())
    return Counter(word_key(word.text) for words in cut(list(texts), split) for word in words)


def _asked(examples: Examples, split: Split, counts: Mapping[str, int]) -> Iterator[Asked]:
    contexts: dict[str, Context] = {}
    texts, questions = examples["context"].tolist(), examples["question"].tolist()
    for text, words, question in zip(texts, cut(texts, split), cut(questions, split), strict=True):
        if text not in contexts:
            contexts[text] = Context.of(spelt(words)[:MOST_WORDS], split, counts)
        yield asked_of(spelt(question), contexts[text], split)


def regression(train: Examples, test: Examples, split: Split) -> list[Found]:
    """Return the answers of a logistic regression that chooses among all spans of a context.

    Its features are those of the first word and of the last beside the question word: the word, its ending
    and shape, its outer neighbour, its place, and how many words of the question are near; with the length
    of the span, and how many words of the question it holds.

    Args:
        train: Questions with spans.
        test: Questions to answer.
        split: How texts are cut.
    """
    counts = _counts(train, split)
    chosen = train.take(_chosen_rows(train, split))
    model = _Regression(list(_asked(chosen, split, counts)))
    model.fit(_truth(chosen, split))
    may_be_silent = not train.ragged("spans").lengths.all()
    return list(model.answers(_asked(test, split, counts), may_be_silent))


def _chosen_rows(train: Examples, split: Split) -> np.ndarray:
    """Return the rows of short contexts, as many of them at random as the spans may be."""
    lengths = np.array([len(words) for words in cut(train["context"].tolist(), split)])
    order = np.random.default_rng(0).permutation(len(train))
    order = order[(lengths[order] > 0) & (lengths[order] <= MOST_WORDS)]
    return np.sort(order[np.cumsum(lengths[order]) * LONGEST <= MOST_CELLS])


def _truth(examples: Examples, split: Split) -> list[list[tuple[int, int]]]:
    contexts: Iterable[list[Word]] = cut(examples["context"].tolist(), split)
    spans = examples.ragged("spans")
    return [list(words_spanned(words, spans[row].tolist())) for row, words in enumerate(contexts)]


class _Regression:
    """Scores spans by weights of their features, which are fitted to the spans that people chose.

    Args:
        questions: Of the training part.
    """

    def __init__(self, questions: Sequence[Asked]) -> None:
        self.questions = questions
        self.number = {
            word: place for place, word in enumerate(dict.fromkeys(each.word for each in questions))
        }
        kinds = len(self.number) + 1  # the last is of all questions
        self.places = [_places(each.features(side) for each in questions) for side in (0, 1)]
        sizes = [int(places.max()) + 1 for places in self.places]
        # Of firsts, of lasts, of lengths, of how many words of the question a span holds, and of silence.
        self.shapes = [(sizes[0],), (sizes[1],), (kinds, LONGEST), (4,), (kinds,)]
        self.weights = [np.zeros(shape) for shape in self.shapes]

    def fit(self, truth: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Find the weights by which what people chose is likeliest, all questions at once.

        Args:
            truth: First and last word of each true answer of each question.
        """
        from scipy.optimize import minimize

        spans = self._spans(self.questions)
        chosen = spans.chosen(truth)

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradients = spans.loss(self._parted(flat), chosen)
            slopes = np.concatenate([gradient.ravel() for gradient in gradients])
            count = len(self.questions)
            return (value + PENALTY / 2 * float(flat @ flat)) / count, (slopes + PENALTY * flat) / count

        start = np.zeros(sum(int(np.prod(shape)) for shape in self.shapes))
        outcome = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
        self.weights = self._parted(outcome.x)

    def _parted(self, flat: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        parts = np.split(flat, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def answers(self, questions: Iterable[Asked], may_be_silent: bool) -> Iterator[Found]:
        """Yield the likeliest span of each context."""
        left = iter(questions)
        while block := list(itertools.islice(left, BLOCK)):
            readable = [each for each in block if len(each.context.words)]
            grids = iter(self._spans(readable).grids(self.weights) if readable else [])
            for each in block:
                yield best_of(next(grids), may_be_silent) if len(each.context.words) else Found(-1, -1, 1.0)

    def _spans(self, questions: Sequence[Asked]) -> _Spans:
        sizes = self.shapes[0][0], self.shapes[1][0]
        sides = [
            _sparse([self.places[side][each.features(side)] for each in questions], size)
            for side, size in enumerate(sizes)
        ]
        numbers = np.array([self.number.get(each.word, len(self.number)) for each in questions], np.int64)
        return _Spans(questions, numbers, sides)


class _Spans:
    """The spans of many contexts as arrays: a row a word, a column a length.

    Args:
        questions: With at least one word in each context.
        asked: The number of each question's word, int, `(num_questions,)`.
        sides: The features of each word as the first of a span, and as the last, sparse.
    """

    def __init__(self, questions: Sequence[Asked], asked: np.ndarray, sides: Sequence[Any]) -> None:
        lengths = np.array([len(each.context.words) for each in questions], np.int64)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.asked = asked
        self.firsts, self.lasts = sides
        self.of_row = np.repeat(np.arange(len(questions)), lengths)
        ends = np.arange(self.starts[-1])[:, None] + np.arange(LONGEST)
        self.fits = ends < self.starts[1:][self.of_row][:, None]
        self.ends = np.minimum(ends, self.starts[-1] - 1)
        sums = np.concatenate([[0], np.cumsum(np.concatenate([each.is_met for each in questions]))])
        self.inside = np.minimum(sums[self.ends + 1] - sums[:-1][:, None], 3)

    def scores(self, weights: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of all spans, `(num_words, LONGEST)`, and of silence, `(num_questions,)`."""
        firsts, lasts = self.firsts @ weights[0], self.lasts @ weights[1]
        lengths = weights[2][self.asked][self.of_row] + weights[2][-1]
        grid = firsts[:, None] + lasts[self.ends] + lengths + weights[3][self.inside]
        return np.where(self.fits, grid, NO_SPAN), weights[4][self.asked] + weights[4][-1]

    def grids(self, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return how much likelier each span of each context is than silence, as `best_of` takes them."""
        grid, silence = self.scores(weights)
        moved = np.where(self.fits, grid - silence[self.of_row][:, None], NO_SPAN)
        return np.split(moved, self.starts[1:-1])

    def chosen(self, truth: Sequence[Sequence[tuple[int, int]]]) -> tuple[np.ndarray, np.ndarray]:
        """Return which share of the annotators chose each span, and silence, as `scores` has them."""
        grid, silence = np.zeros(self.fits.shape), np.zeros(len(truth))
        for row, spans in enumerate(truth):
            for first, last in spans:
                grid[self.starts[row] + first, min(last - first, LONGEST - 1)] += 1 / len(spans)
            silence[row] = not spans
        return grid, silence

    def loss(
        self, weights: Sequence[np.ndarray], chosen: tuple[np.ndarray, np.ndarray]
    ) -> tuple[float, list[np.ndarray]]:
        """Return how unlikely what was chosen is, in nats, and the gradients by the weights."""
        grid, silence = self.scores(weights)
        highest = np.maximum(np.maximum.reduceat(grid.max(axis=1), self.starts[:-1]), silence)
        shares, quiet = np.exp(grid - highest[self.of_row][:, None]), np.exp(silence - highest)
        totals = np.add.reduceat(shares.sum(axis=1), self.starts[:-1]) + quiet
        likelihood = (grid * chosen[0]).sum() + (silence * chosen[1]).sum()
        slopes = np.where(self.fits, shares / totals[self.of_row][:, None] - chosen[0], 0.0)
        of_silence = self._by_word(quiet / totals - chosen[1], weights[4].shape)
        at_last = np.bincount(self.ends.ravel(), slopes.ravel(), len(slopes))
        gradients = [self.firsts.T @ slopes.sum(axis=1), self.lasts.T @ at_last]
        of_questions = np.add.reduceat(slopes, self.starts[:-1], axis=0)
        gradients.append(self._by_word(of_questions, weights[2].shape))
        gradients += [np.bincount(self.inside.ravel(), slopes.ravel(), len(weights[3])), of_silence]
        return float((np.log(totals) + highest).sum() - likelihood), gradients

    def _by_word(self, slopes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the slopes of questions summed by their question word, and in the last row all of them."""
        sums = np.zeros(shape)
        np.add.at(sums, self.asked, slopes)
        sums[-1] += slopes.sum(axis=0)
        return sums


def _places(rows: Iterable[np.ndarray]) -> np.ndarray:
    """Return the place of each feature among the weights, of which all rare ones share the first."""
    counts = np.zeros(2**BITS, np.int32)
    for features in rows:
        np.add.at(counts, features.ravel(), 1)
    return np.where(counts >= LEAST, np.cumsum(counts >= LEAST), 0).astype(np.int32)


def _sparse(rows: Sequence[np.ndarray], size: int) -> Any:
    from scipy.sparse import csr_matrix

    numbers = np.concatenate(rows)
    offsets = np.arange(len(numbers) + 1) * numbers.shape[1]
    return csr_matrix((np.ones(numbers.size, np.float32), numbers.ravel(), offsets), (len(numbers), size))


def sliding_window(train: Examples, test: Examples, split: Split) -> list[Found]:
    """Return the spans that most of the question lies near, rare words above all, and that hold none of it.

    Source: Richardson et al., MCTest (2013), section 5.1, with spans of the text as its choices.

    Args:
        train: Tells which words are rare.
        test: Questions to answer.
        split: How texts are cut.
    """
    return [_nearest(each) for each in _asked(test, split, _counts(train, split))]


def _nearest(asked: Asked) -> Found:
    words = asked.context.words
    if not len(words):
        return Found(-1, -1, 1.0)
    places = np.arange(len(words))
    met = np.flatnonzero(asked.is_met)
    closeness = (asked.weights[met] / (1 + np.abs(places[:, None] - met))).sum(axis=1)
    is_open = ~asked.is_met & np.array([any(map(str.isalnum, word)) for word in words])
    first = last = int(np.where(is_open, closeness, -1.0).argmax())
    while first > 0 and is_open[first - 1] and last - first < LONGEST - 1:
        first -= 1
    while last < len(words) - 1 and is_open[last + 1] and last - first < LONGEST - 1:
        last += 1
    return Found(first, last, 0.5)
