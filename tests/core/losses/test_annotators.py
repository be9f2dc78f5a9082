from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from core.losses import AnnotatorsCrossentropy

LOGITS = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], np.float32))


def test_each_annotator_counts_alike_and_padding_not_at_all():
    loss = AnnotatorsCrossentropy(reduction=None)(np.array([[1, 1, 2], [3, 0, 0]]), LOGITS)
    expected = [-(2 * np.log(0.5) + np.log(0.3)) / 3, -np.log(0.8)]
    np.testing.assert_allclose(ops.convert_to_numpy(loss), expected, rtol=1e-5)


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="Received: 4"):
        AnnotatorsCrossentropy()(np.array([[4], [1]]), LOGITS)
