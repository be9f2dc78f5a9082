"""Names of every length and script are found where they stand."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.columns import occurrences
from core.data.lookup import places_among
from core.errors import UserError
from core.task.classification import LabelEncoder

STRINGS = np.dtypes.StringDType()
SCRIPTS = {
    "Latin": "abcdefghij klmnopqrstuvwxyz",
    "accents": "éàüñçøåßœæ",
    "Cyrillic": "абвгдежзийклмнопрст",
    "Arabic": "ابتثجحخدذرزسشص",
    "Devanagari": "कखगघचछजझटठडढतथदध",
    "Thai": "กขคงจฉชซญฎฏฐ",
    "Chinese": "的一是不了人我在有他这",
    "emoji": "😀😁😂🤣😃😄😅😆",
}


def names(script: str, longest: int = 200) -> list[str]:
    """Return different names of 1 to 200 letters, in no order."""
    random = np.random.default_rng(len(script))
    letters = list(SCRIPTS[script])
    made = {"".join(random.choice(letters, length)) for length in range(1, longest + 1)}
    return random.permutation(sorted(made)).tolist()


@pytest.mark.parametrize("script", SCRIPTS)
def test_labels_of_1_to_200_letters_have_the_ids_of_their_places(script):
    labels = sorted(names(script))
    asked = np.array(names(script)[::-1], STRINGS)
    ids = LabelEncoder(labels=labels).ids(asked, "a table")
    assert ids.dtype == np.int32
    assert [labels[place] for place in ids] == asked.tolist()


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_of_1_to_200_letters_are_counted_among_others(script):
    some = names(script)
    among = np.array([name for place, name in enumerate(some[:100]) for _ in range(place % 3 + 1)], STRINGS)
    counts = occurrences(np.array(some, STRINGS), among)
    assert counts.tolist() == [place % 3 + 1 if place < 100 else 0 for place in range(len(some))]


def test_a_label_that_training_never_saw_is_refused_by_its_name():
    names = np.array(["an ordinary class name", "another ordinary class name", "a strange one"], STRINGS)
    with pytest.raises(UserError, match=r"Received: a strange one in 1 example\."):
        LabelEncoder(labels=names[:2].tolist()).ids(names, "a table")


def test_numbers_are_found_among_numbers():
    assert places_among(np.array([3, 1]), np.array([1, 2, 3])).tolist() == [1, -1, 0]


def test_nothing_is_found_among_nothing():
    assert occurrences(np.array(["a"], STRINGS), np.array([], STRINGS)).tolist() == [0]
