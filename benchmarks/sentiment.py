"""Seconds to a given accuracy: `nlp/sentiment` beside TF-IDF and logistic regression, by turns.

    python -m benchmarks.sentiment DATA [KEY=VALUE ...]

DATA is a folder of texts with a test part, such as SST-2. Either side starts from texts in memory; reading
them, judging and the import of libraries are not counted. A net's accuracy is taken after each epoch.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from apps.nlp.baselines import nbsvm, tfidf_regression
from benchmarks.table import Line, given, print_table
from core.answers.rows import Figures
from core.experiment import Experiment, built, load_experiment
from core.fit import Training
from core.run import Run
from core.training.train import training_callbacks

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
        training = Training(
            built(experiment, encoder),
            encoder,
            splits,
            experiment.fit,
            resume=callbacks.resume,
            callbacks=callbacks.all,
            throughput=callbacks.throughput,
        )
        task.fit(training)
    return judge.reached


def rival(predict: Any, splits: Any) -> Reached:
    """Return what a rival reaches, which learns and answers in one call."""
    start = time.perf_counter()
    labels, classes = np.unique(splits.train["label"], return_inverse=True)
    answers = predict(splits.train["text"], classes, splits.test["text"], split="words")
    right = labels[answers.argmax(axis=1)] == splits.test["label"]
    return [(time.perf_counter() - start, float(right.mean()))]


def lines(data: str, *overrides: str) -> Iterator[Line]:
    """Yield the seconds in which the suite is at least as accurate as each rival, beside the rival's.

    Args:
        data: A folder of texts.
        overrides: Of `nlp/sentiment`, such as the names of the columns.
    """
    experiment = load_experiment("nlp/sentiment", [f"data={data}", "fit.tensorboard=false", *overrides])
    splits = experiment.task.load()
    ours(experiment, splits)  # TensorFlow compiles and allocates for the first time
    rivals = {"TF-IDF + logistic regression": tfidf_regression, "NBSVM": nbsvm}
    own: list[Reached] = []
    others: dict[str, Reached] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        own.append(ours(experiment, splits))
        for name, predict in rivals.items():
            others[name] += rival(predict, splits)
    whole, last = statistics.median(each[-1][0] for each in own), own[0][-1][1]
    for name, reached in others.items():
        accuracy = reached[0][1]
        yield Line(
            f"sentiment, to accuracy {accuracy:.4f} on test",
            "s",
            [
                min((seconds for seconds, own_accuracy in epochs if own_accuracy >= accuracy), default=np.inf)
                for epochs in own
            ],
            name,
            [seconds for seconds, _ in reached],
            note=f"in the end {last:.4f} after {whole:.1f} s",
        )


if __name__ == "__main__":
    print_table(list(lines(*given(__doc__, "DATA", nargs="+"))))
