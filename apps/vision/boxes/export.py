"""What leaves with a detector: the graph to what it says of pictures; boxes are made of that in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras

    from apps.vision.boxes.encoder import DetectionEncoder

BLOCK = 16  # pictures that are scored together
Outputs = Mapping[str, np.ndarray]


def portable_detector(
    model: keras.Model,
    encoder: DetectionEncoder,
    names: tuple[str, ...],
    *,
    pictures: Callable[[Examples], np.ndarray],
    outputs: Callable[[np.ndarray], Iterator[Outputs]],
    figures: Callable[[Iterator[Outputs], Examples], Figures],
) -> Portable:
    """Return what leaves with a detector.

    Args:
        model: A trained model.
        encoder: Its classes, and the shape it takes.
        names: Of the outputs that boxes are made of.
        pictures: From examples to pictures in that shape.
        outputs: From such pictures to what the model says of blocks of them.
        figures: From what is said of blocks of pictures to the figures of examples.
    """

    def call(image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        said = model(image, training=False)
        return tuple(said[name] for name in names) if isinstance(said, dict) else (said,)

    def raw(examples: Examples) -> list[np.ndarray]:
        return list(pictures(examples))

    def score(inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        blocks = list(outputs(np.stack(inputs)))
        return {name: np.concatenate([block[name] for block in blocks]) for name in names}

    def figures_by(score: Score, examples: Examples) -> Figures:
        every = raw(examples)
        blocks = (score(every[start : start + BLOCK]) for start in range(0, len(every), BLOCK))
        return figures(blocks, examples)

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
        figures=figures_by,
    )
