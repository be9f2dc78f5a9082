"""A small training that can be cut off anywhere; run as a program, it kills itself with SIGKILL."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from core.callbacks.exact_resume import ExactResume
from core.data.feed import Feed

NUM_EXAMPLES, BATCH_SIZE, STEPS = 20, 4, 5


class After(keras.callbacks.Callback):
    """Calls `action` after the given number of steps of this process."""

    def __init__(self, steps: int, action: Callable[[], None]) -> None:
        super().__init__()
        self.steps, self.action = steps, action

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.steps -= 1
        if self.steps == 0:
            self.action()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def build(units: int = 8) -> keras.Model:
    """Build a model with all that a resume must restore: lazy metrics, slots, running averages, seeds."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((6,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(20, units)(tokens))
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    model = keras.Model(tokens, keras.layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    return model


def train(
    folder: Path | None,
    *,
    epochs: int = 4,
    patience: int = 9,
    before: Sequence[keras.callbacks.Callback] = (),
    after: Sequence[keras.callbacks.Callback] = (),
    run_eagerly: bool = False,
    **options: object,
) -> tuple[list[np.ndarray], dict[str, list]]:
    """Train, or continue what is in `folder`, None for a plain training; return weights and history."""
    random = np.random.default_rng(0)
    x = random.integers(0, 20, (NUM_EXAMPLES, 6))
    y = random.integers(0, 2, NUM_EXAMPLES)
    others = [
        *before,
        keras.callbacks.EarlyStopping(min_delta=0.2, patience=patience, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=0.05),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
    ]
    resume = ExactResume(folder, others, **{"every_steps": 2, **options}) if folder else None
    epoch, step = (resume.epoch, resume.step) if resume else (0, 0)
    feed = Feed(BATCH_SIZE, training=True, epoch=epoch, step=step)
    model = build()
    model.run_eagerly = run_eagerly
    history = model.fit(
        feed.batches(x, y),
        validation_data=Feed(BATCH_SIZE).batches(x[:8], y[:8]),
        epochs=epochs,
        initial_epoch=epoch,
        steps_per_epoch=STEPS,
        callbacks=[*others, *([resume] if resume else []), *after],
        shuffle=False,
        verbose=0,
    )
    return model.get_weights(), {"epoch": history.epoch, **history.history}


def main(folder: Path, kills: Sequence[str]) -> None:
    """Train once for every kill: after so many steps, or within the next `write` of a checkpoint."""
    for kill_after in kills:
        child = os.fork()
        if child == 0:
            if kill_after == "write":
                os.replace = lambda *_: kill()
            train(folder, after=[After(int(kill_after), kill)] if kill_after.isdigit() else ())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"{kill_after!r} ended with {os.waitstatus_to_exitcode(status)}, not by SIGKILL")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
