from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import CrossAttention, FeedForward, SelfAttention, TransformerBlock
from core.layers.attention import rotated
from core.layers.transformer import with_room

STATES = np.random.default_rng(0).normal(size=(2, 6, 16)).astype(np.float32)
MEMORY = np.random.default_rng(1).normal(size=(2, 5, 12)).astype(np.float32)


def numbers(tensor: object) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


def by_hand(layer: SelfAttention, states: np.ndarray) -> np.ndarray:
    """Return causal attention without positions, head by head, query by query."""
    query, keys_values, output = (numbers(weight) for weight in layer.weights)
    dim, shared = layer.head_dim, layer.num_key_value_heads * layer.head_dim
    queries, both = states @ query, states @ keys_values
    attended = np.zeros_like(queries)
    for head in range(layer.num_heads):
        own = slice(head * dim, (head + 1) * dim)
        group = head // (layer.num_heads // layer.num_key_value_heads)
        keys = both[..., group * dim : (group + 1) * dim]
        values = both[..., shared + group * dim : shared + (group + 1) * dim]
        for row in range(len(states)):
            for place in range(states.shape[1]):
                scores = keys[row, : place + 1] @ queries[row, place, own] / np.sqrt(dim)
                weights = np.exp(scores) / np.exp(scores).sum()
                attended[row, place, own] = weights @ values[row, : place + 1]
    return attended @ output


@pytest.mark.parametrize("num_key_value_heads", [4, 2, 1])
def test_the_value_is_that_of_attention_by_hand(num_key_value_heads):
    layer = SelfAttention(4, num_key_value_heads, rotary=False)
    np.testing.assert_allclose(numbers(layer(STATES)), by_hand(layer, STATES), atol=1e-5)


def test_the_value_is_a_product_that_depends_on_the_distance_alone():
    query, key = STATES[:1, :1, None, :], STATES[:1, 1:2, None, :]
    products = [
        float(ops.sum(rotated(query, np.array([[place + 3]])) * rotated(key, np.array([[place]]))))
        for place in (0, 7, 50)
    ]
    np.testing.assert_allclose(products, products[0], rtol=1e-4)
    assert abs(products[0] - float(ops.sum(query * key))) > 0.01


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_key_value_heads": 1, "normalization": "layer", "activation": "gelu"},
        {"cross_attention": True, "rotary": False},
    ],
)
def test_the_value_is_the_same_step_by_step_as_at_once(settings):
    block = TransformerBlock(4, 24, **settings)
    memory = MEMORY if block.cross_attention is not None else None
    memory_mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool) if memory is not None else None
    whole = numbers(block(STATES, memory=memory, memory_mask=memory_mask))
    kept = block.of_memory(memory)
    # The second text is one token shorter: where it goes on, what stands there is padding.
    begun, cache = block.begin(STATES[:, :3], kept, memory_mask=memory_mask)
    np.testing.assert_allclose(numbers(begun), whole[:, :3], atol=1e-5)
    cache = with_room(cache, 8)
    for step in range(3):
        places = np.array([3, 2]) + step
        token = np.stack([STATES[row, place] for row, place in enumerate(places)])[:, None]
        stepped, cache = block.step(token, cache, places, kept, memory_mask)
        expected = np.stack([whole[row, place] for row, place in enumerate(places)])[:, None]
        np.testing.assert_allclose(numbers(stepped), expected, atol=1e-5)


def test_no_token_sees_what_comes_after_it():
    block, changed = TransformerBlock(4, 24), STATES.copy()
    before = numbers(block(STATES))
    changed[:, 4:] += 1
    np.testing.assert_allclose(numbers(block(changed))[:, :4], before[:, :4], atol=1e-6)
    assert np.abs(numbers(block(changed))[:, 4:] - before[:, 4:]).max() > 0.1


def test_padding_of_a_text_and_of_its_memory_changes_nothing():
    block = TransformerBlock(4, 24, causal=False, cross_attention=True)
    own, of_memory = np.array([[1, 1, 1, 0, 0, 0]] * 2, bool), np.array([[1, 1, 0, 0, 0]] * 2, bool)
    padded = numbers(block(STATES, memory=MEMORY, padding_mask=own, memory_mask=of_memory))
    plain = numbers(block(STATES[:, :3], memory=MEMORY[:, :2]))
    np.testing.assert_allclose(padded[:, :3], plain, atol=1e-5)


def test_the_weights_of_attention_to_a_memory_sum_to_one_over_what_is_no_padding():
    layer = CrossAttention(4, 2)
    layer(STATES, MEMORY)
    weights = numbers(layer.weights_of(STATES, MEMORY, np.array([[1, 1, 1, 0, 0]] * 2, bool)))
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert weights[..., 3:].max() < 1e-6


def test_the_value_is_that_of_a_gated_net_by_hand():
    layer = FeedForward(10)
    expected_of = numbers(layer(STATES))
    inner, output = (numbers(weight) for weight in layer.weights)
    gate, value = np.split(STATES @ inner, 2, axis=-1)
    np.testing.assert_allclose(expected_of, (gate / (1 + np.exp(-gate)) * value) @ output, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        SelfAttention(4, 2, causal=False, rotary=False, use_bias=True),
        CrossAttention(4, 2),
        FeedForward(10, "gelu"),
        TransformerBlock(4, 24, 2, normalization="layer", activation="gelu", dropout=0.1),
    ],
)
def test_a_layer_comes_back_from_its_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()


def test_a_model_of_blocks_comes_back_from_its_file(tmp_path):
    text, memory = keras.Input((None, 16)), keras.Input((None, 12))
    model = keras.Model([text, memory], TransformerBlock(4, 24, cross_attention=True)(text, memory=memory))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numbers(again([STATES, MEMORY])), numbers(model([STATES, MEMORY])))


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"num_heads": 3, "num_key_value_heads": 2}, "multiple"), ({"num_heads": 0}, "num_heads=0")],
)
def test_heads_that_do_not_divide_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        SelfAttention(**settings)


def test_a_width_that_does_not_divide_by_the_heads_is_refused():
    with pytest.raises(ValueError, match="Received: width=16, num_heads=3"):
        SelfAttention(3)(STATES)
