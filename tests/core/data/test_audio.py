from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import soundfile

from core.data.audio import decoded, decoded_upload, read_recordings
from core.errors import UserError

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)).astype(np.float32)


def saved(path, wave=TONE, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate)
    return path


def test_a_folder_for_each_word_is_read_with_its_labels(tmp_path):
    saved(tmp_path / "yes" / "1.wav")
    saved(tmp_path / "no" / "2.flac")
    train = read_recordings(tmp_path, 8000)[0]["train"]
    assert train["label"].tolist() == ["no", "yes"]
    np.testing.assert_allclose(train.ragged("wave")[1] / 32768, TONE, atol=1e-4)


def test_samples_of_16_bits_come_out_as_they_are(tmp_path):
    wave = np.arange(-32768, 32768, 13).astype(np.int16)
    np.testing.assert_array_equal(decoded([saved(tmp_path / "a.wav", wave)], 8000)[0][0], wave)


def test_the_lists_of_speech_commands_name_the_parts_and_files_their_speakers(tmp_path):
    for name in ("yes/a_nohash_0", "yes/b_nohash_0", "no/c_nohash_1", "_background_noise_/rain"):
        saved(tmp_path / f"{name}.wav")
    (tmp_path / "testing_list.txt").write_text("no/c_nohash_1.wav\n")
    (tmp_path / "validation_list.txt").write_text("yes/b_nohash_0.wav\n")
    parts, _ = read_recordings(tmp_path, 8000)
    assert {part: examples["speaker"].tolist() for part, examples in parts.items()} == {
        "train": ["a"],
        "validation": ["b"],
        "test": ["c"],
    }


def test_a_folder_with_nothing_to_train_on_is_refused(tmp_path):
    saved(tmp_path / "test" / "yes" / "a.wav")
    with pytest.raises(UserError, match="no folder named train"):
        read_recordings(tmp_path, 8000)


def test_lines_of_a_manifest_that_are_not_used_are_counted(tmp_path):
    saved(tmp_path / "a.wav")
    lines = ['{"audio_filepath": "a.wav", "text": "yes", "path": "other"}', "{broken"]
    lines.append('{"audio_filepath": "a.wav", "text": "yes", "split": "extra"}')
    lines.append('{"audio_filepath": "a.wav", "text": "no", "split": "train"}')
    (tmp_path / "all.jsonl").write_text("\n".join(lines))
    parts, notes = read_recordings(tmp_path / "all.jsonl", 8000, skip_bad=True)
    assert parts["train"]["label"].tolist() == ["no"]
    assert notes == (
        "1 bad line of all.jsonl left out",
        "2 lines of all.jsonl left out, of no part that is used",
    )


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_any_rate_is_brought_to_the_one_asked_for(tmp_path, rate):
    waves, _ = decoded([saved(tmp_path / "a.wav", np.zeros(rate), rate)], 16000)
    assert len(waves[0]) == pytest.approx(16000, abs=2)


def test_two_channels_become_their_mean(tmp_path):
    waves, _ = decoded([saved(tmp_path / "a.wav", np.stack([TONE, TONE / 2], axis=1))], 8000)
    np.testing.assert_allclose(waves[0] / 32768, 0.75 * TONE, atol=1e-4)


def test_channels_that_cancel_each_other_are_heard_by_the_loudest(tmp_path):
    waves, _ = decoded([saved(tmp_path / "a.wav", np.stack([TONE / 2, -TONE * 0.55], axis=1))], 8000)
    np.testing.assert_allclose(waves[0] / 32768, -0.55 * TONE, atol=1e-4)


def test_a_manifest_names_files_labels_speakers_and_parts(tmp_path):
    rows = [{"audio_filepath": "a.wav", "text": "yes", "speaker": "x", "split": "train"}]
    rows.append({"audio_filepath": "b.wav", "text": "no", "speaker": "y", "split": "test"})
    for row in rows:
        saved(tmp_path / row["audio_filepath"])
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    parts, _ = read_recordings(tmp_path / "all.jsonl", 8000)
    assert parts["test"]["label"].tolist() == ["no"]
    assert parts["train"]["speaker"].tolist() == ["x"]


def test_names_in_a_zip_archive_say_what_a_recording_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(saved(tmp_path / "a.wav"), "recordings/7_theo_12.wav")
    train = read_recordings(tmp_path / "all.zip", 8000, names="{label}_{speaker}_{take}")[0]["train"]
    assert [train[name][0] for name in ("label", "speaker", "take")] == ["7", "theo", "12"]


def test_a_name_that_does_not_fit_is_refused(tmp_path):
    saved(tmp_path / "seven.wav")
    with pytest.raises(UserError, match="Received: 'seven'"):
        read_recordings(tmp_path, 8000, names="{label}_{speaker}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("empty", "it has no length"),
        ("click", "it has no length"),
        ("noise", "can't be read"),
        ("nan", "not numbers"),
        ("missing", "There is no recording at this path"),
    ],
)
def test_a_recording_that_is_none_is_refused_by_name_or_left_out_and_counted(tmp_path, content, message):
    good, bad = saved(tmp_path / "yes" / "good.wav"), tmp_path / "yes" / "bad.wav"
    if content == "empty":
        saved(bad, np.zeros(0))
    elif content == "click":
        saved(bad, np.zeros(1), 96_000)
    elif content == "noise":
        bad.write_bytes(b"RIFF" + bytes(range(200)))
    elif content == "nan":
        soundfile.write(bad, np.full(100, np.nan), 8000, subtype="FLOAT")
    with pytest.raises(UserError, match=message) as caught:
        decoded([good, bad], 8000)
    assert "bad.wav" in str(caught.value)
    assert decoded([good, bad], 8000, skip_bad=True)[1].tolist() == [True, False]


def test_a_folder_without_recordings_is_refused(tmp_path):
    (tmp_path / "readme.md").write_text("x")
    with pytest.raises(UserError, match="holds no recordings"):
        read_recordings(tmp_path, 8000)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "au"])
def test_an_upload_is_read_as_a_file_of_the_same_content_is(tmp_path, suffix):
    path = saved(tmp_path / f"a.{suffix}")
    # Readers of MP3 from a file and from memory differ in the last bit now and then.
    expected = decoded([path], 4000)[0][0]
    np.testing.assert_allclose(decoded_upload(path.read_bytes(), 4000, 60.0), expected, atol=1)


def test_an_upload_that_is_too_long_is_not_decoded_whole(tmp_path):
    silence = saved(tmp_path / "a.flac", np.zeros(8000 * 600, np.float32)).read_bytes()
    assert len(silence) < 100_000
    with pytest.raises(UserError, match="longer than 60 s"):
        decoded_upload(silence, 8000, 60.0)


def test_an_upload_of_many_samples_a_second_may_be_shorter(tmp_path):
    silence = np.zeros((48_000, 8), np.float32)  # a second of 8 channels holds what two of 96 kHz hold in two
    path = tmp_path / "a.flac"
    soundfile.write(path, silence, 48_000)
    assert len(decoded_upload(path.read_bytes(), 8000, 2.0)) == 8000
    with pytest.raises(UserError, match=r"longer than 0\.5 s"):
        decoded_upload(path.read_bytes(), 8000, 1.0)


def test_an_upload_of_very_many_channels_is_refused(tmp_path):
    path = saved(tmp_path / "a.wav", np.zeros((10, 9), np.float32))
    with pytest.raises(UserError, match="9 channels"):
        decoded_upload(path.read_bytes(), 8000, 60.0)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all", b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_an_upload_that_is_no_sound_is_refused(content):
    with pytest.raises(UserError):
        decoded_upload(content, 8000, 60.0)


def test_an_upload_without_length_is_refused(tmp_path):
    path = saved(tmp_path / "a.wav", np.zeros(0, np.float32))
    with pytest.raises(UserError, match="no length"):
        decoded_upload(path.read_bytes(), 8000, 60.0)


def archive_with_a_damaged_member(folder):
    path = folder / "words.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("yes_0.wav", "no_0.wav"):
            soundfile.write(folder / name, np.ones(4000) / 2, 8000)
            archive.write(folder / name, name)
    content = bytearray(path.read_bytes())
    content[2000] ^= 255
    path.write_bytes(content)
    return path


def test_a_damaged_member_of_an_archive_is_named(tmp_path):
    with pytest.raises(UserError, match=r"yes_0\.wav can't be read.*skip_bad=true"):
        read_recordings(archive_with_a_damaged_member(tmp_path), 8000, names="{label}_{take}")


def test_a_damaged_member_of_an_archive_is_left_out_on_request(tmp_path):
    path = archive_with_a_damaged_member(tmp_path)
    parts, notes = read_recordings(path, 8000, names="{label}_{take}", skip_bad=True)
    assert parts["train"]["label"].tolist() == ["no"]
    assert notes == ("1 recording of train left out that can't be read",)


@pytest.mark.parametrize("names", ["{label}_{label}", "{label}_{1}"])
def test_names_that_say_one_thing_twice_or_are_no_words_are_refused(tmp_path, names):
    with pytest.raises(UserError, match="a word, and stand there once"):
        read_recordings(archive_with_a_damaged_member(tmp_path), 8000, names=names)
