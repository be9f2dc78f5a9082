from __future__ import annotations

import numpy as np
import pytest

from apps.speech.recordings import read_source
from core.errors import UserError


def write_tfds(folder, sample_rate: int | None) -> None:
    """Prepare a data set of two beeps, 0.1 s each, as tensorflow-datasets keeps them."""
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "audio": tfds.features.Audio(sample_rate=sample_rate),
            "label": tfds.features.ClassLabel(names=["no", "yes"]),
        }
    )
    wave = np.int64(10_000 * np.sin(2 * np.pi * 440 * np.arange(800) / 8000))
    rows = [("0", {"audio": wave, "label": "no"}), ("1", {"audio": -wave, "label": "yes"})]
    tfds.dataset_builders.store_as_tfds_dataset(
        name="beeps", version="1.0.0", features=features, split_datasets={"train": rows}, data_dir=folder
    )


@pytest.fixture
def beeps(tmp_path, monkeypatch):
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    return lambda sample_rate: write_tfds(tmp_path, sample_rate)


def test_recordings_of_tensorflow_datasets_are_brought_to_the_rate_asked_for(beeps):
    beeps(8000)
    parts, _ = read_source("tfds:beeps", 16000)
    waves = parts["train"].ragged("wave")
    assert waves.values.dtype == np.int16
    assert waves.lengths.tolist() == [1600, 1600]
    assert sorted(parts["train"]["label"].tolist()) == ["no", "yes"]
    middle = waves[0][400:1200].astype(float)
    assert np.abs(np.fft.rfft(middle * np.hanning(800))).argmax() == 440 * 800 // 16000


def test_a_data_set_that_does_not_tell_its_rate_is_refused(beeps):
    beeps(None)
    with pytest.raises(UserError, match="samples a second"):
        read_source("tfds:beeps", 16000)


def test_names_of_files_are_refused_where_there_are_none():
    for data in ("sample", "tfds:spoken_digit"):
        with pytest.raises(UserError, match="has none"):
            read_source(data, 16000, names="{label}")


def test_a_source_that_does_not_exist_is_refused_by_its_path(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        read_source(str(tmp_path / "nowhere"), 16000)


def test_the_sample_is_ten_words_by_many_voices():
    parts, _ = read_source("sample", 8000)
    whole = parts["train"]
    assert len(set(whole["label"].tolist())) == 10
    assert len(set(whole["speaker"].tolist())) >= 40
    assert whole.ragged("wave").lengths.min() > 800
