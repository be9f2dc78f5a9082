from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from apps.speech.dividing import divided_where
from apps.speech.recognition import Recognition
from apps.speech.transcription.joining import joined_words
from apps.speech.transcription.sources import as_compared, read_transcribed
from core.data.examples import Examples, Ragged
from core.errors import UserError

RATE = 8000
SAID = {"one": "Hello, there!", "two": "Don't go.", "three": "Two  words"}


def sound(path: Path, seconds: float = 1.0, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = np.random.default_rng(len(path.stem)).normal(0, 0.1, round(seconds * rate))
    soundfile.write(path, wave, rate)
    return path


def read(path: Path, skip_bad: bool = False) -> tuple[dict[str, Examples], tuple[str, ...]]:
    return read_transcribed(str(path), RATE, skip_bad=skip_bad)


def manifest(folder: Path) -> Path:
    lines = [{"audio_filepath": f"{name}.wav", "text": text} for name, text in SAID.items()]
    for name in SAID:
        sound(folder / f"{name}.wav")
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def ljspeech(folder: Path) -> Path:
    for name in SAID:
        sound(folder / "wavs" / f"{name}.flac")
    (folder / "metadata.csv").write_text(
        "".join(f"{name}|as printed|{text}\n" for name, text in SAID.items())
    )
    return folder


def kaldi(folder: Path) -> Path:
    for name in SAID:
        sound(folder / "audio" / f"{name}.wav")
    (folder / "wav.scp").write_text("".join(f"{name} audio/{name}.wav\n" for name in SAID))
    (folder / "text").write_text("".join(f"{name} {text}\n" for name, text in SAID.items()))
    (folder / "utt2spk").write_text("".join(f"{name} ann\n" for name in SAID))
    return folder


def common_voice(folder: Path) -> Path:
    for name in SAID:
        sound(folder / "clips" / f"{name}.wav")
    lines = ["client_id\tpath\tsentence"] + [f"c\t{name}.wav\t{text}" for name, text in SAID.items()]
    (folder / "train.tsv").write_text("\n".join(lines) + "\n")
    return folder


def librispeech(folder: Path) -> Path:
    for name in SAID:
        sound(folder / "train-clean" / "19" / "198" / f"{name}.flac")
    lines = "".join(f"{name} {text}\n" for name, text in SAID.items())
    (folder / "train-clean" / "19" / "198" / "19-198.trans.txt").write_text(lines)
    return folder


def texts_beside(folder: Path) -> Path:
    for name, text in SAID.items():
        sound(folder / f"{name}.wav").with_suffix(".txt").write_text(text)
    return folder


@pytest.mark.parametrize(
    "layout",
    [manifest, ljspeech, kaldi, common_voice, librispeech, texts_beside],
    ids=lambda each: each.__name__,
)
def test_a_published_layout_is_read_with_its_transcripts(layout, tmp_path):
    parts, _ = read(layout(tmp_path))
    train = parts["train"]
    assert dict(zip(train["id"].tolist(), train["text"].tolist(), strict=True)) == SAID
    assert train.ragged("wave").lengths.tolist() == [RATE] * len(SAID)


def test_parts_are_read_as_a_manifest_names_them(tmp_path):
    lines = [
        {"audio_filepath": str(sound(tmp_path / f"{part}.wav")), "text": part, "split": part}
        for part in ("train", "dev", "test")
    ]
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert {part: each["text"].tolist() for part, each in read(path)[0].items()} == {
        "train": ["train"],
        "validation": ["dev"],
        "test": ["test"],
    }


def test_segments_of_kaldi_are_cut_out_of_their_recordings(tmp_path):
    kaldi(tmp_path)
    (tmp_path / "text").write_text("first Hello\nsecond there\n")
    (tmp_path / "segments").write_text("first one 0 0.25\nsecond one 0.25 1\n")
    train = read(tmp_path)[0]["train"]
    assert train.ragged("wave").lengths.tolist() == [RATE // 4, 3 * RATE // 4]


def test_commands_in_a_kaldi_folder_are_not_run(tmp_path):
    kaldi(tmp_path)
    (tmp_path / "wav.scp").write_text("one sph2pipe -f wav one.sph |\n")
    with pytest.raises(UserError, match=r"not run.*sph2pipe"):
        read(tmp_path)


def test_an_empty_transcript_is_refused_by_name_and_left_out_on_demand(tmp_path):
    ljspeech(tmp_path)
    path = tmp_path / "metadata.csv"
    path.write_text(path.read_text().replace("Don't go.", " "))
    with pytest.raises(UserError, match=r"the transcript of two is empty.*skip_bad"):
        read(tmp_path)
    parts, notes = read(tmp_path, skip_bad=True)
    assert len(parts["train"]) == 2
    assert any("empty transcript" in note for note in notes)


def test_a_transcript_of_which_no_word_remains_is_refused():
    examples = Examples({"wave": Ragged.from_rows([[1, 2]], np.int16), "text": ["?!"]}, "here")
    with pytest.raises(UserError, match=r"no word remains of 1 transcript, such as '\?!'"):
        as_compared({"train": examples}, RATE, plain=True, skip_bad=False)


def test_a_wrong_rate_in_headers_is_told_by_letters_a_second():
    waves = Ragged.from_rows([np.zeros(RATE // 4)] * 100, np.int16)
    examples = Examples({"wave": waves, "text": ["fifteen letters and more"] * 100}, "here")
    with pytest.raises(UserError, match=r"96 letters a second.*sample rate"):
        as_compared({"train": examples}, RATE, plain=True, skip_bad=False)


def test_a_line_without_a_separator_is_named(tmp_path):
    ljspeech(tmp_path)
    with (tmp_path / "metadata.csv").open("a") as file:
        file.write("no separator\n")
    with pytest.raises(UserError, match=r"metadata.csv, line 4: id\|text"):
        read(tmp_path)


def test_a_folder_without_transcripts_says_what_is_read(tmp_path):
    sound(tmp_path / "one.wav")
    with pytest.raises(UserError, match="holds no transcripts"):
        read(tmp_path)


def words_alone() -> Examples:
    speakers = [speaker for speaker in ("ann", "bob") for _ in range(20)]
    rows = [np.full(400 + row, 1 + row) for row in range(40)]
    texts = [str(row % 10) for row in range(40)]
    columns = {"wave": Ragged.from_rows(rows, np.int16), "text": texts, "speaker": speakers}
    return Examples(columns, "words alone")


def test_joined_strings_hold_the_words_of_one_speaker_in_the_order_of_their_text():
    words = words_alone()
    strings = joined_words(words, 3, 5, RATE, seed=0)
    waves = strings.ragged("wave")
    assert {len(text.split()) for text in strings["text"]} == {3, 4, 5}
    for row in range(len(strings)):
        loud = waves[row][waves[row] > 0]
        heard = [value - 1 for value in dict.fromkeys(loud.tolist())]
        if len(heard) == len(strings["text"][row].split()):
            assert [words["text"][word] for word in heard] == strings["text"][row].split()
            assert {words["speaker"][word] for word in heard} == {strings["speaker"][row]}


def test_joined_strings_are_the_same_for_a_seed():
    first, second = (joined_words(words_alone(), 3, 5, RATE, seed=1) for _ in range(2))
    assert first["text"].tolist() == second["text"].tolist()
    np.testing.assert_array_equal(first.ragged("wave").values, second.ragged("wave").values)


def test_a_pattern_chooses_the_test_part():
    ids = [f"LJ{row:03}" for row in range(30)]
    waves = Ragged.from_rows([[row, row + 1] for row in range(30)], np.int16)
    examples = Examples({"wave": waves, "text": ids, "id": ids}, "here")
    splits = divided_where(Recognition(), {"train": examples}, {"id": ["LJ02*"]})
    assert splits.test["id"].tolist() == ids[20:]
    assert "where id is LJ02*" in splits.protocol
