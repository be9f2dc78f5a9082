"""Epochs of methods in closed form, told to the callbacks as Keras tells those of a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from core.answers.rows import Figures
    from core.fit import Training


def sweeps(
    training: Training, sweep: Callable[[int], Figures], validated: Callable[[], Figures]
) -> keras.callbacks.History:
    """Call for one epoch after another, from where a resume starts until a callback asks for an end.

    Args:
        training: Its model is changed in place.
        sweep: Does the work of the epoch of a number, and returns its `loss`.
        validated: Returns the figures of the validation part.

    Returns:
        The Keras history, one entry an epoch, those before a resume included.
    """
    import keras

    model, fit = training.model, training.fit
    model.optimizer, model.stop_training = None, False  # callbacks ask for what compile and fit would set
    called = keras.callbacks.CallbackList(
        list(training.callbacks), add_history=True, model=model, epochs=fit.planned_epochs, steps=1
    )
    called.on_train_begin()
    for epoch in range(training.resume.epoch, fit.planned_epochs):
        called.on_epoch_begin(epoch)
        called.on_train_batch_begin(0)
        logs = sweep(epoch)
        called.on_train_batch_end(0, logs)
        called.on_epoch_end(epoch, {**logs, **validated()})
        if model.stop_training:
            break
    called.on_train_end()
    return model.history
