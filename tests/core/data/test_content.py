from __future__ import annotations

import numpy as np

from apps.vision.classification import PictureClassification
from core.data import content
from core.data.audit import Audit, audited
from core.data.content import content_hash, fingerprint
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
    assert [f"{found:x}" for found in content_hash(waves, ("wave",))] == [
        "493093921ff2258a",
        "ff1017111c959712",
        "6cd650d06be2ca88",
    ]
    assert [f"{found:x}" for found in content_hash(texts, ("text",), seed=1)] == [
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
