from __future__ import annotations

import numpy as np
import pytest

from apps.nlp.truncation import told_truncation
from core.data.examples import Examples, Splits
from core.data.text import Pieces
from core.experiment import load_experiment
from core.reporting import report_runs
from core.training.train import train
from tests import small_data


def splits_of(train: list[str], test: list[str]) -> Splits:
    parts = [Examples({"text": texts}) for texts in (train, test)]
    return Splits(parts[0], parts[0].take([]), parts[1], protocol="by hand")


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (["a b c", "a", "b", "c"], ["a b c", "a"], "25% of the texts of train and 50% of the texts of test"),
        (["a"], ["a b c"], "0% of the texts of train and 100% of the texts of test"),
        (["a"] * 999 + ["a b c"], ["a"], "less than 1% of the texts of train and 0% of the texts of test"),
    ],
)
def test_the_share_of_texts_that_are_cut_is_told(train, test, words):
    (note,) = told_truncation(splits_of(train, test), Pieces(max_length=2).cut_off, "2 words")
    assert note == f"{words} are longer than the 2 words that are read of each: max_length sets how many"


def test_nothing_is_told_where_all_texts_are_read_whole():
    assert told_truncation(splits_of(["a b"], ["a"]), Pieces(max_length=2).cut_off, "2 words") == ()


def test_a_training_a_report_and_a_card_tell_that_texts_are_cut(tmp_path):
    overrides = [
        f"data={small_data.reviews(tmp_path)}",
        "max_length=3",
        "fit.epochs=1",
        "fit.tensorboard=false",
    ]
    run = train(load_experiment("nlp/sentiment", overrides), tmp_path / "run")
    words = "100% of the texts of train and 100% of the texts of test are longer than the 3 words"
    assert any(words in note for note in run.metrics["data"]["notes"])
    page = report_runs([run])
    assert words in page.read_text(encoding="utf-8")
    assert words in (run.folder / "card.md").read_text(encoding="utf-8")


def test_a_text_of_exactly_the_length_is_not_cut():
    is_cut = Pieces(max_length=2).cut_off(np.array(["one two"], np.dtypes.StringDType()))
    assert not is_cut.any()
