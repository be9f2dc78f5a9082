"""The optimizers that Keras lacks: faster ones, and ones for large tables; they need Keras and NumPy.

Importing this package registers them all, so `keras.saving.load_model` finds them.
"""

from __future__ import annotations

from core.optimizers.fused_adam import FusedAdam
from core.optimizers.lazy_adam import LazyAdam
from core.optimizers.row_wise_adagrad import RowWiseAdagrad

__all__ = ["FusedAdam", "LazyAdam", "RowWiseAdagrad"]
