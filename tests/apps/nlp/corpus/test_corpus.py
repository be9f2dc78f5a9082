from __future__ import annotations

import numpy as np
import pytest

from apps.nlp.corpus import memorised
from apps.nlp.corpus.memorised import KnownRuns
from apps.nlp.corpus.reading import ends_of_texts, read_parts
from apps.nlp.corpus.streams import num_windows, stream_of, windows
from apps.nlp.subwords.subwords import END, PADDING, Subwords
from core.data.examples import Examples
from core.data.feed import Feed
from core.errors import UserError
from tests.small_data import written

LETTERS = Subwords("characters", list("abcdefghij"))


def test_the_ends_of_few_long_texts_are_validation_and_test():
    texts = ["a" * 80 + "b" * 10 + "c" * 10, "d" * 40 + "e" * 5 + "f" * 5]
    splits = ends_of_texts(
        {"train": Examples({"text": texts})}, ("text",), validation=0.1, test=0.1, notes=()
    )
    assert splits.train["text"].tolist() == ["a" * 80, "d" * 40]
    assert splits.validation["text"].tolist() == ["b" * 10, "e" * 5]
    assert splits.test["text"].tolist() == ["c" * 10, "f" * 5]
    assert splits.protocol.startswith(
        "test: the last 10% of each text, validation: 10% of each text before it; split"
    )


def test_a_part_that_the_source_names_is_taken_as_it_is():
    parts = {"train": Examples({"text": ["a" * 90 + "b" * 10]}), "test": Examples({"text": ["c"]})}
    splits = ends_of_texts(parts, ("text",), validation=0.1, test=0.5, notes=())
    assert splits.validation["text"].tolist() == ["b" * 10]
    assert splits.test["text"].tolist() == ["c"]
    assert splits.official_test


def test_a_text_is_read_from_a_file_a_folder_a_table_and_named_parts(tmp_path):
    one = written(tmp_path / "one.txt", "first\r\nsecond")
    assert read_parts(str(one), "text")[0]["train"]["text"].tolist() == ["first\nsecond"]
    written(tmp_path / "two.md", "cafe\u0301")
    written(tmp_path / "three.png", "no text")
    parts, notes = read_parts(str(tmp_path), "text")
    assert parts["train"]["text"].tolist() == ["first\nsecond", "caf\u00e9"]
    assert ".png (1)" in notes[0]
    table = written(tmp_path / "rows.csv", "body,other\nfirst,1\nsecond,2\n")
    assert read_parts(str(table), "body")[0]["train"]["text"].tolist() == ["first", "second"]
    for part in ("train", "test"):
        (tmp_path / "parts").mkdir(exist_ok=True)
        written(tmp_path / "parts" / f"{part}.txt", part)
    parts, _ = read_parts(str(tmp_path / "parts"), "text")
    assert {name: each["text"].tolist() for name, each in parts.items()} == {
        "train": ["train"],
        "test": ["test"],
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [(" \n\t\n", "holds no text. Received: 4 blank"), (b"abc\xff\xfe", "no text in UTF-8.*byte 3")],
)
def test_a_file_without_text_is_refused_in_one_line(tmp_path, content, told):
    path = written(tmp_path / "some.txt", content)
    with pytest.raises(UserError, match=told) as error:
        read_parts(str(path), "text")
    assert "\n" not in str(error.value)


def test_files_of_a_folder_that_can_not_be_read_are_left_out_and_counted_if_asked(tmp_path):
    written(tmp_path / "good.txt", "good")
    written(tmp_path / "bad.txt", b"\xff")
    with pytest.raises(UserError, match="skip_bad=true"):
        read_parts(str(tmp_path), "text")
    parts, notes = read_parts(str(tmp_path), "text", skip_bad=True)
    assert parts["train"]["text"].tolist() == ["good"]
    assert "1 file" in notes[0]


def test_a_folder_without_texts_is_refused(tmp_path):
    written(tmp_path / "some.png", "x")
    with pytest.raises(UserError, match=r"holds no text.*some\.png"):
        read_parts(str(tmp_path), "text")


def test_several_texts_have_ends_between_them_and_one_alone_has_none():
    several = stream_of(Examples({"text": ["ab", "c"]}), LETTERS)
    assert several.ids.tolist() == [END, 3, 4, END, 5, END]
    assert several.num_bytes.tolist() == [0, 1, 1, 0, 1, 0]
    assert stream_of(Examples({"text": ["ab"]}), LETTERS).ids.tolist() == [END, 3, 4]


def test_windows_without_training_hold_every_target_once():
    stream = stream_of(Examples({"text": ["abcdefghij" * 3]}), LETTERS)
    pairs = [(x.numpy(), y.numpy()) for x, y in windows(stream, 8, Feed(3))]
    targets = np.concatenate([y.ravel() for _, y in pairs])
    assert targets[targets != PADDING].tolist() == stream.ids[1:].tolist()
    x = np.concatenate([x.ravel() for x, _ in pairs])
    assert x[: len(stream) - 1].tolist() == stream.ids[:-1].tolist()


def test_training_windows_are_pieces_of_the_stream_that_depend_on_seed_epoch_and_step_alone():
    text = "".join(np.random.default_rng(0).choice(list("abcdefghij"), 500))
    stream = stream_of(Examples({"text": [text]}), LETTERS)
    steps = Feed(4, training=True).steps(num_windows(stream, 16))

    def batches(seed: int, epoch: int, step: int, count: int) -> list[list]:
        feed = Feed(4, training=True, seed=seed, epoch=epoch, step=step)
        return [x.numpy().tolist() for x, _ in windows(stream, 16, feed).take(count)]

    whole = batches(0, 0, 0, steps + 3)
    assert batches(0, 1, 1, 2) == whole[steps + 1 : steps + 3]
    assert batches(1, 0, 0, 1) != whole[:1]
    assert whole[0] != whole[steps]
    joined = stream.ids.tolist()
    for window in whole[0]:
        assert any(joined[start : start + 16] == window for start in range(len(joined) - 15))


def test_a_text_shorter_than_a_window_is_padded():
    stream = stream_of(Examples({"text": ["abc"]}), LETTERS)
    ((x, y),) = windows(stream, 8, Feed(2, training=True)).take(1)
    assert x.numpy().tolist() == [[END, 3, 4, 5, 0, 0, 0, 0]]
    assert y.numpy().tolist() == [[3, 4, 5, 0, 0, 0, 0, 0]]


def test_of_many_runs_of_words_a_sample_tells_the_share_that_is_known(monkeypatch):
    random = np.random.default_rng(0)
    words = [f"w{number}" for number in random.integers(0, 500, 6000)]
    known, strange = " ".join(words[:5000]), " ".join(words[5000:])
    whole = KnownRuns.of([known])
    assert whole.share([known]) == (1.0, 4993)
    assert whole.share([strange]) == (0.0, 993)
    monkeypatch.setattr(memorised, "MOST", 1000)
    monkeypatch.setattr(memorised, "CHUNK", 3000)
    sample = KnownRuns.of([known])
    half = " ".join([*words[2000:2500], "x", *words[5500:]])
    share, count = sample.share([half])
    assert 100 < count < 300
    assert share == pytest.approx(493 / 994, abs=0.1)
    assert KnownRuns.model_validate_json(sample.model_dump_json()).share([half]) == (share, count)


def test_languages_without_blanks_are_compared_by_their_characters():
    assert KnownRuns.of(["一二三四五六七八九十"]).share(["三四五六七八九十"]) == (1.0, 1)
