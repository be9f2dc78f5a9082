"""The optimizers that Keras lacks, for tables of which a step reads few rows; they need Keras and NumPy.

Importing this package registers them all, so that `keras.saving.load_model` finds them.
"""

from __future__ import annotations

from core.optimizers.lazy_adam import LazyAdam
from core.optimizers.row_wise_adagrad import RowWiseAdagrad

__all__ = ["LazyAdam", "RowWiseAdagrad"]
