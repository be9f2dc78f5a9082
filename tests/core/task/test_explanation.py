"""The tests by which the literature judges explanations, on small models that are trained here."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.stats import spearmanr

from core.errors import UserError
from core.task.attribution import (
    deletion_gain,
    explain,
    grad_cam,
    integrated_gradients,
    log_odds,
    occlusion,
    opened,
    scored,
)
from core.task.explanation import Anatomy, explained, grid


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square in one of two corners, and which corner it is."""
    random = np.random.default_rng(0)
    x = random.normal(0, 0.3, (256, 12, 12, 1)).astype("float32")
    y = random.integers(0, 2, 256)
    x[y == 0, 1:5, 1:5] += 1.5
    x[y == 1, 7:11, 7:11] += 1.5
    return x, y


@pytest.fixture(scope="module")
def trained(pictures) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="maps"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*pictures, epochs=8, verbose=0)
    return model


def cells(shape: tuple[int, ...], across: int = 6) -> np.ndarray:
    places = grid(shape[:2], (across, across))
    masks = np.zeros((len(places), *shape), bool)
    for mask, place in zip(masks, places, strict=True):
        mask[place] = True
    return masks


def anatomy() -> Anatomy:
    masks = cells((12, 12, 1))
    names = [str(place) for place in range(len(masks))]
    return Anatomy(None, lambda values: (names, masks), lambda *arguments: None, maps="maps")


def test_value_attributions_of_a_linear_model_are_weight_times_input():
    weights = np.array([1.0, -2.0, 0.5], "float32")
    values = np.array([2.0, 1.0, 4.0], "float32")
    adds, gap = integrated_gradients(
        lambda points: keras.ops.sum(points * weights, axis=1), values, np.zeros(3, "float32")
    )
    np.testing.assert_allclose(adds, weights * values, rtol=1e-5)
    assert gap == pytest.approx(0, abs=1e-5)


def test_value_attributions_of_a_product_are_shared_equally():
    adds, _ = integrated_gradients(
        lambda points: points[:, 0] * points[:, 1], np.array([3.0, 2.0], "float32"), np.zeros(2, "float32")
    )
    np.testing.assert_allclose(adds, [3.0, 3.0], rtol=1e-4)


def test_attributions_sum_to_the_change_in_score(trained, pictures):
    for row in range(5):
        _, gap = explain(trained, pictures[0][row : row + 1], steps=128)
        assert gap < 0.02


def test_what_matters_lies_where_the_square_is(trained, pictures):
    x, y = pictures
    adds, _ = explain(trained, x[:1])
    square = (slice(1, 5), slice(1, 5)) if y[0] == 0 else (slice(7, 11), slice(7, 11))
    assert adds[square].sum() > 0.5 * adds.sum()


def test_weights_drawn_anew_give_another_explanation(trained, pictures):
    adds, _ = explain(trained, pictures[0][:1], target=0)
    fresh = keras.models.clone_model(trained)
    keras.utils.set_random_seed(1)
    other, _ = explain(keras.models.clone_model(fresh), pictures[0][:1], target=0)
    assert abs(spearmanr(adds.ravel(), other.ravel()).statistic) < 0.5


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "grad_cam"])
def test_taking_away_what_matters_most_lowers_the_score_sooner_than_chance(trained, pictures, method):
    x, y = pictures
    gains = []
    for row in range(4):
        target = int(y[row])
        explanation = explained(trained, x[row : row + 1], anatomy(), (target, str(target)), {}, method)
        gains.append(explanation.checks["deletion"])
    assert np.mean(gains) > 0.1


def test_occlusion_of_one_part_is_the_fall_of_the_score():
    falls = occlusion(
        lambda points: keras.ops.sum(points * np.array([1.0, 2.0], "float32"), axis=1),
        np.array([3.0, 5.0]),
        np.zeros(2),
        np.eye(2, dtype=bool),
    )
    np.testing.assert_allclose(falls, [3.0, 10.0])


def test_deletion_in_the_right_order_gains_and_in_the_wrong_order_loses():
    def score(points):
        return keras.ops.sum(points, axis=1)

    values, masks = np.array([10.0, 1.0, 1.0, 1.0]), np.eye(4, dtype=bool)
    assert deletion_gain(score, values, np.zeros(4), masks, values) > 0.1
    assert deletion_gain(score, values, np.zeros(4), masks, -values) < -0.1


def test_grad_cam_weighs_each_point_of_the_maps_by_its_own_gradient():
    maps = np.stack([np.ones((2, 2)), np.ones((2, 2))], axis=-1)
    weights = np.array([[4.0, 0.0], [1.0, -2.0]], np.float32)
    heat = grad_cam(lambda points: keras.ops.sum(points[..., 0] * weights, axis=(1, 2)), maps)
    np.testing.assert_allclose(heat, [[4, 0], [1, 0]])


def test_a_layer_within_can_be_explained_while_the_mask_still_comes_from_the_input():
    ids = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(5, 2, name="embedding")(ids)
    mask = keras.ops.cast(keras.ops.not_equal(ids, 0), "float32")[..., None]
    logits = keras.layers.Dense(3)(keras.ops.sum(embedded * mask, axis=1))
    model = keras.Model(ids, logits)
    x = np.array([[3, 1, 0]])
    values, score = opened(model, x, "embedding")
    np.testing.assert_allclose(scored(score, values), keras.ops.convert_to_numpy(model(x)), rtol=1e-5)


def test_log_odds_set_a_class_against_all_others():
    probabilities = np.array([[0.2, 0.5, 0.3]])
    odds = keras.ops.convert_to_numpy(log_odds(keras.ops.convert_to_tensor(np.log(probabilities)), 1))
    assert odds[0] == pytest.approx(0.0, abs=1e-6)


def test_a_layer_that_is_not_there_is_named_with_those_that_are(trained, pictures):
    with pytest.raises(UserError, match=r"no layer 'map'. It has .*maps"):
        explain(trained, pictures[0][:1], layer="map")


def test_a_method_that_there_is_not_is_refused(trained, pictures):
    with pytest.raises(UserError, match=r"is explained by .*Received: 'guess'"):
        explained(trained, pictures[0][:1], anatomy(), (0, "0"), {}, "guess")


def test_an_explanation_is_a_picture_and_plain_data(trained, pictures):
    explanation = explained(trained, pictures[0][:1], anatomy(), (0, "left"), {"label": "left"})
    assert explanation.png().startswith(b"\x89PNG")
    plain_data = explanation.to_json()
    assert (plain_data["target"], len(plain_data["parts"]), plain_data["answer"]) == (
        "left",
        36,
        {"label": "left"},
    )
