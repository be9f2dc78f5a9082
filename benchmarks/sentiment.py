"""Seconds to a given accuracy: `nlp/sentiment` beside TF-IDF and logistic regression, by turns.

    python -m benchmarks.sentiment DATA [KEY=VALUE ...]

DATA is a folder of texts with a test part, such as SST-2. Either side starts from texts in memory; reading
them, judging and the import of libraries are not counted. A net's accuracy is taken after each epoch.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from apps.nlp.baselines import nbsvm, tfidf_regression
from apps.nlp.sentiment import Sentiment
from core.experiment import Experiment, load_experiment
from core.run import Run
from core.task import Figures
from core.training import built, training_callbacks

ROUNDS = 5
Reached = list[tuple[float, float]]  # seconds since the start, and the accuracy on test


class Judge(keras.callbacks.Callback):
    """Takes the accuracy on test at the end of each epoch, outside of the time.

    Args:
        accuracy: Of the model as it is.
        start: Of the training, by `time.perf_counter`.
    """

    def __init__(self, accuracy: Any, start: float) -> None:
        super().__init__()
        self.accuracy, self.start = accuracy, start
        self.reached: Reached = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the clock, judge, and let it go on."""
        now = time.perf_counter()
        self.reached.append((now - self.start, self.accuracy(self.model)))
        self.start += time.perf_counter() - now


def ours(experiment: Experiment, splits: Any) -> Reached:
    """Return what the suite reaches from epoch to epoch, the learning of the vocabulary included."""
    task, start = experiment.task, time.perf_counter()
    encoder = task.encode(splits.train)

    def accuracy(model: keras.Model) -> float:
        figures: Figures = task.evaluate(model, encoder, splits.test)
        return figures["accuracy"]

    judge = Judge(accuracy, start)
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run", experiment)
        callbacks = training_callbacks(experiment, run, len(splits.train), progress=False, extra=[judge])
        keras.utils.set_random_seed(experiment.fit.seed)
        task.fit(built(experiment, encoder), encoder, splits, experiment.fit, callbacks)
    return judge.reached


def rival(predict: Any, splits: Any) -> Reached:
    """Return what a rival reaches, which learns and answers in one call."""
    start = time.perf_counter()
    labels, classes = np.unique(splits.train["label"], return_inverse=True)
    answers = predict(splits.train["text"], classes, splits.test["text"], split="words")
    right = labels[answers.argmax(axis=1)] == splits.test["label"]
    return [(time.perf_counter() - start, float(right.mean()))]


def main() -> None:
    """Print the accuracies and the seconds to them, medians of the rounds."""
    data, *overrides = sys.argv[1:]
    experiment = load_experiment("nlp/sentiment", [f"data={data}", "fit.tensorboard=false", *overrides])
    assert isinstance(experiment.task, Sentiment)
    splits = experiment.task.load()
    ours(experiment, splits)  # TensorFlow compiles and allocates for the first time
    rounds: dict[str, list[Reached]] = {}
    for _ in range(ROUNDS):
        for name, reached in {
            "quartet": ours(experiment, splits),
            "TF-IDF + logistic regression": rival(tfidf_regression, splits),
            "NBSVM": rival(nbsvm, splits),
        }.items():
            rounds.setdefault(name, []).append(reached)
    print(f"{len(splits.train):,} texts, {len(splits.test):,} of test; medians of {ROUNDS} rounds")
    for name, found in rounds.items():
        for epoch, steps in enumerate(zip(*found, strict=True), start=1):
            seconds, accuracy = (statistics.median(column) for column in zip(*steps, strict=True))
            after = f"epoch {epoch}" if len(found[0]) > 1 else ""
            print(f"{name:32s}{after:10s}{seconds:7.2f} s   accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
