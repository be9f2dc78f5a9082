"""What the model says of a few samples, epoch by epoch, in TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np


class SamplePredictions(keras.callbacks.Callback):
    """Writes sample predictions to TensorBoard, as a table of texts and as pictures.

    Needs TensorFlow and tensorboard to write, on whatever backend the model trains. Predicting leaves the
    training as it is: no weight, running average or random seed changes.

    Args:
        folder: The log folder, where `keras.callbacks.TensorBoard` writes too; created if need be.
        inputs: What `model.predict` takes, a few samples: an array or a nest of them, first axis the sample.
        describe: `(index, prediction) -> text` in Markdown, for each sample; `prediction` is what the model
            returns for it, without the batch axis.
        draw: `(index, prediction) -> picture`, an array of shape `(height, width, channels)`, 1, 3 or 4
            channels, uint8 or float between 0 and 1; the same shape for each sample.
        every_epochs: Epochs between writings, at least 1.

    Raises:
        ValueError: If neither `describe` nor `draw` is given.

    Example:

    ```python
    names = ["cat", "dog"]
    samples = SamplePredictions(
        "run/logs",
        pictures[:8],
        describe=lambda index, scores: names[scores.argmax()],
        draw=lambda index, scores: pictures[index],
    )
    model.fit(pictures, labels, callbacks=[samples])
    ```
    """

    def __init__(
        self,
        folder: str | Path,
        inputs: Any,
        *,
        describe: Callable[[int, Any], str] | None = None,
        draw: Callable[[int, Any], np.ndarray] | None = None,
        every_epochs: int = 1,
    ) -> None:
        super().__init__()
        if (describe is None and draw is None) or every_epochs < 1:
            raise ValueError(
                "Give describe, draw or both, and every_epochs of at least 1. "
                f"Received: describe={describe}, draw={draw}, every_epochs={every_epochs}."
            )
        self.folder = str(folder)
        self.inputs = inputs
        self.describe = describe
        self.draw = draw
        self.every_epochs = every_epochs
        self._writer: Any = None

    def on_epoch_end(self, epoch: int, logs: Mapping | None = None) -> None:
        """Predict and write, if it is time to."""
        if (epoch + 1) % self.every_epochs:
            return
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self.folder)
        predictions = self._predictions()
        with self._writer.as_default(step=epoch):
            if self.describe is not None:
                texts = [self.describe(*sample) for sample in predictions]
                tf.summary.text("samples", markdown_table(texts))
            if self.draw is not None:
                pictures = np.stack([self.draw(*sample) for sample in predictions])
                tf.summary.image("samples", pictures, max_outputs=len(pictures))
        self._writer.flush()

    def on_train_end(self, logs: Mapping | None = None) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _predictions(self) -> list[tuple[int, Any]]:
        outputs = self.model.predict(self.inputs, verbose=0)
        num_samples = len(keras.tree.flatten(outputs)[0])
        return [
            (index, keras.tree.map_structure(lambda output, index=index: output[index], outputs))
            for index in range(num_samples)
        ]


def markdown_table(texts: list[str]) -> str:
    """Return a Markdown table of numbered texts, each on one line.

    Example:

    >>> print(markdown_table(["one | two", "three"]))
    | sample | prediction |
    |---|---|
    | 0 | one \\| two |
    | 1 | three |
    """
    rows = [
        f"| {index} | {' '.join(text.split()).replace('|', chr(92) + '|')} |"
        for index, text in enumerate(texts)
    ]
    return "\n".join(["| sample | prediction |", "|---|---|", *rows])
