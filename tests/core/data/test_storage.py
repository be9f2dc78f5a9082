from __future__ import annotations

import numpy as np

from core.data.examples import Examples, Ragged, Splits
from core.data.storage import read_splits, write_splits


def test_splits_come_back_as_they_were(tmp_path):
    train = Examples(
        {
            "text": ["schön", "", "a\0b\nc"],
            "rating": np.array([1.5, np.nan, 3.0]),
            "wave": Ragged.from_rows([[1, 2], [], [3]], np.int16),
            "picture": np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
        },
        source="reviews.tsv",
    )
    splits = Splits(
        train, train.take([]), train.take([2]), "by hash", notes=("2 skipped",), official_test=True
    )
    write_splits(tmp_path, splits)
    restored = read_splits(tmp_path)
    assert restored.train["text"].tolist() == ["schön", "", "a\0b\nc"]
    np.testing.assert_array_equal(restored.train["rating"], train["rating"])
    assert [restored.train.ragged("wave")[row].tolist() for row in range(3)] == [[1, 2], [], [3]]
    assert restored.train["picture"].dtype == np.uint8
    np.testing.assert_array_equal(restored.test["picture"], train["picture"][2:])
    assert (len(restored.validation), restored.test.source) == (0, "reviews.tsv")
    assert (restored.protocol, restored.notes, restored.official_test) == ("by hash", ("2 skipped",), True)


def test_columns_too_large_for_memory_stay_on_disk(tmp_path, monkeypatch):
    train = Examples({"picture": np.zeros((3, 4))})
    write_splits(tmp_path, Splits(train, train, train, "none"))
    assert not isinstance(read_splits(tmp_path).train["picture"], np.memmap)
    monkeypatch.setattr("core.data.storage.memory_bytes", lambda: 10)
    assert isinstance(read_splits(tmp_path).train["picture"], np.memmap)
