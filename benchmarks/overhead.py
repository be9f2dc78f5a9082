"""Times a training through the suite beside a bare `model.fit` on the same arrays, in turn."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from benchmarks.table import Line, given, print_table
from core.experiment import built, load_experiment
from core.fit import Training
from core.run import Run
from core.training.train import training_callbacks

ROUNDS, EPOCHS = 5, 4
OVERRIDES = [f"fit.epochs={EPOCHS}", "shift=0", "rotation=0", "erasing=0"]


def line() -> Line:
    """Return the seconds of each, without the first epoch's compilation."""
    experiment = load_experiment("vision/classification", OVERRIDES)
    task, fit = experiment.task, experiment.fit
    splits = task.load()
    encoder = task.encode(splits.train)
    x = task.features(splits.train, encoder)
    y = np.eye(len(encoder.labels), dtype="float32")[encoder.ids(splits.train["label"], "train")]

    def suite() -> float:
        with tempfile.TemporaryDirectory() as folder:
            run = Run.create(Path(folder) / "run", experiment)
            timer = EpochTimer()
            suite_callbacks = training_callbacks(experiment, run, len(x), progress=False)
            model = built(experiment, encoder)
            callbacks = [timer, *suite_callbacks.all]
            task.fit(
                Training(
                    model,
                    encoder,
                    splits,
                    fit,
                    resume=suite_callbacks.resume,
                    callbacks=callbacks,
                    throughput=suite_callbacks.throughput,
                )
            )
        return timer.seconds

    def bare() -> float:
        timer = EpochTimer()
        model = built(experiment, encoder)
        steps = -(-len(x) // fit.batch_size)
        model.compile(fit.keras_optimizer(steps * EPOCHS), task.loss(encoder), metrics=task.metrics(encoder))
        held = task.features(splits.validation, encoder)
        held_y = np.eye(len(encoder.labels))[encoder.ids(splits.validation["label"], "validation")]
        model.fit(
            x,
            y,
            batch_size=fit.batch_size,
            epochs=EPOCHS,
            validation_data=(held, held_y),
            callbacks=[timer],
            verbose=0,
        )
        return timer.seconds

    rounds = [(suite(), bare()) for _ in range(ROUNDS)]
    through, plain = zip(*rounds, strict=True)
    return Line("training through the suite", "s", through, "bare model.fit", plain)


class EpochTimer(keras.callbacks.Callback):
    """Adds up the seconds of all epochs but the first."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the time."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Add the time since."""
        self.seconds += (time.perf_counter() - self.start) if epoch else 0.0


if __name__ == "__main__":
    given(__doc__)
    print_table([line()])
