"""What leaves with a detector: the graph to what it says of pictures; boxes are made of that in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras

    from apps.vision.detection import Detection, DetectionEncoder

BLOCK = 16  # pictures that are scored together


def portable_detector(task: Detection, model: keras.Model, encoder: DetectionEncoder) -> Portable:
    """Return what leaves with a detector.

    Args:
        task: Reads pictures and judges boxes.
        model: A trained model.
        encoder: Its classes, and the shape it takes.
    """
    names = task.output_names

    def call(image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        outputs = model(image, training=False)
        return tuple(outputs[name] for name in names) if isinstance(outputs, dict) else (outputs,)

    def raw(examples: Examples) -> list[np.ndarray]:
        return list(task.pictures(examples, encoder))

    def score(inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        blocks = list(task.outputs(model, np.stack(inputs), encoder))
        return {name: np.concatenate([block[name] for block in blocks]) for name in names}

    def figures(score: Score, examples: Examples) -> Figures:
        pictures = raw(examples)
        blocks = (score(pictures[start : start + BLOCK]) for start in range(0, len(pictures), BLOCK))
        return task.figures_of(blocks, encoder, examples)

    return Portable(
        graph=TensorGraph(
            call,
            (tf.TensorSpec([None, *encoder.shape], tf.uint8, name="image"),),
            names,
            tuple(variable.value for variable in model.variables),
            ("pillow",),
        ),
        loader="apps.vision.boxes.loader",
        settings={"labels": encoder.labels, "shape": encoder.shape},
        raw=raw,
        score=score,
        figures=figures,
    )
