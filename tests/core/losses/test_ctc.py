from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from core.losses import CTC, ctc_feasible
from tests.core.losses.gradients import value_and_gradient

LOGITS = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
NUM_FRAMES = np.array([5, 4, 3, 5])
LABELS = np.array([[1, 2, 1], [2, 2, 0], [1, 0, 0], [0, 0, 0]])


def with_frames(num_frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.concatenate([num_frames[:, None], labels], axis=1)


def by_enumeration(log_p: np.ndarray, labels: list[int], blank: int) -> float:
    """Sum the probability of every alignment that collapses to the labels, one by one."""
    total = 0.0
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        if [symbol for symbol, _ in itertools.groupby(path) if symbol != blank] == labels:
            total += np.exp(sum(log_p[frame, symbol] for frame, symbol in enumerate(path)))
    return -np.log(total)


@pytest.mark.parametrize(("blank", "padding"), [(0, 0), (0, -1), (2, 2), (2, -1)])
def test_value_is_the_sum_over_all_alignments(blank: int, padding: int) -> None:
    rows = [[(label + blank) % 3 for label in row if label] for row in LABELS.tolist()]
    labels = np.array([row + [padding] * (3 - len(row)) for row in rows])
    log_p = log_softmax(LOGITS.astype("float64"), axis=-1)
    expected = [by_enumeration(log_p[i, : NUM_FRAMES[i]], rows[i], blank) for i in range(4)]
    loss = CTC(blank_index=blank, reduction=None)
    np.testing.assert_allclose(loss(with_frames(NUM_FRAMES, labels), LOGITS), expected, rtol=1e-5)


def test_value_and_gradient_do_not_depend_on_frames_beyond_the_end() -> None:
    targets = keras.ops.convert_to_tensor(with_frames(NUM_FRAMES, LABELS))
    other = LOGITS.copy()
    other[1, 4:] = 77.0
    other[2, 3:] = -77.0
    value, gradient = value_and_gradient(lambda x: CTC()(targets, x), LOGITS)
    assert float(CTC()(targets, other)) == pytest.approx(float(value), rel=1e-6)
    assert np.abs(gradient[1, 4:]).max() == 0
    assert np.abs(gradient[2, 3:]).max() == 0


def test_loss_agrees_with_keras_where_every_frame_counts() -> None:
    ours = CTC(reduction=None)(with_frames(np.full(4, 5), LABELS), LOGITS)
    np.testing.assert_allclose(
        ours, keras.ops.convert_to_numpy(keras.losses.CTC(reduction=None)(LABELS, LOGITS)), rtol=1e-4
    )


def test_gradient_is_right_for_a_long_text_that_is_not_expected_yet() -> None:
    # As many frames as labels, no two neighbours equal: one alignment alone, of probability 0.001 ** 120.
    labels = np.tile([1, 2], 60)[None]
    logits = np.tile(np.log([0.998, 0.001, 0.001]).astype("float32"), (1, 120, 1))
    targets = with_frames(np.array([120]), labels)
    value, gradient = value_and_gradient(lambda x: CTC()(targets, x), logits)
    assert value == pytest.approx(120 * np.log(1000), rel=1e-5)
    # Every frame pulls its one label up, by 1 - 0.001.
    np.testing.assert_allclose(gradient[0, np.arange(120), labels[0]], -0.999, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_value_is_that_of_all_frames_where_more_are_claimed(dtype: str) -> None:
    log_p = log_softmax(LOGITS.astype("float64"), axis=-1)
    rows = [[label for label in row if label] for row in LABELS.tolist()]
    expected = [by_enumeration(log_p[i], rows[i], 0) for i in range(4)]
    values = CTC(reduction=None, dtype=dtype)(with_frames(np.full(4, 2_001), LABELS), LOGITS)
    assert keras.backend.standardize_dtype(values.dtype) == dtype
    np.testing.assert_allclose(
        keras.ops.cast(values, "float32"), expected, rtol=1e-5 if dtype == "float32" else 1e-2
    )


def test_value_is_zero_where_more_frames_are_claimed_than_labels_would_fit_in() -> None:
    # Six labels, no two neighbours alike, in the five frames that there are.
    targets = keras.ops.convert_to_tensor([[6, 1, 2, 1, 2, 1, 2]])
    value, gradient = value_and_gradient(lambda x: CTC()(targets, x), LOGITS[:1])
    assert value == 0.0
    assert np.abs(gradient).max() == 0.0


def test_no_value_is_given_for_a_label_that_is_no_class() -> None:
    with pytest.raises(ValueError, match=r"below 3.*Received: 3 in 1 of 2 places"):
        CTC()(np.array([[5, 1, 3]]), LOGITS[:1])


def test_value_is_nan_for_a_label_that_is_no_class_where_none_can_be_looked_at() -> None:
    targets = keras.ops.convert_to_tensor([[5, 1, 3], [5, 1, 2]])
    value, _ = value_and_gradient(lambda x: CTC(reduction=None)(targets, x)[0], LOGITS[:2], compiled=True)
    assert np.isnan(value)


def test_gradient_is_zero_for_labels_that_do_not_fit() -> None:
    labels = np.array([[1, 1, 1], [1, 2, 1], [1, 0, 0]])
    targets = keras.ops.convert_to_tensor(with_frames(np.array([4, 2, 0]), labels))
    value, gradient = value_and_gradient(lambda x: keras.ops.sum(CTC(reduction=None)(targets, x)), LOGITS[:3])
    assert value == 0.0
    assert np.abs(gradient).max() == 0.0


def test_feasible_counts_a_blank_between_equal_labels() -> None:
    labels = np.array([[1, 1, 2], [1, 1, 2], [1, 2, 1], [0, 0, 0], [3, -1, -1]])
    feasible = ctc_feasible(labels, np.array([3, 4, 3, 0, 1]))
    assert keras.ops.convert_to_numpy(feasible).tolist() == [False, True, True, True, True]


def test_value_of_no_labels_in_no_frames_is_zero() -> None:
    assert float(CTC()(np.array([[0, -1]]), LOGITS[:1])) == pytest.approx(0.0, abs=1e-6)


def test_value_and_gradient_where_a_class_is_ruled_out() -> None:
    logits = LOGITS.copy()
    logits[..., 2] = -np.inf
    targets = with_frames(np.array([5]), np.array([[1]]))
    value, gradient = value_and_gradient(lambda x: CTC()(targets, x), logits[:1])
    assert value == pytest.approx(float(CTC()(targets, logits[:1, :, :2])), rel=1e-5)
    assert np.isfinite(gradient).all()


def test_a_mask_of_frames_does_not_reach_the_loss_of_an_example() -> None:
    masked = keras.layers.Masking()(np.ones((4, 5, 3), dtype="float32"))
    logits = keras.layers.Dense(3, kernel_initializer="zeros")(masked)
    targets = with_frames(NUM_FRAMES, LABELS)
    assert float(CTC()(targets, logits)) == pytest.approx(
        float(CTC()(targets, np.zeros((4, 5, 3), dtype="float32"))), rel=1e-6
    )


def test_a_model_trains_on_batches_of_different_lengths() -> None:
    import tensorflow as tf

    def batches() -> object:
        for num_frames, num_labels in ((5, 2), (8, 3)):
            labels = np.tile(np.arange(1, num_labels + 1), (2, 1))
            frames = np.random.default_rng(num_frames).normal(size=(2, num_frames, 4))
            yield frames, with_frames(np.full(2, num_frames), labels)

    signature = (tf.TensorSpec((2, None, 4), tf.float32), tf.TensorSpec((2, None), tf.int32))
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    data = data.apply(tf.data.experimental.assert_cardinality(2))
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, keras.layers.Dense(5)(inputs))
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=CTC())
    losses = model.fit(data, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_predictions_without_time_are_refused() -> None:
    with pytest.raises(ValueError, match=r"y_pred.shape=\(4, 3\)"):
        CTC()(with_frames(NUM_FRAMES, LABELS), LOGITS[:, 0])
