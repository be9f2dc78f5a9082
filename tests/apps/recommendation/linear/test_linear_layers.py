import keras
import numpy as np
import pytest
from scipy.sparse import csr_array

from apps.recommendation.linear.layers import ChosenItems, ItemToItem

ROWS = csr_array(np.array([[0, 0, 0, 0], [0, 0, 2, 0], [0, 0.5, 0, -1], [0, 0, 0, 0]], np.float32))


@pytest.mark.parametrize("num_kept", [2, 4])
def test_rows_that_are_kept_are_looked_up_and_recalled(num_kept):
    layer = ItemToItem(4, num_kept)
    layer.build((None,))
    layer.remember(ROWS)
    np.testing.assert_array_equal(layer.recall().toarray(), ROWS.toarray())
    looked_up = keras.ops.convert_to_numpy(layer(np.array([2, 0, 1], np.int32)))
    np.testing.assert_array_equal(looked_up, ROWS.toarray()[[2, 0, 1]])


def test_more_weights_than_are_kept_are_refused():
    layer = ItemToItem(4, 1)
    layer.build((None,))
    with pytest.raises(ValueError, match="Received: 2"):
        layer.remember(ROWS)


@pytest.mark.parametrize("num_kept", [0, 5])
def test_a_number_of_weights_that_there_cannot_be_is_refused(num_kept):
    with pytest.raises(ValueError, match="num_kept"):
        ItemToItem(4, num_kept)


def test_an_item_chosen_twice_counts_once_and_padding_not_at_all():
    rows = ChosenItems(4)(np.array([[3, 3, 0], [0, 0, 0]], np.int32))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(rows), [[0, 0, 0, 1], [0, 0, 0, 0]])


@pytest.mark.parametrize("num_kept", [2, 4])
def test_a_saved_model_of_the_layers_is_opened_by_keras_alone(num_kept, tmp_path):
    ids = keras.Input((), dtype="int32")
    layer = ItemToItem(4, num_kept)
    model = keras.Model(ids, layer(ids))
    layer.remember(ROWS)
    model.save(tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras")
    items = np.array([2, 1], np.int32)
    np.testing.assert_array_equal(opened.predict(items, verbose=0), ROWS.toarray()[[2, 1]])
