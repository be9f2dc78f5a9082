"""Segmentation: what each pixel of a picture shows, out of any number of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from core.answers.kind import Answers
from core.answers.masks import Masks
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import UserError
from core.inputs import Input, Picture
from core.task.contract import Ability, Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.vision.masks.segmenter import Segmenter
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.portable import Portable

VALIDATION_CROPS = 64
LARGEST_TILE = 512  # pixels along each side of what the net is given at once, in use
UNLABELLED = 255


class SegmentationEncoder(Encoder):
    """What is known of pictures before any weight: their classes, channels, and what the net is given."""

    names: list[str] = Field(description="of the classes, in their order")
    values: list[int | str] = Field(description="of their pixels in mask files")
    mean: list[float] = Field(description="of each channel over the training part, 0 to 255")
    deviation: list[float] = Field(description="standard deviation of each channel, likewise")
    tile: int = Field(description="height and width of what the net is given at once, in use, pixels")


class Segmentation(Task):
    """Says of each pixel of a picture which class it belongs to.

    It learns from random crops by a U-Net. Pictures of any size are answered: what is larger than a tile is
    cut into overlapping ones without seams.

    Example:

    ```
    quartet train vision/segmentation data=cells task.flip=both task.elastic=6
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = SegmentationEncoder
    content: ClassVar[tuple[str, ...]] = ("image",)
    sample_licence: ClassVar[str | None] = "CC BY-SA 3.0 (MNIST, LeCun and Cortes)"
    takes: ClassVar[Mapping[str, Input]] = {"image": Picture()}
    gives: ClassVar[type[Answers] | None] = Masks
    figures: ClassVar[Mapping[str, Direction]] = Masks.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})

    classes: dict[str, int | str] = Field(
        {}, description="names of classes to their values in masks; by default each value is a class"
    )
    background: str | None = Field(None, description="the class that figures leave out, if any")
    unlabelled: int | None = Field(
        None, ge=0, le=65535, description="value in masks of pixels that nobody has judged, such as 255"
    )
    tolerance: int = Field(2, ge=0, le=20, description="pixels that an edge may be off and count as found")
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; by default as the pictures are"
    )
    width: int = Field(16, ge=1, le=256, description="channels of the net's first level")
    depth: int = Field(3, ge=1, le=5, description="how often the net halves the resolution")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of maps dropped at the lowest level")
    crop: int = Field(128, ge=16, le=1024, description="height and width of what is learnt from, pixels")
    crops: int = Field(800, ge=1, description="random crops that make an epoch")
    flip: Literal["none", "horizontal", "both"] = Field(
        "none", description="training: mirror half of the crops left to right, or upside down too"
    )
    turn: float = Field(0.0, ge=0, le=180, description="training: largest turn, degrees")
    zoom: float = Field(0.0, ge=0, le=1, description="training: largest share of growing or shrinking")
    elastic: float = Field(0.0, ge=0, le=50, description="training: how far crops are bent, pixels")
    light: float = Field(0.0, ge=0, le=1, description="training: largest change of contrast and brightness")
    overlap: float = Field(
        0.5,
        ge=0,
        le=1,
        description="weight of the overlap of classes in the loss; the rest is cross-entropy's",
    )
    missed: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="of the overlap: weight of missed pixels, above 0.5 finds more of a class",
    )
    gamma: float = Field(0.0, ge=0, le=5, description="of a focal cross-entropy: 2 looks at hard pixels most")

    @model_validator(mode="after")
    def _sides_can_be_halved(self) -> Segmentation:
        if self.crop % 2**self.depth:
            raise ValueError(
                f"crop must be a multiple of {2**self.depth}, by which depth={self.depth} divides it"
            )
        if len(set(self.classes.values())) < len(self.classes):
            raise ValueError("classes must have a value each")
        return self

    def load(self) -> Splits:
        """Return pictures with their masks in their parts."""
        from apps.vision.masks.reading import read_folders
        from apps.vision.masks.sample import digit_scenes
        from core.data.samples import digits
        from core.data.tables import existing

        if self.data == "sample":
            examples = digits()
            return self.divided(digit_scenes(examples["image"], examples["label"]))
        parts, notes = read_folders(
            existing(self.data),
            channels=self.channels,
            names=self.classes,
            unlabelled=self.unlabelled,
            skip_bad=self.skip_bad,
        )
        return self.divided(parts, notes)

    def encode(self, train: Examples) -> SegmentationEncoder:
        """Return the classes, the statistics of training pictures, and the size of tiles that fits them."""
        from apps.vision.any_size.reading import channels_of
        from apps.vision.masks.reading import classes_of

        classes = classes_of(train)
        if self.background is not None and self.background not in [each.name for each in classes]:
            raise UserError(
                f"background must be a class of {train.source}: {', '.join(each.name for each in classes)}. "
                f"Received: {self.background}."
            )
        pixels = train.ragged("image").values.reshape(-1, channels_of(train))
        sums = np.zeros((2, pixels.shape[1]))
        for start in range(0, len(pixels), 1 << 22):
            block = pixels[start : start + (1 << 22)].astype(np.float64)
            sums += block.sum(axis=0), (block**2).sum(axis=0)
        mean, square = sums / len(pixels)
        return SegmentationEncoder(
            names=[each.name for each in classes],
            values=[each.value for each in classes],
            mean=mean.tolist(),
            deviation=np.sqrt(np.maximum(square - mean**2, 0)).tolist(),
            tile=self._tile(int(max(train["height"].max(), train["width"].max()))),
        )

    def _tile(self, longest: int) -> int:
        from apps.vision.masks.unet import seen

        stride = 2**self.depth
        least = 3 * seen(self.depth)  # of which a third is kept where a picture is larger
        return max(
            min(-(-longest // stride) * stride, LARGEST_TILE), least if longest > LARGEST_TILE else stride
        )

    def inputs(self, encoder: SegmentationEncoder) -> dict[str, Input]:
        """Return pictures of any size."""
        return {"image": Picture(None, len(encoder.mean))}

    def count(self, examples: Examples, encoder: SegmentationEncoder) -> int:
        """Return how many crops an epoch has."""
        return self.crops

    def batches(self, examples: Examples, encoder: SegmentationEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of crops: random and bent ones to train on, else the same ones each time."""
        import tensorflow as tf

        from apps.vision.masks.crops import Bending, Crops

        bending = Bending(self.flip, self.turn, self.zoom, self.elastic, self.light)
        crops = Crops(examples, self._masks(examples, encoder), self.crop, bending if feed.training else None)
        if not feed.training:
            return feed.batches(*crops.cut(VALIDATION_CROPS, [self.split_seed]))
        shape = (None, self.crop, self.crop)

        def cut(rows: tf.Tensor, _: Any, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            pictures, masks = tf.numpy_function(
                lambda count, seed: crops.cut(int(count), seed.astype(np.uint32)),
                [tf.size(rows), seed],
                [tf.uint8, tf.uint8],
                stateful=False,
            )
            return tf.ensure_shape(pictures, (*shape, len(encoder.mean))), tf.ensure_shape(masks, shape)

        return feed.batches(np.arange(self.crops), transform=cut)

    def _masks(self, examples: Examples, encoder: SegmentationEncoder) -> list[np.ndarray]:
        """Return masks of places among the classes that were learnt."""
        from apps.vision.any_size.reading import picture_at
        from apps.vision.masks.reading import classes_of

        own = [each.name for each in classes_of(examples)]
        strange = [name for name in own if name not in encoder.names]
        if strange:
            raise UserError(
                f"The model knows the classes {', '.join(encoder.names[:12])}. "
                f"Received: {examples.source}, with {', '.join(strange[:12])}."
            )
        places = np.full(256, UNLABELLED, np.uint8)
        places[: len(own)] = [encoder.names.index(name) for name in own]
        same = own == encoder.names
        masks = (picture_at(examples, row, "mask")[..., 0] for row in range(len(examples)))
        return [mask if same else places[mask] for mask in masks]

    def build(self, encoder: SegmentationEncoder) -> keras.Model:
        """Return the model from raw pictures to the logits of each pixel."""
        import keras
        from keras import layers

        from apps.vision.masks.unet import unet

        pictures = keras.Input((None, None, len(encoder.mean)), dtype="uint8", name="image")
        scale = 1 / np.maximum(encoder.deviation, 1.0)
        x = layers.Rescaling(scale.tolist(), (-scale * encoder.mean).tolist())(pictures)
        logits = unet(x, len(encoder.names), self.width, self.depth, self.dropout)
        return keras.Model(pictures, logits, name="segmentation")

    def loss(self, encoder: SegmentationEncoder) -> keras.losses.Loss:
        """Return the overlap of classes and the cross-entropy of pixels, weighed as the settings say."""
        from core.losses import DiceCrossentropy

        return DiceCrossentropy(
            self.overlap, 1 - self.missed, self.missed, self.gamma, ignore_class=UNLABELLED
        )

    def segmenter(self, model: keras.Model, encoder: SegmentationEncoder) -> Segmenter:
        """Return what answers pictures of any size by a model."""
        from apps.vision.masks.segmenter import Segmenter

        def net(tiles: np.ndarray) -> np.ndarray:
            return np.asarray(model.predict_on_batch(tiles), np.float32)

        return Segmenter(net, **self._tiling(encoder))

    def _tiling(self, encoder: SegmentationEncoder) -> dict[str, Any]:
        from apps.vision.masks.unet import seen

        return {
            "tile": encoder.tile,
            "margin": min(seen(self.depth), encoder.tile // 3 // 2**self.depth * 2**self.depth),
            "names": encoder.names,
            "values": encoder.values,
        }

    def evaluate(
        self, model: keras.Model, encoder: SegmentationEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return overlaps and edges, counted over all pictures, and those of each class."""
        return self._judged(self.segmenter(model, encoder).places, encoder, examples, write, pictures=True)

    def _judged(
        self,
        places: Callable[[np.ndarray], np.ndarray],
        encoder: SegmentationEncoder,
        examples: Examples,
        write: Write | None = None,
        *,
        pictures: bool = False,
    ) -> Figures:
        from apps.vision.any_size.reading import picture_at
        from core.answers.masks import agreement

        def rows() -> Iterator[dict[str, Any]]:
            for row, true in enumerate(self._masks(examples, encoder)):
                predicted = places(picture_at(examples, row))
                likeness = agreement(
                    predicted,
                    true,
                    encoder.names,
                    background=self.background,
                    tolerance=self.tolerance,
                )
                shown = {"predicted": predicted, "true": true} if pictures else {}
                if write is not None:
                    write({"row": row, **shown, **likeness})
                yield likeness

        answers = Masks.from_rows(rows())
        return {**answers.statistics(np.arange(len(answers))), "per_class": answers.per_class()}

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: SegmentationEncoder
    ) -> dict[str, Any]:
        """Return the picture that a mask is of, and its name."""
        from apps.vision.any_size.reading import picture_at

        if examples is None or "row" not in answer:
            return {}
        row = answer["row"]
        return {"image": picture_at(examples, row), "picture": Path(str(examples["path"][row])).name}

    def slices(self, splits: Splits, encoder: SegmentationEncoder) -> dict[str, np.ndarray]:
        """Return how many pixels pictures have, how light they are, and how many classes they show."""
        test = splits.test
        rows = range(len(test))
        return {
            "pixels": test["height"] * test["width"],
            "brightness": np.array([test.ragged("image")[row].mean() for row in rows]),
            "classes": np.array([len(np.unique(test.ragged("mask")[row])) for row in rows]),
        }

    def predict(
        self, model: keras.Model, encoder: SegmentationEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the mask of each picture file, or array of uint8, and the share of each class."""
        from apps.vision.any_size.reading import decoded_file

        segmenter, channels = self.segmenter(model, encoder), len(encoder.mean)
        pictures = (
            value if isinstance(value, np.ndarray) else decoded_file(value, channels) for value in inputs
        )
        return [segmenter.answer(picture) for picture in pictures]

    def portable(self, model: keras.Model, encoder: SegmentationEncoder) -> Portable:
        """Return the graph from tiles to the logits of their pixels."""
        import tensorflow as tf

        from apps.vision.any_size.reading import picture_at
        from core.task.portable import Portable, TensorGraph

        segmenter, channels = self.segmenter(model, encoder), len(encoder.mean)
        tiles = tf.TensorSpec([None, encoder.tile, encoder.tile, channels], tf.uint8, name="image")
        return Portable(
            graph=TensorGraph(
                lambda image: model(image, training=False),
                (tiles,),
                "logits",
                tuple(variable.value for variable in model.variables),
                ("pillow",),
            ),
            loader="apps.vision.masks.loader",
            settings={**self._tiling(encoder), "channels": channels},
            raw=lambda examples: [picture_at(examples, row) for row in range(len(examples))],
            score=lambda inputs: [segmenter.logits(picture) for picture in inputs],
            figures=lambda score, examples: self._judged(
                lambda picture: score([picture])[0].argmax(axis=-1).astype(np.uint8), encoder, examples
            ),
        )

    def baseline(
        self, encoder: SegmentationEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of Otsu's threshold, and of a random forest on filters of each pixel."""
        from apps.vision.masks.rivals import forest, otsu

        masks, figures = self._masks(splits.train, encoder), {}
        for name, rival in {"Otsu": otsu, "random forest on filters": forest}.items():
            places = rival(splits.train, masks, len(encoder.names))
            judged = self._judged(places, encoder, splits.test, written_by(name, write))
            figures[name] = {figure: judged[figure] for figure in Masks.figures}
        return figures
