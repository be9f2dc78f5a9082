from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import CRF

RANDOM = np.random.default_rng(0)
NUM_TAGS, LENGTHS = 3, np.array([5, 1, 3])
EMISSIONS = RANDOM.normal(0, 2, (3, 5, NUM_TAGS)).astype(np.float32)
MASK = np.arange(5) < LENGTHS[:, None]
# Tag 2 follows only tag 1, and none begins with it or ends with tag 1.
LIMITS = {
    "allowed": [[True, True, False], [True, True, True], [True, True, False]],
    "first": [True, True, False],
    "last": [True, False, True],
}
LIMITED = pytest.mark.parametrize("limits", [{}, LIMITS], ids=["all allowed", "some forbidden"])


def layer(limits: dict) -> CRF:
    crf = CRF(NUM_TAGS, **limits)
    crf(EMISSIONS)
    random = np.random.default_rng(1)
    crf.set_weights([random.normal(0, 1, weight.shape) for weight in crf.weights])
    return crf


def every_path(crf: CRF, row: int) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """Return all ways to tag a sequence, and the score of each, in double precision."""
    transitions, starts, ends = (ops.convert_to_numpy(each).astype(np.float64) for each in crf.scores())
    paths = list(itertools.product(range(NUM_TAGS), repeat=int(LENGTHS[row])))
    scores = [
        starts[path[0]]
        + ends[path[-1]]
        + sum(float(EMISSIONS[row, step, tag]) for step, tag in enumerate(path))
        + sum(transitions[pair] for pair in itertools.pairwise(path))
        for path in paths
    ]
    return paths, np.array(scores)


@LIMITED
def test_the_loss_of_every_path_value_is_that_of_brute_force(limits):
    crf = layer(limits)
    for row in range(3):
        paths, scores = every_path(crf, row)
        expected = np.logaddexp.reduce(scores) - scores
        padded = np.zeros((len(paths), 5), np.int32)
        padded[:, : LENGTHS[row]] = paths
        received = crf.negative_log_likelihood(
            np.repeat(EMISSIONS[row : row + 1], len(paths), axis=0),
            padded,
            np.repeat(MASK[row : row + 1], len(paths), axis=0),
        )
        np.testing.assert_allclose(ops.convert_to_numpy(received), expected, rtol=1e-5, atol=1e-4)


@LIMITED
def test_the_best_path_value_is_that_of_brute_force(limits):
    crf = layer(limits)
    received = ops.convert_to_numpy(crf.best(EMISSIONS, MASK))
    for row in range(3):
        paths, scores = every_path(crf, row)
        assert tuple(received[row, : LENGTHS[row]].tolist()) == paths[int(scores.argmax())]
        assert not received[row, LENGTHS[row] :].any()


@LIMITED
def test_each_marginal_value_is_that_of_brute_force(limits):
    crf = layer(limits)
    received = ops.convert_to_numpy(crf.marginals(EMISSIONS, MASK))
    for row in range(3):
        paths, scores = every_path(crf, row)
        shares = np.exp(scores - np.logaddexp.reduce(scores))
        expected = np.zeros((5, NUM_TAGS))
        for path, share in zip(paths, shares, strict=True):
            expected[np.arange(len(path)), path] += share
        np.testing.assert_allclose(received[row], expected, atol=1e-5)


def test_without_a_mask_the_value_is_that_of_all_steps():
    crf = layer({})
    tags = np.zeros((3, 5), np.int32)
    np.testing.assert_allclose(
        crf.negative_log_likelihood(EMISSIONS, tags),
        crf.negative_log_likelihood(EMISSIONS, tags, np.ones((3, 5), bool)),
    )


def slopes(crf: CRF, tags: np.ndarray, compiled: bool) -> list[np.ndarray]:
    """Return the gradients of the loss by the emissions and by each weight."""
    if keras.backend.backend() == "jax":
        import jax

        def loss(emissions, *weights):
            pairs = zip(crf.trainable_variables, weights, strict=True)
            with keras.StatelessScope(state_mapping=list(pairs)):
                return ops.sum(crf.negative_log_likelihood(emissions, tags, MASK))

        weights = [weight.value for weight in crf.weights]
        return list(jax.grad(loss, tuple(range(4)))(jax.numpy.asarray(EMISSIONS), *weights))
    import tensorflow as tf

    @tf.function(jit_compile=compiled)
    def of_emissions(emissions: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(emissions)
            loss = tf.reduce_sum(crf.negative_log_likelihood(emissions, tags, MASK))
        return tape.gradient(loss, [emissions, *(weight.value for weight in crf.weights)])

    return of_emissions(tf.constant(EMISSIONS))


@LIMITED
@pytest.mark.parametrize("compiled", [False, True])
def test_the_gradient_is_the_expected_count_of_every_score_less_the_true_one(limits, compiled):
    crf = layer(limits)
    tags = ops.convert_to_numpy(crf.best(EMISSIONS, MASK))
    expected = [np.zeros((3, 5, 3)), np.zeros((3, 3)), np.zeros(3), np.zeros(3)]
    for row in range(3):
        paths, scores = every_path(crf, row)
        shares = np.exp(scores - np.logaddexp.reduce(scores))
        true = tuple(tags[row, : LENGTHS[row]].tolist())
        for path, share in [*zip(paths, shares, strict=True), (true, -1.0)]:
            expected[0][row, np.arange(len(path)), path] += share
            for pair in itertools.pairwise(path):
                expected[1][pair] += share
            expected[2][path[0]] += share
            expected[3][path[-1]] += share
    for received, wanted in zip(slopes(crf, tags, compiled), expected, strict=True):
        np.testing.assert_allclose(received, wanted, atol=1e-4)


def test_texts_of_any_length_train_a_model():
    inputs = keras.Input((None, NUM_TAGS))
    crf = CRF(NUM_TAGS, name="crf")
    outputs = crf(keras.layers.Dense(NUM_TAGS)(inputs))

    class Tagger(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(crf.negative_log_likelihood(y_pred, y))

    model = Tagger(inputs, outputs)
    model.compile("sgd", jit_compile=False)
    first = model.train_on_batch(EMISSIONS, np.ones((3, 5), np.int32))
    for _ in range(3):
        model.train_on_batch(EMISSIONS[:, :3], np.ones((3, 3), np.int32))
    assert model.test_on_batch(EMISSIONS, np.ones((3, 5), np.int32)) < first


def test_limits_of_another_size_are_refused():
    with pytest.raises(ValueError, match="first must have the shape"):
        CRF(NUM_TAGS, first=[True])


def test_it_is_saved_and_loaded_with_its_limits(tmp_path):
    inputs = keras.Input((None, NUM_TAGS))
    model = keras.Model(inputs, CRF(NUM_TAGS, name="crf", **LIMITS)(inputs))
    model.get_layer("crf").set_weights(layer(LIMITS).get_weights())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").get_layer("crf")
    for one, other in zip(loaded.scores(), layer(LIMITS).scores(), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
