from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.recommendation.clicks import Clicks
from apps.recommendation.impressions.streaming import Schema, read_hashed
from core.data import larger_than_memory
from core.errors import UserError


def table(num_rows: int) -> pa.Table:
    random = np.random.default_rng(0)
    device = random.choice(["phone", "desk", None], num_rows).tolist()
    return pa.table(
        {
            "device": device,
            "user_id": random.integers(0, 50, num_rows),
            "price": [None if value < 0.1 else value for value in random.uniform(0, 9, num_rows).tolist()],
            "click": random.integers(0, 2, num_rows),
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    folder.mkdir()
    pq.write_table(table(300), folder / "0.parquet", row_group_size=70)
    pq.write_table(table(300), folder / "1.parquet")
    return tmp_path


def test_rows_that_are_streamed_have_the_ids_of_rows_that_are_read_whole(path):
    streamed = Clicks(data=str(path), buckets=7)
    rows = streamed.load().train
    encoder = streamed.encode(rows)
    raw = [dict(row, click=None) for row in table(300).to_pylist()]
    inputs = [{name: row[name] for name in ("device", "user_id", "price")} for row in raw]
    features = encoder.features(streamed.read([*inputs, *inputs]))
    order = {row: place for place, row in enumerate(map(tuple, features["ids"].tolist()))}
    assert set(map(tuple, encoder.features(rows)["ids"].tolist())) <= set(order)


def test_columns_beyond_their_share_of_memory_lie_on_disk_and_so_do_rows_taken_of_them(path, monkeypatch):
    monkeypatch.setattr(larger_than_memory, "memory_bytes", lambda: 3000)
    monkeypatch.setattr(larger_than_memory, "BLOCK_BYTES", 100)
    files = sorted((path / "train").iterdir())
    rows = read_hashed(files, Schema("click", ["price"], ["device", "user_id"]), 7, "|")
    assert isinstance(rows["device"], np.memmap)
    assert isinstance(rows.take(np.arange(0, 600, 2))["device"], np.memmap)
    assert len(rows) == 600


def test_several_values_are_not_taken_for_one(tmp_path):
    pq.write_table(pa.table({"tags": ["a|b", "a"], "click": [0, 1]}), tmp_path / "train.parquet")
    with pytest.raises(UserError, match=r"several values.*'a\|b'"):
        Clicks(data=str(tmp_path), buckets=7).load()
    assert len(Clicks(data=str(tmp_path), buckets=7, separator="").load().train)


def test_a_missing_label_is_refused(tmp_path):
    pq.write_table(pa.table({"a": ["x", "y"], "click": [None, 1]}), tmp_path / "train.parquet")
    with pytest.raises(UserError, match="neither click nor no click"):
        Clicks(data=str(tmp_path), buckets=7).load()
