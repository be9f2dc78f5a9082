"""The rivals of entities: names remembered from training, and a linear chain on features made by hand."""

from __future__ import annotations

import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from apps.nlp.chain import Chain, chain_limits, chain_tags
from apps.nlp.word_ids import shape_of, word_key
from core.answers.tags.entities import Entity
from core.answers.tags.schemes import tags_of

Words = Sequence[str]
EPOCHS = 8
CRF_ROUNDS = 100
FORBIDDEN = -1e4


def gazetteer(train: Sequence[tuple[Words, Sequence[Entity]]], test: Sequence[Words]) -> list[list[Entity]]:
    """Return the longest runs of words that were mostly entities in training, each of its most usual type.

    Args:
        train: Words and entities of each training sentence.
        test: Words of each sentence to read.
    """
    types: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for words, entities in train:
        for entity in entities:
            types[_keys(words[entity.first : entity.last + 1])][entity.type] += 1
    longest = max(map(len, types), default=0)
    stood: Counter[tuple[str, ...]] = Counter()
    for words, _ in train:
        keys = _keys(words)
        stood.update(run for run in _runs(keys, longest) if run in types)
    usual = {
        run: counts.most_common(1)[0][0] for run, counts in types.items() if 2 * counts.total() >= stood[run]
    }
    return [_longest_matches(_keys(words), usual, longest) for words in test]


def _keys(words: Words) -> tuple[str, ...]:
    return tuple(word_key(word) for word in words)


def _runs(keys: tuple[str, ...], longest: int) -> Iterator[tuple[str, ...]]:
    return (
        keys[start : start + length]
        for start in range(len(keys))
        for length in range(1, min(longest, len(keys) - start) + 1)
    )


def _longest_matches(keys: tuple[str, ...], usual: dict[tuple[str, ...], str], longest: int) -> list[Entity]:
    entities, place = [], 0
    while place < len(keys):
        lengths = range(min(longest, len(keys) - place), 0, -1)
        length = next((each for each in lengths if keys[place : place + each] in usual), 0)
        if length:
            entities.append(Entity(usual[keys[place : place + length]], place, place + length - 1))
        place += max(length, 1)
    return entities


def features_of(words: Words) -> list[list[str]]:
    """Return what is known by hand of each word: itself, its affixes and shape, and its neighbours.

    Args:
        words: Of a sentence.

    Example:

    >>> features_of(["Ann"])[0][:4]
    ['bias', 'word=ann', 'shape=Xx', 'prefix=A']
    """
    keys, shapes = [word_key(word) for word in words], [shape_of(word) for word in words]
    features = []
    for place, word in enumerate(words):
        own = ["bias", f"word={keys[place]}", f"shape={shapes[place]}"]
        own += [f"prefix={word[:length]}" for length in range(1, 5) if length <= len(word)]
        own += [f"suffix={word[-length:]}" for length in range(1, 5) if length <= len(word)]
        for step in (-2, -1, 1, 2):
            there = place + step
            inside = 0 <= there < len(words)
            own.append(f"{step}word={keys[there]}" if inside else f"{step}edge")
            if inside:
                own.append(f"{step}shape={shapes[there]}")
        for one, other in ((place - 1, place), (place, place + 1)):
            if one >= 0 and other < len(words):
                own.append(f"{one - place}pair={keys[one]} {keys[other]}")
        features.append(own)
    return features


def feature_chain(
    train: Sequence[tuple[Words, Sequence[Entity]]], test: Sequence[Words], types: Sequence[str]
) -> tuple[str, list[list[Entity]]]:
    """Return the name of a linear chain on features made by hand, and the entities that it finds.

    It is a CRF where python-crfsuite is installed, else an averaged perceptron over the same features.

    Args:
        train: Words and entities of each training sentence.
        test: Words of each sentence to read.
        types: Of the entities.
    """
    if importlib.util.find_spec("pycrfsuite"):
        return "CRF on word features", _crf(train, test)
    return "perceptron chain on word features", _perceptron(train, test, types)


def _crf(train: Sequence[tuple[Words, Sequence[Entity]]], test: Sequence[Words]) -> list[list[Entity]]:
    import tempfile
    from pathlib import Path

    import pycrfsuite

    from core.answers.tags.schemes import read_tags

    trainer = pycrfsuite.Trainer(verbose=False)
    for words, entities in train:
        trainer.append(features_of(words), tags_of(entities, len(words), "bioes"))
    trainer.set_params({"c1": 0.1, "c2": 0.01, "max_iterations": CRF_ROUNDS})
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        found = [read_tags(tagger.tag(features_of(words)), "bioes")[0] for words in test]
        tagger.close()
    return found


def _perceptron(
    train: Sequence[tuple[Words, Sequence[Entity]]], test: Sequence[Words], types: Sequence[str]
) -> list[list[Entity]]:
    """Return the entities that an averaged structured perceptron finds.

    Source: Collins, Discriminative Training Methods for Hidden Markov Models (2002), section 2.
    """
    tags = chain_tags(types)
    number = {tag: place for place, tag in enumerate(tags)}
    known: dict[str, int] = {}
    rows = [_numbered(words, known, grow=True) for words, _ in train]
    truth = [
        np.array([number[tag] for tag in tags_of(entities, len(words), "bioes")]) for words, entities in train
    ]
    weights, transitions = np.zeros((len(known) + 1, len(tags))), np.zeros((len(tags), len(tags)))
    sums, sum_transitions = np.zeros_like(weights), np.zeros_like(transitions)
    random, seen = np.random.default_rng(0), 0
    for _ in range(EPOCHS):
        for row in random.permutation(len(rows)):
            seen += 1
            path = np.array(_chain(types, transitions).best(weights[rows[row]].sum(axis=1)))
            true = truth[row]
            for place in np.flatnonzero(path != true):
                own = rows[row][place]
                own = own[own >= 0]
                for tag, step in ((true[place], 1.0), (path[place], -1.0)):
                    weights[own, tag] += step
                    sums[own, tag] += step * seen
            for path_, step in ((true, 1.0), (path, -1.0)):
                np.add.at(transitions, (path_[:-1], path_[1:]), step)
                np.add.at(sum_transitions, (path_[:-1], path_[1:]), step * seen)
    # The mean over all sentences seen: each step counts as often as it was in force.
    weights, transitions = weights - sums / (seen + 1), transitions - sum_transitions / (seen + 1)
    chain = _chain(types, transitions)
    found = []
    for words in test:
        emissions = weights[_numbered(words, known, grow=False)].sum(axis=1)
        found.append([Entity(each.type, each.first, each.last) for each in chain.entities(emissions)])
    return found


def _numbered(words: Words, known: dict[str, int], *, grow: bool) -> np.ndarray:
    """Return the features of each word as numbers, the last of which stands for none, `(num_words, most)`."""
    if grow:
        numbers = [[known.setdefault(each, len(known)) for each in own] for own in features_of(words)]
    else:
        numbers = [[known.get(each, -1) for each in own] for own in features_of(words)]
    table = np.full((len(numbers), max(map(len, numbers), default=0)), -1)
    for row, own in zip(table, numbers, strict=True):
        row[: len(own)] = own
    return table


def _chain(types: Sequence[str], transitions: np.ndarray) -> Chain:
    allowed, first, last = chain_limits(chain_tags(types))
    return Chain(
        types,
        np.where(allowed, transitions, FORBIDDEN),
        np.where(first, 0.0, FORBIDDEN),
        np.where(last, 0.0, FORBIDDEN),
    )
