from __future__ import annotations

import numpy as np
import pytest

from apps.vision.classification import PictureClassification
from core.data import content
from core.data.audit import Audit, audited
from core.data.content import compared, content_hash, distinct_text, fingerprint
from core.data.examples import Examples, Ragged
from core.data.splitting import completed

PICTURES = Examples({"image": np.arange(4000, dtype=np.uint32).reshape(500, 2, 4), "label": ["a", "b"] * 250})


def test_a_lone_text_is_hashed_blind_to_case_blanks_and_punctuation():
    hashes = content_hash(Examples({"text": ["A good film!", "a  good film", "a bad film"]}), ("text",))
    assert hashes[0] == hashes[1] != hashes[2]


def test_ids_that_differ_in_case_are_different():
    hashes = content_hash(Examples({"user": ["a", "A"], "item": ["x", "x"]}), ("user", "item"))
    assert hashes[0] != hashes[1]


def test_columns_can_not_trade_places():
    hashes = content_hash(Examples({"user": ["a", "b"], "item": ["b", "a"]}), ("user", "item"))
    assert hashes[0] != hashes[1]


def test_pictures_and_waves_are_hashed_by_their_content():
    pictures = Examples({"image": np.array([[[1, 2]], [[1, 2]], [[2, 1]]], np.uint8)})
    waves = Examples({"wave": Ragged.from_rows([[1, 2], [1, 2], [1]])})
    for hashes in (content_hash(pictures, ("image",)), content_hash(waves, ("wave",))):
        assert hashes[0] == hashes[1] != hashes[2]


def test_hashes_and_fingerprints_are_those_of_runs_that_were_trained_long_ago():
    waves = Examples({"wave": Ragged.from_rows([[1, 2], [], [3]], np.int16)})
    texts = Examples({"text": ["A good film!", "schön"]})
    assert [f"{row_hash:x}" for row_hash in content_hash(waves, ("wave",))] == [
        "493093921ff2258a",
        "ff1017111c959712",
        "6cd650d06be2ca88",
    ]
    assert [f"{row_hash:x}" for row_hash in content_hash(texts, ("text",), seed=1)] == [
        "383492991340de40",
        "abc854031b761daf",
    ]
    assert [fingerprint(waves, ("wave",)), fingerprint(texts, ("text",))] == [
        "3780064a9e853160",
        "6b83dc8f045fa96c",
    ]


def test_the_content_is_hashed_once_for_the_split_and_the_audit(monkeypatch):
    hashed, column_hash = [], content._column_hash
    monkeypatch.setattr(
        content, "_column_hash", lambda column, salt: hashed.append(len(column)) or column_hash(column, salt)
    )
    pictures = Examples(PICTURES.columns)
    splits = completed({"train": pictures}, PictureClassification.content, validation=0.1, test=0.2)
    audited(splits, Audit(), PictureClassification.content, label="label")
    assert hashed == [500]


def test_examples_that_are_taken_joined_or_labelled_anew_hash_as_if_they_were_read():
    content_hash(PICTURES, ("image",))
    some, others = PICTURES.take([7, 3, 499]), PICTURES.take(np.arange(500) < 9)
    for examples in (some, Examples.concatenate([some, others]), some.with_columns(label=["x", "y", "z"])):
        assert examples.hashes
        anew = content_hash(Examples(examples.columns), ("image",))
        np.testing.assert_array_equal(content_hash(examples, ("image",)), anew)


def test_examples_whose_content_is_replaced_are_hashed_anew():
    before = content_hash(PICTURES, ("image",))
    after = content_hash(PICTURES.with_columns(image=PICTURES["image"] + 1), ("image",))
    assert not np.isin(after, before).any()


def test_another_seed_gives_other_hashes():
    assert not np.isin(content_hash(PICTURES, ("image",), 1), content_hash(PICTURES, ("image",))).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.float32, np.float64])
def test_equal_numbers_are_equal_whatever_type_a_part_keeps_them_in(dtype):
    rows = [[1, 2, 3], [], [7]]
    parts = {
        "train": Examples({"tokens": Ragged.from_rows(rows, np.int64), "id": np.arange(3)}),
        "test": Examples({"tokens": Ragged.from_rows(rows, dtype), "id": np.arange(3).astype(dtype)}),
    }
    for key in (("tokens",), ("id",), ("id", "tokens")):
        train, test = compared(parts, key).values()
        assert train.tolist() == test.tolist()
        assert len(set(train.tolist())) == 3


def test_token_sequences_of_any_whole_numbers_have_one_hash():
    types = (np.int32, np.int64, np.uint16)
    rows = [Examples({"t": Ragged.from_rows([[1, 2], [3]], dtype)}) for dtype in types]
    assert len({content_hash(each, ("t",)).tobytes() for each in rows}) == 1


def test_rows_of_words_have_a_hash_and_a_fingerprint():
    words = Ragged.from_rows([["a", "b"], ["ab"], ["a", "b"]], np.dtypes.StringDType())
    ragged = Examples({"words": words})
    hashes = content_hash(ragged, ("words",))
    assert hashes[0] == hashes[2] != hashes[1]
    square = Examples({"words": [["a", "b"], ["a", "c"], ["a", "b"]]})
    hashes = content_hash(square, ("words",))
    assert hashes[0] == hashes[2] != hashes[1]
    assert fingerprint(ragged, ("words",)) != fingerprint(ragged.take([1, 0, 2]), ("words",))
    assert fingerprint(square, ("words",)) != fingerprint(square.take([1, 0, 2]), ("words",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("बेटा चलता है", "बेटी चलती है"),  # vowel signs
        ("หนังดี", "หนังดู"),
        ("كَتَبَ", "كُتِبَ"),
        ("nice 👍", "nice 👎"),
        ("so so :)", "so so :("),
        ("so so :-)", "so so ;-)"),
        ("the service +", "the service -"),
        ("it was 5", "it was -5"),
        ("C++ is fine", "C# is fine"),
        ("up 5%", "up 5"),
        ("€ 5", "$ 5"),
        ("↑ prices", "↓ prices"),
        ("a ≤ b", "a ≥ b"),
        ("👨‍👩", "👨‍👧"),
    ],
)
def test_texts_are_compared_on_what_tells_them_apart(one, other):
    assert distinct_text(one) != distinct_text(other)
    train, test = (Examples({"text": [text]}) for text in (one, other))
    hashes = compared({"train": train, "test": test}, ("text",))
    assert hashes["train"] != hashes["test"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A good film!", "a  good film"),
        ("cafe\u0301 noir", "CAFÉ NOIR."),
        ("A well-made film", "a well made film..."),
        ("STRASSE", "Straße"),
        ("I ❤️ it", "i ❤ it"),
        ("“Quoted”, he said", '"quoted" he said'),
        ("很好看。", "很好看"),
    ],
)
def test_case_blanks_and_the_punctuation_of_sentences_tell_no_texts_apart(one, other):
    assert distinct_text(one) == distinct_text(other)
