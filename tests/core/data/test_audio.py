from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest
import soundfile

from core.data.audio import SpokenColumns, decoded, decoded_upload, full_scale_of, read_recordings
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


def float_wave(path, wave):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, 8000, subtype="FLOAT")
    return path


def test_floats_in_the_range_of_integers_are_no_noise(tmp_path):
    float_wave(tmp_path / "yes" / "1.wav", TONE * 32768)
    float_wave(tmp_path / "no" / "quiet.wav", np.round(TONE * 4))
    parts, notes = read_recordings(tmp_path, 8000)
    quiet, loud = (parts["train"].ragged("wave")[row] for row in (0, 1))
    np.testing.assert_allclose(loud / 32768, TONE, atol=1e-4)
    assert np.abs(quiet).max() == 2
    assert full_scale_of(parts["train"]) == 32768
    assert notes == ("32768 is taken for the full scale of recordings with floats for samples",)


def test_floats_up_to_about_one_are_read_as_they_are(tmp_path):
    float_wave(tmp_path / "yes" / "1.wav", TONE * 2.2)
    parts, notes = read_recordings(tmp_path, 8000)
    assert "full_scale" not in parts["train"]
    assert notes == ()


def test_the_full_scale_of_the_training_part_is_that_of_all_parts(tmp_path):
    float_wave(tmp_path / "train" / "yes" / "1.wav", TONE * 32768)
    float_wave(tmp_path / "test" / "yes" / "1.wav", np.round(TONE * 200))
    parts, _ = read_recordings(tmp_path, 8000)
    assert np.abs(parts["test"].ragged("wave")[0]).max() == 100


@pytest.mark.parametrize("peak", [10, 200, 1e12])
def test_floats_whose_full_scale_can_t_be_known_are_refused(tmp_path, peak):
    float_wave(tmp_path / "yes" / "1.wav", TONE * 2 * peak)
    with pytest.raises(UserError, match=r"full scale of recordings can't be known.*1\.wav"):
        read_recordings(tmp_path, 8000)


@pytest.mark.parametrize(("full_scale", "factor"), [(32768, 1), (1, 32768)])
def test_floats_of_another_full_scale_than_those_of_training_are_refused(tmp_path, full_scale, factor):
    path = float_wave(tmp_path / "1.wav", TONE * factor)
    with pytest.raises(UserError, match="its full scale can't be known"):
        decoded([path], 8000, full_scale=full_scale)
    with pytest.raises(UserError, match="its full scale can't be known"):
        decoded_upload(path.read_bytes(), 8000, 60.0, full_scale)


def manifest(tmp_path, *lines):
    """Write a manifest of stretches of a recording that is silent, then loud."""
    saved(tmp_path / "a.wav", np.concatenate([TONE * 0, TONE]))
    rows = [{"audio_filepath": "a.wav", "text": "yes", **line} for line in lines]
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path / "all.jsonl"


def test_a_manifest_names_stretches_of_its_recordings(tmp_path):
    stretches = [
        {"offset": 0.5, "duration": 0.25},
        {"offset": 0.75},
        {"duration": 0.1},
        {"start": 0.25, "end": 0.5},
    ]
    train = read_recordings(manifest(tmp_path, *stretches), 8000)[0]["train"]
    waves = train.ragged("wave")
    whole, _ = decoded([tmp_path / "a.wav"], 8000)
    np.testing.assert_array_equal(waves[0], whole[0][4000:6000])
    np.testing.assert_array_equal(waves[1], whole[0][6000:])
    np.testing.assert_array_equal(waves[2], whole[0][:800])
    np.testing.assert_array_equal(waves[3], whole[0][2000:4000])
    assert not {"offset", "duration", "start", "end"} & set(train.columns)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            {"offset": 1.0, "duration": 0.5},
            r"a\.wav from 1 s for 0\.5 s can't be read as a recording: it has 1 s",
        ),
        ({"offset": 0.5, "duration": 0.9}, "too soon"),
        ({"offset": "soon"}, "offset is in seconds"),
        ({"duration": -1}, "duration is in seconds"),
        ({"duration": "nan"}, "duration is in seconds"),
        ({"start": 0.5, "end": 0.5}, "a length above 0"),
    ],
)
def test_a_stretch_that_is_not_there_is_refused(tmp_path, line, message):
    with pytest.raises(UserError, match=message):
        read_recordings(manifest(tmp_path, line), 8000)


def test_paths_of_a_manifest_may_be_written_on_windows(tmp_path):
    saved(tmp_path / "low" / "a.wav")
    (tmp_path / "all.csv").write_text("audio_filepath,label\nlow\\a.wav,low\n")
    assert len(read_recordings(tmp_path / "all.csv", 8000)[0]["train"]) == 1


def with_lists(tmp_path, testing):
    for name in ("yes/a", "yes/b", "no/c"):
        saved(tmp_path / f"{name}.wav")
    (tmp_path / "testing_list.txt").write_bytes(testing)
    return tmp_path


@pytest.mark.parametrize("testing", [b"no\\c.wav\r\n", b"./no/c.wav\n", b"\xef\xbb\xbfno/c.wav"])
def test_published_lists_are_read_however_they_were_written(tmp_path, testing):
    parts, notes = read_recordings(with_lists(tmp_path, testing), 8000)
    assert parts["test"]["label"].tolist() == ["no"]
    assert notes == ()


@pytest.mark.parametrize("testing", [b"", b"no/c.flac\n", b"c.wav\n", "no/c.wav".encode("utf-16")])
def test_a_published_list_that_matches_nothing_is_refused(tmp_path, testing):
    with pytest.raises(UserError, match=r"testing_list\.txt"):
        read_recordings(with_lists(tmp_path, testing), 8000)


def test_names_of_a_published_list_that_match_nothing_are_counted(tmp_path):
    _, (note,) = read_recordings(with_lists(tmp_path, b"no/c.wav\nno/d.wav\n"), 8000)
    assert note == "1 name in testing_list.txt is of no recording, such as no/d.wav"


def test_the_noise_of_speech_commands_is_passed_over_and_counted(tmp_path):
    saved(tmp_path / "_background_noise_" / "rain.wav")
    saved(tmp_path / "_silence_" / "1.wav")
    parts, (note,) = read_recordings(with_lists(tmp_path, b"no/c.wav\n"), 8000)
    assert parts["train"]["label"].tolist() == ["_silence_", "yes", "yes"]
    assert "in _background_noise_ (1)" in note


def test_an_archive_from_a_mac_is_read_without_what_a_mac_adds(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(saved(tmp_path / "a.wav"), "recordings/7_0.wav")
        for name in ("__MACOSX/recordings/._7_0.wav", "recordings/._7_0.wav", "recordings/notes.txt"):
            archive.writestr(name, b"\0\x05\x16\x07")
    parts, (note,) = read_recordings(tmp_path / "all.zip", 8000, names="{label}_{take}")
    assert parts["train"]["label"].tolist() == ["7"]
    assert note.startswith("3 files of all.zip passed over")
    assert "._* or __MACOSX of a Mac (2), .txt (1)" in note


def test_files_of_a_mac_in_a_folder_with_names_are_passed_over(tmp_path):
    saved(tmp_path / "7_0.wav")
    (tmp_path / "._7_0.wav").write_bytes(b"\0\x05\x16\x07")
    assert len(read_recordings(tmp_path, 8000, names="{label}_{take}")[0]["train"]) == 1


def test_what_can_t_be_read_of_an_archive_is_reported_without_addresses_in_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("7_0.wav", b"\0\x05\x16\x07")
    with pytest.raises(UserError, match=r"7_0\.wav can't be read as a recording: (?!.*BytesIO)"):
        read_recordings(tmp_path / "all.zip", 8000, names="{label}_{take}")


@pytest.mark.parametrize("ending", ["opus", "oga", "WAV", "caf", "w64", "aifc"])
def test_every_ending_that_libsndfile_reads_is_read(tmp_path, ending):
    kind = {"opus": ("OGG", "OPUS"), "oga": ("OGG", "VORBIS"), "aifc": ("AIFF", "PCM_16")}
    format, subtype = kind.get(ending, (ending.upper(), "PCM_16"))
    (tmp_path / "yes").mkdir()
    soundfile.write(tmp_path / "yes" / f"1.{ending}", TONE, 8000, format=format, subtype=subtype)
    assert len(read_recordings(tmp_path, 8000)[0]["train"]) == 1


def test_recordings_that_can_t_be_opened_are_counted_and_named(tmp_path):
    saved(tmp_path / "yes" / "1.wav")
    (tmp_path / "yes" / "2.m4a").write_bytes(b"x")
    _, (note,) = read_recordings(tmp_path, 8000)
    assert note == f"1 file of {tmp_path.name} passed over that is not read as recordings: .m4a (1)"


def test_a_pipe_in_the_place_of_a_recording_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "1.wav")
    with pytest.raises(UserError, match=r"1\.wav can't be read as a recording: it is no file"):
        decoded([tmp_path / "1.wav"], 8000)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Filename,Class", None),
        ("wav,emotion", None),
        ("clip,said", SpokenColumns("clip", "said")),
    ],
)
def test_columns_of_a_manifest_may_be_called_otherwise(tmp_path, header, columns):
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(800), 8000, subtype="PCM_16")
    path = tmp_path / "manifest.csv"
    path.write_text(f"{header}\na.wav,yes\nb.wav,no\n")
    parts, _ = read_recordings(path, 8000, columns=columns)
    assert parts["train"]["label"].tolist() == ["yes", "no"]


def test_a_manifest_without_a_known_column_of_labels_names_the_setting(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000, subtype="PCM_16")
    (tmp_path / "a.csv").write_text("path,said\na.wav,yes\n")
    with pytest.raises(UserError, match="name it by label_column"):
        read_recordings(tmp_path / "a.csv", 8000)
