"""The rivals of entities: names remembered from training, and a linear chain on features made by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from apps.nlp.word_ids import shape_of, word_key
from core.answers.tags.entities import Entity
from core.answers.tags.schemes import read_tags, tags_of

Words = Sequence[str]
CRF_ROUNDS = 100


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


def crf_on_features(
    train: Sequence[tuple[Words, Sequence[Entity]]], test: Sequence[Words]
) -> list[list[Entity]]:
    """Return the entities that a linear-chain CRF on features made by hand finds.

    Args:
        train: Words and entities of each training sentence.
        test: Words of each sentence to read.
    """
    import tempfile
    from pathlib import Path

    import pycrfsuite

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
