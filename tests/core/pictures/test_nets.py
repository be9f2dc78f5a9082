from __future__ import annotations

import keras
import numpy as np
import pytest

from core.pictures.nets import NETS


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (29, 37, 3)])
def test_a_net_makes_one_vector_of_pictures_of_any_shape(net, shape):
    pictures = keras.Input(shape)
    model = keras.Model(pictures, NETS[net](pictures, 2, 2, 2))
    assert len(model.output.shape) == 2
    assert np.isfinite(keras.ops.convert_to_numpy(model(np.ones((2, *shape), np.float32)))).all()


@pytest.mark.parametrize("net", NETS)
def test_a_deeper_and_a_wider_net_have_more_weights(net):
    def num_weights(width: int, depth: int) -> int:
        pictures = keras.Input((16, 16, 1))
        return keras.Model(pictures, NETS[net](pictures, width, depth, 1)).count_params()

    assert num_weights(4, 1) < num_weights(4, 2)
    assert num_weights(4, 1) < num_weights(6, 1)


def test_a_residual_net_whose_last_convolutions_are_zero_hands_its_shortcuts_through():
    pictures = keras.Input((8, 8, 1))
    model = keras.Model(pictures, NETS["resnet"](pictures, 2, 2, 1))
    blocks = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    for block in blocks:
        last = block.input[1]._keras_history.operation
        last.kernel.assign(np.zeros(last.kernel.shape))
    second = blocks[1]
    seen = keras.Model(pictures, [second.input[0], second.output])(
        np.random.default_rng(0).normal(size=(1, 8, 8, 1))
    )
    np.testing.assert_array_equal(*seen)


def test_a_residual_net_has_no_convolution_of_one_pixel_with_strides_which_corrupts_memory_on_a_cpu():
    pictures = keras.Input((28, 28, 1))
    layers = keras.Model(pictures, NETS["resnet"](pictures, 4, 2, 2)).layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert all(layer.strides == (1, 1) for layer in convolutions if layer.kernel_size == (1, 1))


def test_thinning_pixels_by_a_pool_is_what_strides_do():
    pictures = np.random.default_rng(0).normal(size=(2, 7, 5, 3)).astype(np.float32)
    thinned = keras.layers.AveragePooling2D(1, strides=2)(pictures)
    np.testing.assert_array_equal(thinned, pictures[:, ::2, ::2])
