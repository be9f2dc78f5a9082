from __future__ import annotations

import numpy as np
import pytest

from apps.nlp import lengths
from core.experiment import load_experiment
from core.training.train import train
from tests.small_data import written


def texts(*num_words: int) -> np.ndarray:
    return np.array([" ".join(["word"] * number) for number in num_words], np.dtypes.StringDType())


def learnt(column: np.ndarray, *settings: str) -> int:
    task = load_experiment("nlp/sentiment", ["ngrams=1", "character_ngrams=null", *settings]).task
    return lengths.length_of(column, task._cut, task.encoder)


def test_short_texts_are_read_as_far_as_ever():
    assert learnt(texts(3, 5, 9)) == lengths.LEAST


def test_95_of_100_long_texts_are_read_whole():
    assert learnt(texts(*[300] * 50, *[700] * 46, *[4000] * 4)) == 700


@pytest.mark.parametrize(("encoder", "longest"), [("recurrent", 512), ("convolutional", 1024)])
def test_no_more_is_read_than_an_encoder_can_hold(encoder, longest):
    assert learnt(texts(*[3000] * 5), f"encoder={encoder}") == longest


def test_the_length_is_bounded_by_what_all_texts_take(monkeypatch):
    monkeypatch.setattr(lengths, "MOST_IDS", 5 * 600)
    assert 256 <= learnt(texts(*[1000] * 5)) <= 600


def test_a_run_keeps_the_length_it_learnt_and_says_why(tmp_path):
    rows = [f"{'word ' * 398}{row} {('fine', 'bad')[row % 2]},{('pos', 'neg')[row % 2]}" for row in range(80)]
    path = written(tmp_path / "long.csv", "\n".join(["text,label", *rows]) + "\n")
    plain = ["fit.jit_compile=false", "fit.steps_per_execution=1", "audit.near_duplicates=false"]
    small = [f"data={path}", "min_count=1", "ngrams=1", "character_ngrams=null", "fit.epochs=1"]
    run = train(load_experiment("nlp/sentiment", [*small, *plain]), tmp_path / "run")
    assert run.encoder.max_length == 400
    task, encoder = run.experiment.task, run.encoder
    assert set(task.features(task.load().train, encoder).lengths) == {400}
    assert any("max_length=auto reads 400 words" in note for note in run.metrics["data"]["notes"])
    given = train(load_experiment("nlp/sentiment", [*small, *plain, "max_length=256"]), tmp_path / "given")
    assert given.encoder.max_length == 256
    assert not any("max_length=auto" in note for note in given.metrics["data"]["notes"])
