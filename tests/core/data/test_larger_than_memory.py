from __future__ import annotations

import threading
from collections import namedtuple

import numpy as np
import pytest
import soundfile
from PIL import Image

from core.data import larger_than_memory
from core.data.audio import decoded as decoded_sounds
from core.data.examples import Examples, Ragged
from core.data.feed import Feed
from core.data.images import decoded as decoded_pictures
from core.data.images import read_images
from core.data.larger_than_memory import AHEAD, in_threads
from core.errors import UserError

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (12, 4, 5, 1), np.uint8)
WAVES = Ragged.from_rows([RANDOM.integers(-99, 99, length) for length in (3, 0, 40, 7, 12)], np.int16)


@pytest.fixture
def little_memory(monkeypatch):
    """Every column of more than 30 bytes is too large for memory, and a block holds two pictures."""
    for place in ("larger_than_memory", "images", "storage"):
        monkeypatch.setattr(f"core.data.{place}.memory_bytes", lambda: 30)
    monkeypatch.setattr(larger_than_memory, "BLOCK_BYTES", 40)


def test_rows_taken_of_pictures_too_large_for_memory_lie_on_disk_and_are_the_same(little_memory):
    rows = np.array([7, 0, 7, 11, 3])
    taken = Examples({"image": PICTURES}).take(rows).take([0, 2, 4])["image"]
    assert isinstance(taken, np.memmap)
    np.testing.assert_array_equal(taken, PICTURES[rows[[0, 2, 4]]])


def test_rows_taken_of_waves_too_large_for_memory_lie_on_disk_and_are_the_same(little_memory):
    taken = WAVES.take([4, 1, 2, 2])
    assert isinstance(taken.values, np.memmap)
    assert [taken[row].tolist() for row in range(4)] == [WAVES[row].tolist() for row in (4, 1, 2, 2)]


def test_few_rows_of_a_column_on_disk_come_into_memory(little_memory):
    examples = Examples({"image": PICTURES}).take(np.arange(1, 12))
    assert isinstance(examples["image"], np.memmap)
    assert not isinstance(examples.take([0])["image"], np.memmap)


def test_parts_too_large_for_memory_are_joined_on_disk(little_memory):
    part = Examples({"image": PICTURES, "wave": WAVES.take([0, 1, 2, 3, 4] * 2 + [0, 1])})
    joined = Examples.concatenate([part, part])
    assert isinstance(joined["image"], np.memmap)
    np.testing.assert_array_equal(joined["image"], np.concatenate([PICTURES, PICTURES]))
    np.testing.assert_array_equal(joined.ragged("wave")[14], WAVES[2])


def test_a_column_on_disk_reaches_a_model_as_one_in_memory_does(little_memory):
    feed = Feed(batch_size=5, training=True, seed=3)
    on_disk = Examples({"image": PICTURES}).take(np.arange(12)[::-1])["image"]
    in_memory = np.asarray(PICTURES)[::-1].copy()
    for first, second in zip(feed.batches(on_disk).take(4), feed.batches(in_memory).take(4), strict=True):
        np.testing.assert_array_equal(first[0], second[0])


def test_sounds_too_large_for_memory_are_read_to_disk_and_are_the_same(tmp_path, monkeypatch):
    files = [tmp_path / f"{row}.wav" for row in range(4)]
    for row, file in enumerate(files):
        soundfile.write(file, RANDOM.integers(-999, 999, 30 + row).astype(np.int16), 8000)
    in_memory, _ = decoded_sounds(files, 8000)
    monkeypatch.setattr(larger_than_memory, "memory_bytes", lambda: 30)
    on_disk, _ = decoded_sounds(files, 8000)
    assert isinstance(on_disk.values, np.memmap)
    assert not isinstance(in_memory.values, np.memmap)
    np.testing.assert_array_equal(on_disk.values, in_memory.values)
    np.testing.assert_array_equal(on_disk.offsets, in_memory.offsets)


def test_pictures_too_large_for_memory_are_read_to_disk_but_for_those_that_are_none(tmp_path, little_memory):
    files = [tmp_path / f"{row}.png" for row in range(4)]
    for row, file in enumerate(files):
        Image.fromarray(PICTURES[row, ..., 0]).save(file)
    files[1].write_bytes(b"no picture")
    images, good = decoded_pictures(files, skip_bad=True)
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, PICTURES[[0, 2, 3]])
    assert good.tolist() == [True, False, True, True]


def test_idx_files_too_large_for_memory_are_mapped(tmp_path, little_memory):
    for kind, array in (("images-idx3", PICTURES[..., 0]), ("labels-idx1", np.arange(12, dtype=np.uint8))):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (tmp_path / f"train-{kind}-ubyte").write_bytes(head + array.tobytes())
    images = read_images(tmp_path)[0]["train"]["image"]
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, PICTURES)


def test_a_disk_without_room_is_reported_before_anything_is_written(monkeypatch, little_memory):
    full = namedtuple("Usage", "free")(10)
    monkeypatch.setattr(larger_than_memory.shutil, "disk_usage", lambda folder: full)
    with pytest.raises(UserError, match=r"name a larger disk by TMPDIR\. Received: 0\.0 GB of data"):
        Examples({"image": PICTURES}).take(np.arange(11))


def test_work_in_threads_is_not_far_ahead_of_its_reader():
    started, lock = [], threading.Lock()

    def work(item: int) -> int:
        with lock:
            started.append(item)
        return item

    results = in_threads(work, iter(range(10 * AHEAD)))
    assert next(results) == 0
    assert len(started) <= AHEAD
    assert list(results) == list(range(1, 10 * AHEAD))
