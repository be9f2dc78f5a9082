from __future__ import annotations

import json

import numpy as np
import pytest

from core.answers.reading import rows_of
from core.errors import UserError
from core.writing import to_json, write_json, written_whole


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "figures.json"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")

    def write_half() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_holds_numpy_values_and_turns_what_is_not_finite_into_null(tmp_path):
    tree = {"mean": np.float32(0.5), "counts": np.array([1, 2]), "loss": float("inf"), 3: (np.nan,)}
    write_json(tmp_path / "a.json", tree)
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "mean": 0.5,
        "counts": [1, 2],
        "loss": None,
        "3": [None],
    }


def test_json_on_one_line_keeps_letters_of_every_alphabet():
    assert to_json({"text": "größe 大"}) == '{"text": "größe 大"}'


def test_a_damaged_line_is_reported_with_its_file(tmp_path):
    (tmp_path / "predictions.jsonl").write_text('{"true": "x"}\n{"true": ')
    rows = rows_of(tmp_path / "predictions.jsonl")
    assert next(rows) == {"true": "x"}
    with pytest.raises(UserError, match=r"predictions\.jsonl is damaged"):
        next(rows)
