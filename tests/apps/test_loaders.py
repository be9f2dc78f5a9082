"""The code that leaves with an export reads raw inputs as the tasks do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from apps.nlp.loader import pieces
from apps.recommendation.catalogue.loader import Predictor as Recommender
from apps.speech.loader import Predictor as Listener
from core.data.text import Pieces
from core.errors import UserError
from core.exporting.runtime import Graph
from core.pictures.loader import Predictor as Viewer

TEXTS = [
    "Not bad!",
    "",
    " \t\n ",
    "It's 20% off -- isn't it?",
    "Größe, ΣΊΣΥΦΟΣ and İstanbul; naïve cafe\u0301",
    "电影很好看。真的！",
    "no\u00a0break\u2009thin\u200bzero\vtab",
    "emoji 👍🏽 and _under_score_ <tag> #hash",
    "a nul\0 within, and what stands behind it",
    "x" * 200,
    "\u0301 mark first, then हिन्दी and ที่! \u00a0\u0301x ❤\ufe0f\u0301 👨\u200d👩",
    "Ǆ ŉ ΐ ﬁn Straße\u00ad x\u1680y\x1cz",
    "one two three four five six seven eight nine ten",
]


@pytest.mark.parametrize(
    "settings",
    [
        {"split": "words", "max_length": 6},
        {"split": "words", "max_length": 50, "ngrams": 3},
        {"split": "words", "max_length": 50, "ngrams": 2, "character_ngrams": (3, 6)},
        {"split": "characters", "max_length": 40},
        {"split": "characters", "max_length": 40, "ngrams": 2},
    ],
)
@pytest.mark.parametrize("reading", ["folded", "lowered"])
@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_cut_as_in_training(text, settings, reading):
    settings = {**settings, "reading": reading}
    (expected,) = Pieces(**settings)(np.array([text], np.dtypes.StringDType())).to_list()
    assert [piece.encode() for piece in pieces(text, **settings)] == expected


class Scores:
    """Stands in the place of a graph."""

    inputs = ("user",)

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        return np.array([[0.0, 1.0, 3.0, 9.0]] * len(inputs["user"]), np.float32)


def loader(kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict):
    (tmp_path / "encoder.json").write_text(json.dumps(settings), encoding="utf-8")
    monkeypatch.setattr(Graph, "__init__", lambda self, folder: None)
    return kind(tmp_path)


@pytest.fixture
def recommender(tmp_path, monkeypatch) -> Recommender:
    np.savez(tmp_path / "seen.npz", items=np.array([3]), offsets=np.array([0, 0, 1]))
    settings = {
        "users": ["ann"],
        "items": ["a", "b", "c"],
        "titles": {"a": "Alien"},
        "item_counts": [2, 5, 4],
        "popular": [2, 3],
        "bounds": [1.0, 5.0],
        "score_name": "rating",
        "top": 2,
    }
    made = loader(Recommender, tmp_path, monkeypatch, settings)
    made.graph = Scores()
    return made


def test_a_known_user_gets_the_best_items_not_seen_yet(recommender):
    (answer,) = recommender.predict(["ann"])
    assert answer == {
        "user": "ann",
        "recommendations": [{"item": "b", "rating": 3.0}, {"item": "a", "title": "Alien", "rating": 1.0}],
    }


def test_an_unknown_user_gets_the_most_rated_items(recommender):
    (answer,) = recommender.predict(["eve"])
    assert answer["recommendations"] == [{"item": "b", "ratings": 5}, {"item": "c", "ratings": 4}]


def test_the_score_of_a_pair_is_none_beyond_what_training_saw(recommender):
    (answer,) = recommender.predict([{"user": "ann", "item": "c"}])
    assert answer == {"user": "ann", "item": "c", "rating": 5.0}


def test_an_unknown_item_is_said_to_be_unknown(recommender):
    (answer,) = recommender.predict(['{"user": "eve", "item": "z"}'])
    assert answer["note"] == "training never saw this user nor this item"


def test_ratings_of_somebody_else_are_refused(recommender):
    with pytest.raises(UserError, match="quartet predict"):
        recommender.predict([{"ratings": {"a": 5}}])


def test_no_input_gets_no_answer(recommender):
    assert recommender.predict([]) == []


def test_a_picture_file_is_brought_to_the_shape_of_the_graph(tmp_path, monkeypatch):
    viewer = loader(Viewer, tmp_path, monkeypatch, {"shape": [4, 5, 3]})
    Image.new("RGBA", (9, 7)).save(tmp_path / "clear.png")
    images = viewer.features([tmp_path / "clear.png"])["image"]
    assert images.shape == (1, 4, 5, 3)
    assert (images == 255).all()


def test_a_deep_picture_is_seen_at_the_levels_of_the_run(tmp_path, monkeypatch):
    viewer = loader(Viewer, tmp_path, monkeypatch, {"shape": [4, 4, 1], "levels": [0, 4095, False]})
    deep = np.arange(0, 4096, 256, np.uint16).reshape(4, 4)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(viewer.features([tmp_path / "deep.png"])["image"][0, ..., 0], deep // 16)


@pytest.mark.parametrize("value", ["nowhere.png", np.zeros((2, 2, 1), np.uint8)])
def test_a_picture_that_can_t_be_read_is_refused(value, tmp_path, monkeypatch):
    viewer = loader(Viewer, tmp_path, monkeypatch, {"shape": [4, 5, 3]})
    with pytest.raises(UserError, match="picture"):
        viewer.features([value])


def test_a_short_wave_stands_in_the_middle_and_of_a_long_one_the_loudest_stretch_is_heard(
    tmp_path, monkeypatch
):
    listener = loader(Listener, tmp_path, monkeypatch, {"num_samples": 3, "sample_rate": 8000})
    features = listener.features([np.array([7], np.int16), np.array([0, 1, 9, 9, 9, 1], np.int16)])
    assert features["waves"].tolist() == [[0, 7, 0], [9, 9, 9]]


def test_floats_are_heard_at_the_full_scale_of_the_run(tmp_path, monkeypatch):
    settings = {"num_samples": 3, "sample_rate": 8000, "full_scale": 32768.0}
    listener = loader(Listener, tmp_path, monkeypatch, settings)
    soundfile.write(tmp_path / "a.wav", np.array([5.0, -32768.0, 300.0]), 8000, subtype="FLOAT")
    assert listener.features([tmp_path / "a.wav"])["waves"].tolist() == [[5, -32768, 300]]


@pytest.mark.parametrize("value", ["nowhere.wav", np.zeros(0, np.int16), np.zeros(4, np.float32)])
def test_a_sound_that_can_t_be_read_is_refused(value, tmp_path, monkeypatch):
    listener = loader(Listener, tmp_path, monkeypatch, {"num_samples": 3, "sample_rate": 8000})
    with pytest.raises(UserError, match=r"recording|wave"):
        listener.features([value])
