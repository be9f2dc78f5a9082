import keras
import numpy as np
import pytest
from keras import ops

from apps.recommendation.factors.layers import Factors, PooledItems, SeenItems
from core.data.examples import Ragged


def test_the_penalty_value_over_an_epoch_is_the_objective_of_least_squares():
    layer = Factors(3, 2, penalty=0.7, bias_penalty=0.3, exponent=0.5)
    layer.build((None,))
    layer.set_counts([1, 4])
    layer.vectors.assign([[0, 0], [1, 2], [3, 1]])
    layer.bias.assign([[0], [2], [1]])
    ids = np.array([1, 2, 2, 2, 2], np.int32)
    layer(ids, training=True)
    by_hand = (0.7 * 5 + 0.3 * 4) * 1**0.5 + (0.7 * 10 + 0.3 * 1) * 4**0.5
    assert float(layer.losses[0]) * len(ids) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_the_penalty_keeps_its_precision_and_trains_where_steps_are_of_a_lower_one(policy):
    ids = np.array([1, 2, 2], np.int32)
    layers = [Factors(3, 2, penalty=0.7, dtype=dtype) for dtype in (policy, "float32")]
    for layer in layers:
        layer(ids)
        layer.set_counts([1001, 3])
        layer.vectors.assign([[0, 0], [1.001, 2], [3, 1]])
        layer(ids, training=True)
    assert float(layers[0].losses[0]) == float(layers[1].losses[0])
    model = keras.Sequential(
        [keras.Input((), dtype="int32"), layers[0], keras.layers.Lambda(lambda row: row[0])]
    )
    model.compile("sgd", "mean_squared_error", jit_compile=False)
    assert np.isfinite(model.fit(ids, np.zeros((3, 2)), verbose=0).history["loss"]).all()


def test_no_penalty_is_added_when_not_training():
    layer = Factors(3, 2, penalty=1.0)
    layer(np.array([1], np.int32), training=False)
    assert not layer.losses


def test_the_vector_value_of_the_unknown_id_is_zero():
    vectors, bias = Factors(4, 3)(np.array([0, 1], np.int32))
    assert not ops.convert_to_numpy(vectors)[0].any()
    assert ops.convert_to_numpy(vectors)[1].any()
    assert ops.convert_to_numpy(bias).shape == (2, 1)


def remembering(length: int) -> SeenItems:
    layer = SeenItems(4, 5, length)
    layer.build((None,))
    layer.remember(Ragged.from_rows([[], [7, 8, 9], [], [5, 6]], np.int32))
    return layer


def test_the_value_of_a_users_history_is_his_latest_items():
    ids, items = remembering(2)(np.array([1, 2, 3, 0], np.int32))
    assert ops.convert_to_numpy(ids).tolist() == [1, 2, 3, 0]
    assert ops.convert_to_numpy(items).tolist() == [[8, 9], [0, 0], [5, 6], [0, 0]]


def test_a_history_longer_than_any_user_is_padded_in_front():
    _, items = remembering(4)(np.array([1], np.int32))
    assert ops.convert_to_numpy(items).tolist() == [[0, 7, 8, 9]]


def test_what_was_remembered_is_recalled_after_weights_are_copied():
    other = SeenItems(4, 5)
    other.build((None,))
    other.set_weights(remembering(2).get_weights())
    assert [other.recall()[user].tolist() for user in range(4)] == [[], [7, 8, 9], [], [5, 6]]


def test_the_value_of_pooled_items_is_their_sum_over_the_root_of_their_number():
    layer = PooledItems(4, 2)
    layer.build((None, 3))
    layer.vectors.assign([[0, 0], [1, 0], [0, 2], [5, 5]])
    pooled = ops.convert_to_numpy(layer(np.array([[1, 2, 0], [0, 0, 0]], np.int32)))
    np.testing.assert_allclose(pooled, [[1 / 3**0.5, 2 / 3**0.5], [0, 0]], rtol=1e-6)


def test_a_share_of_the_items_is_left_out_while_training():
    layer = PooledItems(2, 1, dropout=0.5)
    layer.build((None, 1000))
    layer.vectors.assign([[0], [1]])
    layer(np.ones((1, 1000), np.int32))
    kept = float(layer(np.ones((1, 1000), np.int32), training=True)[0, 0])
    assert kept == pytest.approx(1000**0.5, rel=0.2)


@pytest.mark.parametrize("layer", [Factors(5, 2, 0.1, 0.2, 0.3), SeenItems(4, 5, 2), PooledItems(3, 2, 0.1)])
def test_a_layer_is_made_again_from_its_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
