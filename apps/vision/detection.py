"""Detection: where in a picture objects are, and of which class each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.vision.boxes.answers import LEAST_SCORE, OVERLAP, STRIDES, answer_of, candidates_of
from apps.vision.boxes.augmentation import Changes
from apps.vision.boxes.encoder import DetectionEncoder
from apps.vision.boxes.feeding import batches_of, objects_in, picture_of, pictures_for, size_of
from apps.vision.boxes.letterbox import Letterbox, letterboxed
from apps.vision.boxes.reading import labels_in
from core.answers.boxes import Boxes
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import UserError
from core.inputs import Input, Picture
from core.task.contract import Ability, Encoder, Options, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.explanation import Explanation
    from core.task.portable import Portable

EVALUATION_BATCH = 16
CLASS_WEIGHT = 1.0  # twice what is usual: classes are learnt from nothing here, and boxes come easily


class DetectionOptions(Options):
    """Which of the boxes that a detector sees are answered."""

    confidence: float = Field(0.25, ge=LEAST_SCORE, le=1, description="of each box, at least")
    overlap: float = Field(
        OVERLAP, ge=0, le=1, description="of a box with a surer one of its class, above which it is left out"
    )
    soft: bool = Field(False, description="lower the confidence of such boxes instead of leaving them out")


class Detection(Task):
    """Finds the objects of a picture: a box, a class, and how sure it is, for each.

    The model takes raw uint8 pictures in one shape, into which those of any size are fitted with their sides
    in proportion; boxes are answered in the pixels of the picture itself.

    Example:

    ```
    quartet train vision/detection data=cells size=320 flip=true
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = DetectionEncoder
    content: ClassVar[tuple[str, ...]] = ("image",)
    sample_licence: ClassVar[str | None] = "CC BY-SA 3.0 (MNIST, LeCun and Cortes)"
    takes: ClassVar[Mapping[str, Input]] = {"image": Picture()}
    gives: ClassVar[type[Answers] | None] = Boxes
    figures: ClassVar[Mapping[str, Direction]] = Boxes.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export"})
    options: ClassVar[type[Options]] = DetectionOptions

    size: int | None = Field(
        None,
        ge=32,
        le=2048,
        description="longer side of what the net sees, pixels; by default that of the largest picture, 320 "
        "at most",
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; by default as picture files are"
    )
    net: Literal["yolo", "faster_rcnn"] = Field(
        "yolo", description="one stage without anchors, or proposals and a second stage that looks at each"
    )
    proposals: int = Field(
        64, ge=1, le=300, description="faster_rcnn: boxes of a picture that the second stage looks at"
    )
    width: int = Field(
        16, ge=4, le=256, multiple_of=2, description="channels of the net at half of the resolution"
    )
    depth: int = Field(1, ge=1, le=8, description="residual blocks in each stage")
    mosaic: float = Field(0.5, ge=0, le=1, description="training: share of pictures put together of four")
    mixup: float = Field(0.0, ge=0, le=1, description="training: share that another is blended into")
    scale: float = Field(
        0.4, ge=0, lt=1, description="training: largest change of size; 0.5 is half to one and a half times"
    )
    shift: float = Field(
        0.1, ge=0, lt=1, description="training: largest move beyond the border, as a share of the sides"
    )
    flip: bool = Field(False, description="training: mirror half of the pictures left to right")
    flip_vertical: bool = Field(False, description="training: mirror half of the pictures upside down")
    colour: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="training: largest change of lightness, contrast, saturation and hue, as a share",
    )

    def load(self) -> Splits:
        """Return the pictures in their parts, all in one shape."""
        from core.data.sources import PREFIX
        from core.data.tables import existing

        if self.data == "sample":
            return self._sample()
        if self.data.startswith(PREFIX):
            raise UserError(
                "Boxes are read from files: give a folder of VOC, a JSON of COCO, a data.yaml of YOLO, or a "
                f"CSV. Received: {self.data}."
            )
        from apps.vision.boxes.reading import read_boxes

        parts, notes = read_boxes(
            existing(self.data), longest=self.size, channels=self.channels, skip_bad=self.skip_bad
        )
        return self.divided(parts, notes)

    def _sample(self) -> Splits:
        from dataclasses import replace

        from apps.vision.boxes.digit_scenes import digit_scenes
        from core.data.samples import digits

        known = digits()
        splits = self.divided(digit_scenes(known["image"], known["label"], self.split_seed))
        division = splits.protocol.rpartition("; ")[2]
        return replace(splits, protocol=f"scenes of digits that no other part shows; {division}")

    def encode(self, train: Examples) -> DetectionEncoder:
        """Return the classes, and the shape of the cached pictures."""
        labels = sorted({label for labels in labels_in(train) for label in labels})
        if not labels:
            raise UserError(
                f"The training part of {train.source} has no boxes at all. "
                f"Received: {len(train)} pictures without any."
            )
        return DetectionEncoder(labels=labels, shape=train["image"].shape[1:])

    def batches(self, examples: Examples, encoder: DetectionEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of pictures, and of classes and boxes padded with rows of class -1."""
        names = {"mosaic", "mixup", "scale", "shift", "flip", "flip_vertical", "colour"}
        return batches_of(examples, encoder, feed, Changes(**self.model_dump(include=names)))

    def build(self, encoder: DetectionEncoder) -> keras.Model:
        """Return the model from raw pictures to what every place or proposal says."""
        import keras

        pictures = keras.Input(encoder.shape, dtype="uint8", name="image")
        x = keras.layers.Rescaling(1 / 127.5, -1.0)(pictures)
        if self.net == "faster_rcnn":
            from apps.vision.boxes.faster_rcnn import faster_rcnn

            return faster_rcnn(pictures, x, len(encoder.labels), self.width, self.depth, self.proposals)
        from apps.vision.boxes.yolo import yolo

        places = yolo(x, len(encoder.labels), self.width, self.depth)
        return keras.Model(pictures, places, name="detection")

    def loss(self, encoder: DetectionEncoder) -> keras.losses.Loss | None:
        """Return the loss of places that are given to objects as they predict them."""
        if self.net == "faster_rcnn":
            return None
        from core.losses import TaskAlignedDetection

        return TaskAlignedDetection(encoder.shape[:2], STRIDES, class_weight=CLASS_WEIGHT)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the model says, by name."""
        return ("boxes", "classes") if self.net == "faster_rcnn" else ("places",)

    def outputs(
        self, model: keras.Model, pictures: np.ndarray, encoder: DetectionEncoder
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield what the model says of blocks of pictures, by the names of its outputs."""
        for start in range(0, len(pictures), EVALUATION_BATCH):
            block = np.asarray(pictures[start : start + EVALUATION_BATCH])
            outputs = model.predict_on_batch(block)
            named = outputs if isinstance(outputs, dict) else {"places": outputs}
            yield {name: np.asarray(named[name]) for name in self.output_names}

    def evaluate(
        self, model: keras.Model, encoder: DetectionEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the average precisions over all pictures, and the table of classes."""
        pictures = pictures_for(examples, encoder)
        return self.figures_of(self.outputs(model, pictures, encoder), encoder, examples, write)

    def figures_of(
        self,
        outputs: Iterator[Mapping[str, np.ndarray]],
        encoder: DetectionEncoder,
        examples: Examples,
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of `evaluate`, from what a model or an export says of blocks of pictures."""
        asked = {"confidence": LEAST_SCORE, "overlap": OVERLAP}
        shape = encoder.shape[:2]
        candidates = (each for block in outputs for each in candidates_of(block, shape))
        predicted = []
        for row, each in enumerate(candidates):
            fitted = Letterbox.of(size_of(examples, row), shape)
            predicted.append(answer_of(each, encoder.labels, fitted, **asked)["boxes"])
        return figures_from(examples, predicted, write)

    def predict(
        self, model: keras.Model, encoder: DetectionEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the boxes of each picture, the surest first, in its own pixels, and its size."""
        asked = (options or DetectionOptions()).model_dump()
        shape, answers = encoder.shape[:2], []
        for start in range(0, len(inputs), EVALUATION_BATCH):
            fits, fitted = [], []
            for value in inputs[start : start + EVALUATION_BATCH]:
                picture = picture_of(value, encoder)
                fits.append(letterboxed(picture, shape))
                fitted.append(Letterbox.of(picture.shape[:2], shape))
            (outputs,) = self.outputs(model, np.stack(fits), encoder)
            answers += [
                answer_of(each, encoder.labels, own, **asked)
                for each, own in zip(candidates_of(outputs, shape), fitted, strict=True)
            ]
        return answers

    def inputs(self, encoder: DetectionEncoder) -> dict[str, Input]:
        """Return pictures of any size, in as many channels as the model takes."""
        return {"image": Picture(None, encoder.shape[2])}

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the picture without what was put around it."""
        if examples is None or "row" not in answer:
            return {}
        picture = examples["image"][answer["row"]]
        fitted = Letterbox.of(size_of(examples, answer["row"]), picture.shape[:2])
        height, width = fitted.inner
        return {
            "picture": picture[fitted.top : fitted.top + height, fitted.left : fitted.left + width],
            **({"path": examples["path"][answer["row"]]} if "path" in examples else {}),
        }

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell pictures apart by: how many objects and classes they have."""
        labels = labels_in(splits.test)
        return {
            "objects": np.array([len(each) for each in labels]),
            "classes": np.array([len(set(each)) for each in labels]),
        }

    def explain(
        self, model: keras.Model, encoder: DetectionEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return what the cells of a picture add to how sure its surest box is."""
        from apps.vision.boxes.explanation import explained_box

        answer = self.predict(model, encoder, [value])[0]

        def outputs_of(pictures: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
            return self.outputs(model, pictures, encoder)

        return explained_box(model, outputs_of, encoder, picture_of(value, encoder), answer, method)

    def portable(self, model: keras.Model, encoder: DetectionEncoder) -> Portable:
        """Return the graph from raw pictures to what places say; boxes are made of it in NumPy."""
        from apps.vision.boxes.export import portable_detector

        return portable_detector(
            model,
            encoder,
            self.output_names,
            pictures=lambda examples: pictures_for(examples, encoder),
            outputs=lambda pictures: self.outputs(model, pictures, encoder),
            figures=lambda outputs, examples: self.figures_of(outputs, encoder, examples),
        )

    def baseline(
        self, encoder: DetectionEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of thresholds and a watershed, whose regions a forest names."""
        from apps.vision.boxes.watershed import Watershed

        name, train, test = "thresholds + watershed + forest", splits.train, splits.test
        rival = Watershed(pictures_for(train, encoder), objects_in(train, encoder), len(encoder.labels))
        predicted = list(rival.answers(pictures_for(test, encoder), test["size"], encoder.labels))
        figures = figures_from(test, predicted, written_by(name, write))
        return {name: {figure: figures[figure] for figure in self.figures}}


def figures_from(
    examples: Examples, predicted: Sequence[Sequence[Mapping[str, Any]]], write: Write | None = None
) -> Figures:
    """Return the figures of predicted boxes beside the true ones, and write a row for each picture."""
    boxes, rows = examples.ragged("boxes"), []
    for row, (labels, answer) in enumerate(zip(labels_in(examples), predicted, strict=True)):
        true = [
            {"label": label, "box": [float(side) for side in box]}
            for label, box in zip(labels, boxes[row], strict=True)
        ]
        rows.append({"row": row, "size": list(size_of(examples, row)), "true": true, "predicted": answer})
        if write:
            write(rows[-1])
    answers = Boxes.from_rows(rows)
    return {**answers.statistics(np.arange(len(rows))), "per_class": answers.per_class()}
