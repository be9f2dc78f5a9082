"""A detector: several objects a picture, padded, with a loss of the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.boxes import Boxes
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.picture import Picture
from tests.miniatures.pictures import PictureMiniature, grey

HALF = (16, 8)  # height and width of each half, which holds an object or none
SIZE = (16, 16)
LEVELS = {"dark": 130, "light": 240}
ABSENT = -1
LEAST_SCORE = 0.05


@keras.saving.register_keras_serializable(package="tests")
class Detector(keras.Model):
    """Predicts a box, as shares of its half, and logits of the classes for each half of a picture."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        real = ops.cast(y["classes"] != ABSENT, "float32")
        away = ops.sum(ops.abs(y_pred[..., :4] - y["boxes"]), axis=-1)
        wanted = ops.one_hot(y["classes"], len(LEVELS))
        wrong = ops.binary_crossentropy(wanted, y_pred[..., 4:], from_logits=True)
        return 4 * ops.sum(real * away) / ops.maximum(ops.sum(real), 1.0) + ops.mean(wrong)


class Detection(PictureMiniature):
    """Finds dark and light rectangles."""

    takes: ClassVar[Mapping[str, Input]] = {"picture": Picture(SIZE, 1)}
    gives: ClassVar[type[Answers] | None] = Boxes
    figures: ClassVar[Mapping[str, Direction]] = Boxes.figures

    def made(self, random: np.random.Generator) -> Mapping[str, np.ndarray]:
        pictures = random.integers(0, 20, (400, *SIZE, 1), np.uint8)
        boxes = np.zeros((len(pictures), 2, 4), np.float32)
        classes = np.where(random.random((len(pictures), 2)) < 0.7, random.integers(0, 2, (400, 2)), ABSENT)
        for row, half in np.argwhere(classes != ABSENT):
            height, width = random.integers(5, 8, 2)
            top, left = random.integers(0, HALF[0] - height + 1), random.integers(0, HALF[1] - width + 1)
            boxes[row, half] = left / 8, top / 16, (left + width) / 8, (top + height) / 16
            across = slice(8 * half + left, 8 * half + left + width)
            pictures[row, top : top + height, across] = list(LEVELS.values())[classes[row, half]]
        return {"picture": pictures, "boxes": boxes, "classes": classes.astype(np.int32)}

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["picture"], {name: examples[name] for name in ("boxes", "classes")})

    def build(self, encoder: Any) -> keras.Model:
        picture = keras.Input((*SIZE, 1), name="picture")
        halves = keras.layers.Reshape((16, 2, 8))(keras.layers.Rescaling(1 / 255)(picture))
        across = keras.layers.Permute((2, 1))(ops.max(halves, axis=3))
        seen = keras.layers.Concatenate()([across, ops.max(halves, axis=1)])
        hidden = keras.layers.Dense(64, "relu")(seen)
        return Detector(picture, keras.layers.Dense(4 + len(LEVELS))(hidden))

    def _found(self, model: keras.Model, pictures: np.ndarray) -> list[list[dict[str, Any]]]:
        outputs = ops.convert_to_numpy(model(pictures))
        shares = ops.convert_to_numpy(ops.sigmoid(outputs[..., 4:]))
        return [
            [
                {"label": label, "box": box_of(values[:4], half), "score": float(score)}
                for half, values in enumerate(row)
                for label, score in zip(LEVELS, scores[half], strict=True)
                if score >= LEAST_SCORE
            ]
            for row, scores in zip(outputs, shares, strict=True)
        ]

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [{"boxes": boxes, "size": list(SIZE)} for boxes in self._found(model, grey(inputs, SIZE))]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        rows = []
        for row, predicted in enumerate(self._found(model, examples["picture"])):
            true = [
                {"label": list(LEVELS)[label], "box": box_of(box, half)}
                for half, (label, box) in enumerate(
                    zip(examples["classes"][row], examples["boxes"][row], strict=True)
                )
                if label != ABSENT
            ]
            rows.append({"row": row, "size": list(SIZE), "true": true, "predicted": predicted})
            if write:
                write(rows[-1])
        answers = Boxes.from_rows(rows)
        return {**answers.statistics(np.arange(len(rows))), "per_class": answers.per_class()}


def box_of(shares: np.ndarray, half: int) -> list[float]:
    """Return the pixels of a box that is given as shares of a half."""
    left, top, right, bottom = (float(share) for share in shares)
    return [8 * (half + left), 16 * top, 8 * (half + right), 16 * bottom]
