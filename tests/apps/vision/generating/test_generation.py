"""The task that generates pictures: its answers, and what it refuses."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from apps.vision.generation import GenerationOptions, PictureGeneration
from core.data.examples import Examples, Splits
from core.errors import UserError
from core.fit import Fit, Training


def examples(count: int = 12, side: int = 8, classes: int = 2) -> Examples:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (count, side, side, 1), np.uint8)
    return Examples({"image": pictures, "label": (np.arange(count) % classes).astype(str)}, "small pictures")


@pytest.fixture(scope="module")
def drawing():
    task = PictureGeneration(width=4, noise=4, judged=12, data="nowhere")
    encoder = task.encode(examples())
    return task, task.build(encoder), encoder


def picture(drawing, seed: int = 1, label: str = "0", **options) -> np.ndarray:
    task, model, encoder = drawing
    asked = [{"seed": seed, "class": label}]
    [answer] = task.predict(model, encoder, asked, GenerationOptions(**options))
    return answer["picture"].astype(int)


def test_a_seed_and_a_class_always_give_the_same_picture_and_others_another(drawing):
    np.testing.assert_array_equal(picture(drawing), picture(drawing))
    assert not np.array_equal(picture(drawing), picture(drawing, seed=2))
    assert not np.array_equal(picture(drawing), picture(drawing, label="1"))


def test_a_picture_goes_to_that_of_another_seed(drawing):
    end = picture(drawing, towards=2, share=1.0)
    assert np.abs(end - picture(drawing, seed=2)).max() <= 1
    assert not np.array_equal(picture(drawing, towards=2, share=0.5), end)


def test_a_single_class_can_be_learnt():
    encoder = PictureGeneration(data="nowhere").encode(examples(classes=1))
    assert encoder.labels == ["0"]


def test_a_class_that_nobody_learnt_is_refused(drawing):
    with pytest.raises(UserError, match="7"):
        picture(drawing, label="7")


@pytest.mark.parametrize(("few", "told"), [(examples(2), "4 pictures"), (examples(4, side=300), "size=64")])
def test_too_few_and_too_large_pictures_are_refused(few, told):
    with pytest.raises(UserError, match=told):
        PictureGeneration(data="nowhere").encode(few)


def test_a_backend_that_two_optimizers_do_not_run_on_is_refused(drawing, monkeypatch):
    task, model, encoder = drawing
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    splits = Splits(examples(), examples(2), examples(2), "all")
    training = Training(model, encoder, splits, Fit(), resume=keras.callbacks.Callback(), callbacks=[])
    with pytest.raises(UserError, match="KERAS_BACKEND=jax"):
        task.fit(training)
