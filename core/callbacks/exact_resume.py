"""Continue a training that was killed as if it had never stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.callbacks.callback_state import changed_attributes, restore_attributes, storable_attributes
from core.callbacks.model_state import add_metric_state, metrics_match, model_state, restore_model_state
from core.callbacks.state_file import StateError, read_state_file, write_state_file

FORMAT = 1
# Ends the batches of a resumed epoch. Truthy for Keras, and another value than the True of EarlyStopping.
_END_OF_EPOCH = "end of epoch"


class ExactResume(keras.callbacks.Callback):
    """Saves all that a training consists of, so that a killed one continues to the very same end.

    `keras.callbacks.BackupAndRestore` saves weights and optimizer; a training that it resumes draws other
    dropout masks, repeats batches and forgets how long EarlyStopping has waited. This callback also saves the
    seed generators of random layers, metrics, the other callbacks, the history, and the step within the
    epoch. If data arrive in an order that is a function of (epoch, step), as from `core.data.feed.Feed`, the
    final weights and history equal those of an uninterrupted run to the last bit, where the operations
    themselves are reproducible.

    The checkpoint is one file, written whole or not at all. It is written at the end of every epoch, and
    within epochs as often as asked for. It is read when the callback is constructed: give `epoch` to `fit` as
    `initial_epoch`, and start the data at `(epoch, step)`. Put this callback last in the list.

    A loop of one's own works too, around a `keras.callbacks.CallbackList` made with this model. Arrays that
    it needs beyond the model's variables go into `extra`.

    Args:
        folder: Where `checkpoint.npz` is kept; created if need be.
        callbacks: The other callbacks of the training. Whatever they changed in themselves since training
            began is saved too, as far as it consists of numbers, strings, arrays, lists, tuples and dicts.
            This callback may be among them.
        every_seconds: Save at the first step that ends this long after the last save; None for never.
        every_steps: Save at the first step that ends this many after the last save; None for never.
        delete_checkpoint: Delete the checkpoint when training ends normally. Otherwise call `delete()` once
            the model is safe elsewhere: until then a resumed training ends at once, with the same weights.

    Attributes:
        epoch: The epoch to start in, 0 without a checkpoint; then that of the latest save.
        step: The step within it to start at, 0 without a checkpoint; then that of the latest save.
        resumed: Whether there is a checkpoint.
        extra: Arrays by name that are saved along, empty or as saved.

    Raises:
        StateError: If the checkpoint is damaged or of another format, and, when training begins, if it is of
            another model, optimizer or set of callbacks.
        ValueError: When training begins, if it is of another epoch.

    Example:

    ```python
    early_stopping = keras.callbacks.EarlyStopping(patience=3)
    resume = ExactResume("run/checkpoints", [early_stopping])
    feed = Feed(batch_size=32, training=True, epoch=resume.epoch, step=resume.step)
    model.fit(
        feed.batches(x, y),
        epochs=20,
        initial_epoch=resume.epoch,
        steps_per_epoch=feed.steps(len(x)),
        callbacks=[early_stopping, resume],
    )
    ```

    Within an epoch the data must have a known number of steps. Metrics that Keras builds at the first step
    are resumed by addition, exact for those whose variables are sums, as Keras' own are. Random operations
    must draw from a `keras.random.SeedGenerator` that belongs to the model, as Keras' random layers do.
    """

    def __init__(
        self,
        folder: str | Path,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        *,
        every_seconds: float | None = 60.0,
        every_steps: int | None = None,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if every_steps is not None and every_steps < 1:
            raise ValueError(f"every_steps must be at least 1, or None. Received: every_steps={every_steps}.")
        self.path = Path(folder) / "checkpoint.npz"
        self.callbacks = callbacks
        self.every_seconds = every_seconds
        self.every_steps = every_steps
        self.delete_checkpoint = delete_checkpoint
        self._saved = self._read()
        self.resumed = self._saved is not None
        self.epoch: int = self._saved["epoch"] if self._saved else 0
        self.step: int = self._saved["step"] if self._saved else 0
        self.extra: dict[str, np.ndarray] = self._saved["extra"] if self._saved else {}
        self._at_begin: list[dict[str, Any]] = []
        self._epoch = self._first_step = self._last_saved_step = 0
        self._last_saved_at = time.monotonic()
        self._metrics_to_add: dict[str, np.ndarray] | None = None

    def delete(self) -> None:
        """Delete the checkpoint, if there is one."""
        self.path.unlink(missing_ok=True)

    def on_train_begin(self, logs: Mapping | None = None) -> None:
        """Restore a state that was saved between epochs."""
        self._check_steps()
        self._at_begin = [storable_attributes(callback) for callback in self._others()]
        self._last_saved_at = time.monotonic()
        if self._saved is not None and self.step == 0:
            self._restore(self._saved)

    def on_epoch_begin(self, epoch: int, logs: Mapping | None = None) -> None:
        """Restore a state that was saved within this epoch, after the other callbacks have begun it."""
        self._epoch, self._first_step = epoch, 0
        if self._saved is not None:
            if epoch != self.epoch:
                raise ValueError(
                    f"The checkpoint continues in epoch {self.epoch}: pass it to fit as initial_epoch. "
                    f"Received: epoch {epoch}."
                )
            if self.step > 0:
                self._restore(self._saved)
                self._first_step = self.step
        self._finish_restoring()
        self._last_saved_step = self._first_step

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        """Save if it is time to, and end a resumed epoch where the whole one would have ended."""
        if self._metrics_to_add is not None:
            add_metric_state(self.model, self._metrics_to_add)
            self._metrics_to_add = None
        step, steps = self._first_step + batch + 1, self._steps()
        if steps is None:
            if self.every_steps is not None:
                raise _unknown_steps(f"every_steps={self.every_steps}")
        elif step < steps:
            if self._is_time(step):
                self._last_saved_step = step
                self._save(self._epoch, step, _history(self._model))
        elif self._first_step > 0 and not self._model.stop_training:
            self._model.stop_training = _END_OF_EPOCH

    def on_epoch_end(self, epoch: int, logs: Mapping | None = None) -> None:
        """Let `fit` go on after a resumed epoch, and save."""
        if self._model.stop_training == _END_OF_EPOCH:
            self._model.stop_training = False
        history = _history(self._model)
        if epoch not in history["epoch"]:  # Keras puts History behind the user's callbacks
            history["epoch"].append(epoch)
            for name, value in (logs or {}).items():
                known = keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
                history["history"].setdefault(name, []).append(known)
        # A training that was stopped has no further epoch.
        last = (self.params or {}).get("epochs", epoch + 1) if self._model.stop_training else epoch + 1
        self._save(last, 0, history)

    def on_train_end(self, logs: Mapping | None = None) -> None:
        """Delete the checkpoint of a training that has come to its end."""
        self._finish_restoring()
        if self.delete_checkpoint:
            self.delete()

    def _others(self) -> list[keras.callbacks.Callback]:
        return [callback for callback in self.callbacks if callback is not self]

    def _steps(self) -> int | None:
        return (self.params or {}).get("steps")

    def _check_steps(self) -> None:
        steps, together = self._steps(), getattr(self._model, "steps_per_execution", 1)
        if steps is None and self.step > 0:
            raise _unknown_steps(f"a checkpoint at step {self.step}")
        if steps is not None and steps % together:
            raise ValueError(
                "steps_per_epoch must be a multiple of steps_per_execution, otherwise Keras runs more steps "
                f"than the epoch has. Received: steps_per_epoch={steps}, steps_per_execution={together}."
            )

    def _is_time(self, step: int) -> bool:
        by_steps = self.every_steps is not None and step - self._last_saved_step >= self.every_steps
        by_clock = (
            self.every_seconds is not None and time.monotonic() - self._last_saved_at >= self.every_seconds
        )
        return by_steps or by_clock

    def _save(self, epoch: int, step: int, history: dict[str, Any]) -> None:
        callbacks = [
            (type(callback).__name__, changed_attributes(callback, before))
            for callback, before in zip(self._others(), self._at_begin, strict=True)
        ]
        state = {
            "format": FORMAT,
            "epoch": epoch,
            "step": step,
            "model": model_state(self.model),
            "callbacks": callbacks,
            "history": history,
            "extra": self.extra,
        }
        write_state_file(self.path, state)
        self.epoch, self.step = epoch, step
        self._last_saved_at = time.monotonic()

    def _read(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        state = read_state_file(self.path)
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            received_format = state.get("format") if isinstance(state, dict) else None
            raise StateError(
                f"{self.path} must be a checkpoint of format {FORMAT}. Delete it to start anew. "
                f"Received: format {received_format}."
            )
        return state

    def _restore(self, saved: dict[str, Any]) -> None:
        model = self.model
        restore_model_state(model, saved["model"])
        restore_attributes(self._others(), saved["callbacks"])
        if self.step > 0 and not metrics_match(model, saved["model"]):
            self._metrics_to_add = saved["model"]

    def _finish_restoring(self) -> None:
        """Restore History, which Keras puts behind this callback and clears when training begins."""
        history = getattr(self._model, "history", None)
        if self._saved is not None and history is not None:
            history.epoch = self._saved["history"]["epoch"]
            history.history = self._saved["history"]["history"]
        self._saved = None


def _unknown_steps(received: str) -> ValueError:
    return ValueError(
        "To save or resume within an epoch, its number of steps must be known: pass steps_per_epoch to fit. "
        f"Received: {received}."
    )


def _history(model: keras.Model) -> dict[str, Any]:
    history = getattr(model, "history", None)
    if history is None:
        return {"epoch": [], "history": {}}
    return {
        "epoch": list(history.epoch),
        "history": {name: list(values) for name, values in history.history.items()},
    }
