from __future__ import annotations

import numpy as np
import pytest
import tensorflow_datasets as tfds

from core.data.sources import _Gathered, read_tfds
from core.errors import UserError


class QuartetTiny(tfds.core.GeneratorBasedBuilder):
    """Texts, pictures and sounds, three of each."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["bad", "good"]),
            "image": tfds.features.Image(shape=(4, 4, 1)),
            "audio": tfds.features.Audio(dtype=np.int64),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(3), "unlabelled": self._generate_examples(1)}

    def _generate_examples(self, count):
        for row in range(count):
            picture = np.full((4, 4, 1), row, np.uint8)
            yield (
                row,
                {"text": f"text {row}", "label": row % 2, "image": picture, "audio": np.arange(row + 1)},
            )


@pytest.fixture
def builder(tmp_path, monkeypatch):
    made = QuartetTiny(data_dir=tmp_path)
    monkeypatch.setattr(tfds, "builder", lambda name: made)
    return made


def test_features_become_columns_with_class_names(builder):
    parts = read_tfds("tfds:quartet_tiny", {"text": ("sentence", "text"), "label": ("label",)})
    order = np.argsort(parts["train"]["text"])
    assert parts["train"]["text"][order].tolist() == ["text 0", "text 1", "text 2"]
    assert parts["train"]["label"][order].tolist() == ["bad", "good", "bad"]


def test_pictures_are_stacked_and_sounds_are_ragged(builder):
    train = read_tfds("tfds:quartet_tiny", {"image": ("image",), "wave": ("audio",)})["train"]
    assert train["image"].shape == (3, 4, 4, 1)
    assert sorted(train.ragged("wave").lengths.tolist()) == [1, 2, 3]
    assert train.ragged("wave").values.dtype == np.int16


def test_a_feature_that_is_not_there_is_refused(builder):
    with pytest.raises(UserError, match=r"no rating. Received the features"):
        read_tfds("tfds:quartet_tiny", {"rating": ("user_rating",)})


def test_an_unknown_data_set_is_refused_by_name():
    with pytest.raises(UserError, match="Received: tfds:no_such_data_set_at_all"):
        read_tfds("tfds:no_such_data_set_at_all", {"text": ("text",)})


def test_a_name_that_is_nearly_right_is_corrected():
    with pytest.raises(
        UserError, match=r"not found\. Did you mean tfds:imdb_reviews\? Received: tfds:imdb_review\."
    ):
        read_tfds("tfds:imdb_review", {"text": ("text",)})


class QuartetFar(QuartetTiny):
    """A data set at an address where nothing answers."""

    def _split_generators(self, dl_manager):
        dl_manager.download("http://127.0.0.1:9/far.zip")


def test_an_address_that_does_not_answer_is_named_after_seconds_and_not_minutes(tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    monkeypatch.setattr(tfds, "builder", lambda name: QuartetFar(data_dir=tmp_path))
    with pytest.raises(UserError, match=r"127\.0\.0\.1 can't be reached\. Without .*sample\. Received"):
        read_tfds("tfds:quartet_far", {"text": ("text",)})
    assert 0 < sum(slept) < 5


def test_a_data_set_that_is_not_on_disk_leaves_the_temporary_folder_empty(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda seconds: None)
    made = []

    def builder(name: str) -> QuartetFar:
        far = QuartetFar(data_dir=tmp_path / "data")
        far.info.initialize_from_bucket()
        made.extend(path.name for path in tmp_path.iterdir() if path.name.endswith("tfds"))
        return far

    monkeypatch.setattr(tfds, "builder", builder)
    with pytest.raises(UserError, match="can't be reached"):
        read_tfds("tfds:quartet_far", {"text": ("text",)})
    assert made
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith("tfds")]


def test_features_too_large_for_memory_lie_on_disk_and_are_the_same(builder, monkeypatch):
    columns = {"text": ("text",), "image": ("image",), "wave": ("audio",)}
    in_memory = read_tfds("tfds:quartet_tiny", columns)["train"]
    monkeypatch.setattr("core.data.larger_than_memory.memory_bytes", lambda: 10)
    on_disk = read_tfds("tfds:quartet_tiny", columns)["train"]
    assert isinstance(on_disk["image"], np.memmap)
    np.testing.assert_array_equal(on_disk["image"], in_memory["image"])
    assert isinstance(on_disk.ragged("wave").values, np.memmap)
    np.testing.assert_array_equal(on_disk.ragged("wave").values, in_memory.ragged("wave").values)
    assert on_disk["text"].tolist() == in_memory["text"].tolist()


def test_sounds_of_more_than_16_bits_are_refused():
    sounds = _Gathered(tfds.features.Audio(dtype=np.int64), "audio")
    with pytest.raises(UserError, match=r"must have 16 bits\. Received: 32,768"):
        sounds.append(np.array([1, 2**15]))
