from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from core.data.examples import Ragged
from core.data.near_duplicates import NEAR_WORDS, near_duplicates

RANDOM = np.random.default_rng(0)


def texts(rows: list[str]) -> np.ndarray:
    return np.array(rows, np.dtypes.StringDType())


def waves(rows: list[np.ndarray]) -> Ragged:
    return Ragged.from_rows([np.clip(row, -32768, 32767) for row in rows], np.int16)


def noise(length: int = 4000) -> np.ndarray:
    return RANDOM.normal(0, 3000, length)


def test_texts_are_found_that_comparing_each_with_each_finds():
    words = np.array([f"w{number}" for number in range(300)])
    train = [" ".join(RANDOM.choice(words, RANDOM.integers(2, 60))) for _ in range(300)]
    test = []
    for text in train[:200]:
        changed = text.split()
        for _ in range(RANDOM.integers(1, 4)):
            changed[RANDOM.integers(len(changed))] = RANDOM.choice(words)
        test.append(" ".join(changed))
    counts = CountVectorizer(ngram_range=(1, 2), binary=True).fit([*train, *test])
    similar = cosine_similarity(counts.transform(test), counts.transform(train)).max(axis=1) >= NEAR_WORDS
    several = np.diff(counts.transform(test).indptr) > 3
    expected = np.flatnonzero(similar & several).tolist()
    assert 5 < len(expected) < 150
    assert near_duplicates(texts(train), texts(test)).tolist() == expected


def test_a_recording_cut_elsewhere_and_played_softer_is_found_and_others_are_not():
    train = [noise() for _ in range(20)]
    test = [noise(), 0.3 * train[7][100:], noise()]
    assert near_duplicates(waves(train), waves(test)).tolist() == [1]


@pytest.mark.parametrize("wave", [np.zeros(0), np.zeros(400), np.ones(1)])
def test_a_recording_of_nothing_is_like_no_other(wave):
    assert near_duplicates(waves([wave, noise()]), waves([wave * 0])).tolist() == []


def test_small_pictures_are_compared_too():
    train = RANDOM.integers(0, 256, (10, 3, 3, 1), np.uint8)
    test = np.clip(train[4:5].astype(int) + 1, 0, 255).astype(np.uint8)
    assert near_duplicates(train, test).tolist() == [0]


def test_nothing_is_like_nothing():
    assert len(near_duplicates(texts(["a b c d"]), texts([]))) == 0
    assert len(near_duplicates(np.arange(3.0), np.arange(3.0))) == 0
