from __future__ import annotations

import json

import numpy as np
import pytest

from core.answers.files import embedded, kept, opened
from core.errors import UserError
from core.serving.answering import in_json
from core.shown import Sound

ANSWER = {
    "picture": np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
    "sound": Sound(np.arange(-400, 400, dtype=np.int16), 8000),
    "array": np.linspace(0, 1, 100),
    "text": "answers/predictions-0-other.png",
    "number": 3,
}


def written(run) -> dict:
    return kept(ANSWER, run / "answers", "predictions-0", beside=run)


def test_what_was_kept_is_opened_as_it_was(tmp_path):
    row = written(tmp_path)
    assert row["picture"] == "answers/predictions-0-picture.png"
    read = opened(row, tmp_path / "answers", "predictions-0", beside=tmp_path)
    np.testing.assert_array_equal(read["picture"], ANSWER["picture"])
    np.testing.assert_array_equal(read["sound"].wave, ANSWER["sound"].wave)
    assert read["sound"].sample_rate == 8000
    np.testing.assert_array_equal(read["array"], ANSWER["array"])
    assert (read["text"], read["number"]) == (ANSWER["text"], 3)


def test_a_file_that_is_gone_leaves_its_path(tmp_path):
    row = written(tmp_path)
    (tmp_path / row["picture"]).unlink()
    read = opened(row, tmp_path / "answers", "predictions-0", beside=tmp_path)
    assert read["picture"] == row["picture"]


def test_the_file_of_another_row_is_text(tmp_path):
    row = written(tmp_path)
    assert opened(row, tmp_path / "answers", "predictions-1", beside=tmp_path) == row


def test_a_link_out_of_the_run_is_refused(tmp_path):
    row = written(tmp_path / "run")
    secret = tmp_path / "secret.png"
    (tmp_path / "run" / row["picture"]).rename(secret)
    (tmp_path / "run" / row["picture"]).symlink_to(secret)
    with pytest.raises(UserError, match="be no link"):
        opened(row, tmp_path / "run" / "answers", "predictions-0", beside=tmp_path / "run")


def test_a_path_that_leaves_the_run_is_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "answers" / "predictions-0-x").mkdir()
    (tmp_path / "answers" / "predictions-0-picture.png").rename(tmp_path / "outside.png")
    row = {"x/../../outside": "answers/predictions-0-x/../../outside.png"}
    with pytest.raises(UserError, match="must lie in"):
        opened(row, tmp_path / "answers", "predictions-0", beside=tmp_path)


def test_a_folder_of_answers_that_is_a_link_is_refused(tmp_path):
    row = written(tmp_path / "run")
    (tmp_path / "run" / "answers").rename(tmp_path / "elsewhere")
    (tmp_path / "run" / "answers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="must lie in"):
        opened(row, tmp_path / "run" / "answers", "predictions-0", beside=tmp_path / "run")


def test_a_damaged_file_is_reported_in_one_line(tmp_path):
    row = written(tmp_path)
    (tmp_path / row["picture"]).write_bytes(b"no picture")
    with pytest.raises(UserError, match="can't be read"):
        opened(row, tmp_path / "answers", "predictions-0", beside=tmp_path)


def test_a_sound_is_sent_as_a_data_url():
    sent = json.loads(in_json({"sound": ANSWER["sound"]}).body)["sound"]
    assert sent == embedded(ANSWER["sound"])
    assert sent.startswith("data:audio/wav;base64,")
