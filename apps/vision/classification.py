"""Picture classification: what a picture shows, out of any number of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from core.answers.classes.figures import figures_of
from core.answers.rows import Figures, Write, written_by
from core.data.larger_than_memory import blocks_of
from core.data.picture_levels import Levels
from core.errors import UserError
from core.inputs import Input, Picture
from core.task.classification import Classification, LabelEncoder, labels_of
from core.task.contract import Ability, Encoder
from core.task.tables import FromTables

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    from matplotlib.figure import Figure

    from core.data.examples import Examples, Splits
    from core.task.explanation import Anatomy, Part
    from core.task.portable import Portable

RIVAL_EXAMPLES = 60_000  # that the rival learns from at most, which holds their features in memory
CELLS = 7  # along each side of a picture that is explained


class PictureEncoder(LabelEncoder):
    """What is known of pictures before any weight: their classes, shape, and the statistics of channels."""

    shape: tuple[int, int, int] = Field(description="height, width and channels of every picture")
    mean: list[float] = Field(description="of each channel over the training part, 0 to 255")
    deviation: list[float] = Field(description="standard deviation of each channel, likewise")
    levels: Levels | None = Field(
        None, description="values of pictures of more than 8 bits that are black and white"
    )


class PictureClassification(FromTables, Classification):
    """Names what a picture shows, out of the classes it was trained on.

    The model takes raw uint8 pictures; scaling lies inside it. Picture files of any size and colour mode are
    brought to the shape it was trained on.

    Example:

    ```
    quartet train vision/classification data=pictures size=32 flip=true
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = PictureEncoder
    content: ClassVar[tuple[str, ...]] = ("image",)
    sample_licence: ClassVar[str | None] = "CC BY-SA 3.0 (MNIST, LeCun and Cortes)"
    takes: ClassVar[Mapping[str, Input]] = {"image": Picture()}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export", "calibrate"})

    file_column: str = Field(
        "file", description="of a table of pictures: their paths from its folder, or their bytes in Parquet"
    )
    label_column: str = Field("label", description="of a table of pictures: their classes")
    size: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="height and width of pictures; by default their own, if all are alike",
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; by default as picture files are"
    )
    levels: tuple[float, float] | None = Field(
        None,
        description="values of pictures of more than 8 bits that become black and white; by default learnt "
        "from the training part",
    )
    net: Literal["alexnet", "vgg", "resnet", "backbone"] = Field(
        "resnet", description="what reads the picture; a backbone comes from KerasHub by its preset"
    )
    width: int = Field(32, ge=1, le=512, description="channels of the net's first stage")
    depth: int = Field(1, ge=1, le=32, description="blocks or convolutions in a stage")
    stride: int = Field(
        1,
        ge=1,
        le=4,
        description="of the first convolution; 2 makes a net three times as fast, and less sharp",
    )
    preset: str | None = Field(
        None, description="of the backbone: a KerasHub name such as resnet_18_imagenet, or a preset folder"
    )
    frozen: bool = Field(False, description="keep the backbone's weights and train the last layer alone")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of units dropped before the last layer")
    flip: bool = Field(False, description="training: mirror half of the pictures left to right")
    shift: int = Field(2, ge=0, le=100, description="training: largest move along each axis, pixels")
    rotation: float = Field(0.0, ge=0, le=180, description="training: largest turn, degrees")
    erasing: float = Field(0.0, ge=0, le=1, description="training: share of pictures with a rectangle erased")
    mix: Literal["none", "mixup", "cutmix"] = Field(
        "none", description="training: blend pairs of pictures, or paste a part of one into the other"
    )
    mix_alpha: float = Field(0.2, gt=0, le=10, description="of the beta distribution; larger mixes more")

    @model_validator(mode="after")
    def _backbone_has_a_preset(self) -> PictureClassification:
        if (self.net == "backbone") != (self.preset is not None):
            raise ValueError("net=backbone and preset=NAME_OR_FOLDER belong together")
        return self

    @model_validator(mode="after")
    def _black_is_below_white(self) -> PictureClassification:
        if self.levels is not None and not self.levels[0] < self.levels[1]:
            raise ValueError("levels=[BLACK,WHITE] are two numbers, the lower one first")
        return self

    def load(self) -> Splits:
        """Return the pictures in their parts."""
        from core.data.images import read_images
        from core.data.picture_tables import PictureColumns
        from core.data.samples import digits
        from core.data.sources import PREFIX, read_tfds
        from core.data.tables import existing

        if self.data == "sample":
            return self.divided({"train": digits()})
        if self.data.startswith(PREFIX):
            parts = read_tfds(self.data, {"image": ("image",), "label": ("label",)})
            _require_bytes(parts["train"])
            return self.divided(parts)
        size = None if self.size is None else (self.size, self.size)
        parts, notes = read_images(
            existing(self.data),
            size=size,
            channels=self.channels,
            levels=None if self.levels is None else Levels(*self.levels),
            skip_bad=self.skip_bad,
            columns=PictureColumns(self.file_column, self.label_column, self.form),
        )
        return self.divided(parts, notes)

    def encode(self, train: Examples) -> PictureEncoder:
        """Return the classes, and the shape and the statistics of the training pictures."""
        from core.data.images import levels_of

        mean, deviation = statistics(train["image"])
        return PictureEncoder(
            labels=labels_of(train),
            shape=train["image"].shape[1:],
            mean=mean.tolist(),
            deviation=deviation.tolist(),
            levels=levels_of(train),
        )

    def read(self, inputs: list[Any]) -> Examples:
        """Return the paths of picture files, or pictures that are decoded already, as examples."""
        from core.data.examples import Examples

        if all(isinstance(picture, np.ndarray) for picture in inputs):
            return Examples({"image": np.stack(inputs)}, "the inputs")
        return Examples({"path": [str(path) for path in inputs]}, "the inputs")

    def inputs(self, encoder: PictureEncoder) -> dict[str, Input]:
        """Return pictures of the shape that the model takes."""
        height, width, channels = encoder.shape
        return {"image": Picture((height, width), channels, encoder.levels)}

    def features(self, examples: Examples, encoder: PictureEncoder) -> np.ndarray:
        """Return the pictures, in the shape that the model takes."""
        from core.data.images import decoded, levels_of

        height, width, channels = encoder.shape
        # Files of other data were read at the levels of their own training part, or at none.
        as_trained = "path" not in examples or levels_of(examples) == encoder.levels
        if as_trained and "image" in examples and examples["image"].shape[1:] == encoder.shape:
            return examples["image"]
        if "path" in examples:
            files = [Path(path) for path in examples["path"]]
            return decoded(files, size=(height, width), channels=channels, levels=encoder.levels)[0]
        raise UserError(
            f"The model takes pictures of shape {encoder.shape}, and {examples.source} has others. "
            f"Received: shape {examples['image'].shape[1:]}."
        )

    def slices(self, splits: Splits, encoder: PictureEncoder) -> dict[str, np.ndarray]:
        """Return what reports tell pictures apart by; their levels are those of all."""
        columns = super().slices(splits, encoder)
        return {name: column for name, column in columns.items() if name != "levels"}

    def augment(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return pictures moved, erased in part and mixed, as the settings say; uint8 as before."""
        import tensorflow as tf

        from apps.vision import augmentation

        seeds = tf.random.split(seed, 3)
        x = tf.cast(x, tf.float32)
        if self.flip or self.shift or self.rotation:
            x = augmentation.moved(x, seeds[0], flip=self.flip, shift=self.shift, rotation=self.rotation)
        if self.erasing:
            x = augmentation.erased(x, seeds[1], self.erasing)
        if self.mix != "none":
            x, y = getattr(augmentation, self.mix)(x, y, seeds[2], self.mix_alpha)
        return tf.saturate_cast(tf.round(x), tf.uint8), y

    def build(self, encoder: PictureEncoder) -> keras.Model:
        """Return the model from raw pictures to logits."""
        import keras
        from keras import layers

        from apps.vision.backbone import pooled
        from apps.vision.nets import NETS

        x = pictures = keras.Input(encoder.shape, dtype="uint8", name="image")
        if self.size and encoder.shape[:2] != (self.size, self.size):
            x = layers.Resizing(self.size, self.size)(x)
        scale = 1 / np.maximum(encoder.deviation, 1.0)
        normalised = layers.Rescaling(scale.tolist(), (-scale * encoder.mean).tolist())
        if self.preset is not None:
            x = pooled(x, normalised, self.preset, frozen=self.frozen)
        else:
            x = NETS[self.net](normalised(x), self.width, self.depth, self.stride)
        x = layers.Dropout(self.dropout)(x)
        logits = layers.Dense(len(encoder.labels), dtype="float32", name="logits")(x)
        return keras.Model(pictures, logits, name="classification")

    def anatomy(self, model: keras.Model, encoder: PictureEncoder, value: Any) -> Anatomy:
        """Return the cells of a grid over the picture, by its normalised pixels."""
        import keras

        from core.task.explanation import Anatomy, grid

        layer = next((each for each in model.layers if isinstance(each, keras.layers.Rescaling)), None)
        outer = [each for each in model.layers if not isinstance(each, keras.Model)]
        shapes = {each.name: getattr(each.output, "shape", ()) for each in outer}
        # The last maps that still tell where something is.
        deep = [name for name, shape in shapes.items() if len(shape) == 4 and min(shape[1:3]) >= CELLS]
        picture = self.features(self.read([value]), encoder)[0]

        def parts(pixels: np.ndarray) -> tuple[list[str], np.ndarray]:
            across = min(CELLS, *pixels.shape[:2])
            cells = grid(pixels.shape[:2], (across, across))
            masks = np.zeros((len(cells), *pixels.shape), bool)
            for mask, cell in zip(masks, cells, strict=True):
                mask[cell] = True
            return [f"rows {r.start}-{r.stop - 1}, columns {c.start}-{c.stop - 1}" for r, c in cells], masks

        def draw(figure: Figure, pixels: np.ndarray, adds: np.ndarray, cells: Sequence[Part]) -> None:
            figure.set_size_inches(7, 3.6)
            left, right = figure.subplots(1, 2)
            shown = picture[..., 0] if picture.shape[-1] == 1 else picture
            left.imshow(shown, cmap="gray")
            left.set_title("what it saw")
            heat = adds.sum(axis=-1)
            most = np.abs(heat).max() or 1.0
            drawn = right.imshow(heat, cmap="PuOr_r", vmin=-most, vmax=most)
            right.set_title("what each pixel adds")
            figure.colorbar(drawn, ax=right, shrink=0.75, label="log-odds of the label")
            for panel in (left, right):
                panel.set_axis_off()

        return Anatomy(layer.name if layer else None, parts, draw, maps=deep[-1] if deep else None)

    def portable(self, model: keras.Model, encoder: PictureEncoder) -> Portable:
        """Return the graph from raw pictures to probabilities."""
        import tensorflow as tf

        from core.exporting.classification import portable_classification

        return portable_classification(
            self,
            model,
            encoder,
            signature=[tf.TensorSpec([None, *encoder.shape], tf.uint8, name="image")],
            loader="apps.vision.loader",
            settings={"shape": encoder.shape, "levels": encoder.levels},
            requires=("pillow",),
        )

    def baseline(
        self, encoder: PictureEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a linear support vector machine on histograms of oriented gradients."""
        from sklearn.linear_model import SGDClassifier

        from apps.vision.hog import oriented_gradients

        name, train = "HOG + linear SVM", splits.train
        if len(train) > RIVAL_EXAMPLES:
            chosen = np.random.default_rng(0).choice(len(train), RIVAL_EXAMPLES, replace=False)
            name, train = f"{name} on {RIVAL_EXAMPLES:,} examples", train.take(np.sort(chosen))
        rival = SGDClassifier(loss="hinge", alpha=1e-5, max_iter=10, tol=None, average=True, random_state=0)
        rival.fit(
            oriented_gradients(self.features(train, encoder)), encoder.ids(train["label"], train.source)
        )
        pictures = self.features(splits.test, encoder)
        answers = [rival.predict(oriented_gradients(pictures[block])) for block in blocks_of(pictures)]
        # Its scores are no probabilities: what is judged is only which class it names.
        named = np.eye(len(encoder.labels))[np.concatenate(answers)]
        targets = encoder.ids(splits.test["label"], splits.test.source)
        figures = figures_of(targets, named, encoder.labels, written_by(name, write))
        return {name: {figure: figures[figure] for figure in ("accuracy", "macro_f1")}}


def _require_bytes(pictures: Examples) -> None:
    if pictures["image"].dtype != np.uint8:
        raise UserError(
            "Pictures of a data set of tensorflow-datasets have 8 bits; give others as a folder of files. "
            f"Received: {pictures['image'].dtype} of {pictures.source}."
        )


def statistics(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the standard deviation of each channel, counted exactly and in bounded memory.

    Args:
        pictures: uint8, shape `(num_examples, height, width, channels)`; may be a memory map.

    Returns:
        Two float64 arrays of shape `(channels,)`.

    Example:

    >>> mean, deviation = statistics(np.array([[[[0, 7]]], [[[10, 7]]]], np.uint8))
    >>> mean.tolist(), deviation.tolist()
    ([5.0, 7.0], [5.0, 0.0])
    """
    channels = pictures.shape[-1]
    counts = np.zeros((channels, 256), np.int64)
    for block in blocks_of(pictures):
        for channel in range(channels):
            counts[channel] += np.bincount(pictures[block, ..., channel].ravel(), minlength=256)
    shares, levels = counts / counts.sum(axis=1, keepdims=True), np.arange(256.0)
    mean = shares @ levels
    variance = np.sum(shares * (levels - mean[:, None]) ** 2, axis=1)
    return mean, np.sqrt(variance)
