"""Figures of the validation part after each epoch that Keras does not compute: those a task is judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from core.fit import Training


class AfterEachEpoch(keras.callbacks.Callback):
    """Adds figures to those of each epoch, before the callbacks after it are told of them.

    Args:
        judged: Returns the figures by name.
    """

    def __init__(self, judged: Callable[[], Mapping[str, float]]) -> None:
        super().__init__()
        self.judged = judged

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the model as it is."""
        if logs is not None:
            logs.update(self.judged())


def judged_each_epoch(
    training: Training, judged: Callable[[], Mapping[str, float]], *, by_these_alone: bool = False
) -> Training:
    """Return a training whose epochs have figures of the validation part, found by all of its callbacks.

    Args:
        training: What is to be trained, with a validation part.
        judged: Returns the figures by name, such as `val_loss`.
        by_these_alone: Don't let Keras judge the validation part as well.
    """
    splits = training.splits
    if by_these_alone:
        splits = replace(splits, validation=splits.validation.take(np.zeros(0, np.int64)))
    # The first of the callbacks, so that those which watch a figure find it.
    return replace(training, splits=splits, callbacks=(AfterEachEpoch(judged), *training.callbacks))
