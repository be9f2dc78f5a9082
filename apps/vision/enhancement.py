"""Enhancement: more pixels for a picture, or less noise, learnt from sharp pictures of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from core.answers.kind import Answers
from core.answers.pictures import Pictures
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import UserError
from core.inputs import Input, Picture
from core.task.contract import Ability, Encoder, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.vision.restoring.degradation import Degradation
    from apps.vision.restoring.restorer import Restorer
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.task.portable import Portable

WINDOW = 11  # of structural similarity
TILE = 128  # pixels along each side of what the net is given at once, in use
VALIDATION_PATCHES = 256
TUNING_PICTURES = 4  # on which rivals are tuned


class EnhancementEncoder(Encoder):
    """What is known of pictures before any weight."""

    channels: int = Field(description="1 for grey pictures, 3 for colour")


class Enhancement(Task):
    """Makes pictures larger and sharper, or takes noise or the marks of compression out of them.

    It learns from any folder of sharp pictures, which it makes worse itself. Figures are measured on luma,
    as those of the literature are.

    Example:

    ```
    quartet train vision/enhancement data=photos task.scale=3
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = EnhancementEncoder
    content: ClassVar[tuple[str, ...]] = ("image",)
    sample_licence: ClassVar[str | None] = "public domain, CC0 and CC BY (photographs of scikit-image)"
    takes: ClassVar[Mapping[str, Input]] = {"image": Picture()}
    gives: ClassVar[type[Answers] | None] = Pictures
    figures: ClassVar[Mapping[str, Direction]] = Pictures.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})

    degradation: Literal["resolution", "noise", "jpeg"] = Field(
        "resolution", description="what is undone: too few pixels, Gaussian noise, JPEG compression"
    )
    scale: Literal[2, 3, 4] = Field(2, description="how many times as wide and high; resolution only")
    noise: tuple[float, float] = Field(
        (0.0, 55.0), description="least and most standard deviation learnt from, of 256 levels; noise only"
    )
    judged_noise: float = Field(25.0, ge=0, le=255, description="that figures are measured at; noise only")
    quality: tuple[int, int] = Field((10, 90), description="of JPEG, least and most learnt from; jpeg only")
    judged_quality: int = Field(20, ge=1, le=95, description="that figures are measured at; jpeg only")
    test_data: str | None = Field(
        None, description="a folder of sharp pictures that are the test part; by default a share of data"
    )
    planes: Literal["luma", "rgb"] = Field(
        "luma", description="restore luma, and chroma more simply; or red, green and blue together"
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; by default as the pictures are"
    )
    net: Literal["fsrcnn", "edsr", "dncnn"] = Field("edsr", description="what restores a picture")
    width: int = Field(32, ge=1, le=512, description="channels of the net")
    depth: int = Field(4, ge=1, le=64, description="blocks of the net, or its convolutions")
    halved: bool = Field(
        False, description="let the net see every second pixel as a channel: four times as fast, sees farther"
    )
    patch: int = Field(
        32,
        ge=8,
        le=512,
        description="height and width of what is learnt from, as the net sees it, pixels",
    )
    patches: int = Field(3200, ge=1, description="random patches that make an epoch")
    shrunk: tuple[float, ...] = Field(
        (1.0,), min_length=1, description="sizes at which each picture is learnt from, as shares of its own"
    )
    error: Literal["charbonnier", "squared"] = Field("charbonnier", description="what is made small")

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Enhancement:
        if not (0 <= self.noise[0] <= self.noise[1] <= 255):
            raise ValueError("noise=[LEAST,MOST] are two numbers from 0 to 255, the lower one first")
        if not (1 <= self.quality[0] <= self.quality[1] <= 95):
            raise ValueError("quality=[LEAST,MOST] are two numbers from 1 to 95, the lower one first")
        if not all(0.1 <= factor <= 1 for factor in self.shrunk):
            raise ValueError("shrunk holds shares from 0.1 to 1")
        if self.halved and self.degradation == "resolution":
            raise ValueError("halved=true is for degradation=noise or jpeg: fewer pixels need them all")
        if self.halved and self.patch % 2:
            raise ValueError("halved=true needs an even patch")
        return self

    @model_validator(mode="after")
    def _tiles_have_a_middle(self) -> Enhancement:
        if 4 * self._margin > TILE:
            raise ValueError(
                f"the net sees {self._margin} pixels around each, over a quarter of its tiles of {TILE}: "
                "give it less depth"
            )
        return self

    @property
    def _margin(self) -> int:
        seen = {"fsrcnn": 3 + self.depth, "edsr": 3 + 2 * self.depth, "dncnn": 2 + self.depth}[self.net]
        return 2 * (seen + 1) if self.halved else seen + seen % 2

    @property
    def degrading(self) -> Degradation:
        """What is done to sharp pictures."""
        from apps.vision.restoring.degradation import Degradation

        return Degradation(
            self.degradation,
            luma=self.planes == "luma",
            scale=self._times,
            noise=self.noise,
            quality=self.quality,
            judged_noise=self.judged_noise,
            judged_quality=self.judged_quality,
        )

    @property
    def _times(self) -> int:
        return self.scale if self.degradation == "resolution" else 1

    def load(self) -> Splits:
        """Return sharp pictures in their parts."""
        from apps.vision.any_size.reading import channels_of
        from apps.vision.restoring.sample import photographs

        parts: dict[str, Examples]
        notes: tuple[str, ...] = (f"made worse by {self.degrading.in_words()}; figures are those of luma",)
        if self.data == "sample":
            parts = photographs(self.channels)
        else:
            parts, left_out = self._read(self.data, self.channels)
            notes += left_out
        if self.test_data is not None:
            judged, left_out = self._read(self.test_data, channels_of(parts["train"]))
            parts, notes = {**parts, "test": judged["train"]}, notes + left_out
        return self.divided(parts, notes)

    def _read(self, path: str, channels: int | None) -> tuple[dict[str, Examples], tuple[str, ...]]:
        from apps.vision.any_size.reading import read_folder
        from core.data.tables import existing

        smallest = max(self._times * self.patch, WINDOW + 2 * self._times)
        return read_folder(existing(path), channels=channels, smallest=smallest, skip_bad=self.skip_bad)

    def encode(self, train: Examples) -> EnhancementEncoder:
        """Return how many channels pictures have."""
        from apps.vision.any_size.reading import channels_of

        return EnhancementEncoder(channels=channels_of(train))

    def inputs(self, encoder: EnhancementEncoder) -> dict[str, Input]:
        """Return pictures of any size."""
        return {"image": Picture(None, encoder.channels)}

    def count(self, examples: Examples, encoder: EnhancementEncoder) -> int:
        """Return how many patches an epoch has."""
        return self.patches

    def batches(self, examples: Examples, encoder: EnhancementEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of patches: random ones to train on, else the same ones each time."""
        import tensorflow as tf

        from apps.vision.restoring.patches import Patches

        shrunk = self.shrunk if feed.training else (1.0,)
        patches = Patches(examples, self.degrading, self.patch, shrunk)
        if not feed.training:
            seen, true = patches.cut(VALIDATION_PATCHES, [self.split_seed])
            return feed.batches(seen, true / 255)
        channels, size = self._net_channels(encoder), self.patch

        def cut(rows: tf.Tensor, _: Any, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            seen, true = tf.numpy_function(
                lambda count, seed: patches.cut(int(count), seed.astype(np.uint32)),
                [tf.size(rows), seed],
                [tf.float32, tf.float32],
                stateful=False,
            )
            large = self._times * size
            seen = tf.ensure_shape(seen, (None, size, size, channels))
            return seen, tf.ensure_shape(true, (None, large, large, channels)) / 255

        return feed.batches(np.arange(self.patches), transform=cut)

    def _net_channels(self, encoder: EnhancementEncoder) -> int:
        return 1 if self.planes == "luma" else encoder.channels

    def build(self, encoder: EnhancementEncoder) -> keras.Model:
        """Return the model from planes in 255 levels to restored ones from 0 to 1, whatever their size."""
        import keras
        from keras import layers, ops

        from apps.vision.restoring.nets import NETS, enlarging

        channels, scale = self._net_channels(encoder), self._times
        planes = keras.Input((None, None, channels), name="planes")
        x = shares = layers.Rescaling(1 / 255)(planes)
        if self.halved:
            x = ops.space_to_depth(x, 2)
        per_pixel = scale**2 * (4 if self.halved else 1)
        x = NETS[self.net](layers.Rescaling(2.0, -1.0)(x), channels * per_pixel, self.width, self.depth)
        if self.halved:
            x = ops.depth_to_space(x, 2)
        x = enlarging(shares, x, scale) if scale > 1 else layers.Add()([shares, x])
        return keras.Model(planes, layers.Activation("linear", dtype="float32")(x), name="enhancement")

    def loss(self, encoder: EnhancementEncoder) -> keras.losses.Loss:
        """Return the error of pixels, rounded off at zero or squared."""
        import keras

        from core.losses import Charbonnier

        return Charbonnier() if self.error == "charbonnier" else keras.losses.MeanSquaredError()

    def restorer(self, model: keras.Model) -> Restorer:
        """Return what restores pictures of any size by a model."""
        from apps.vision.restoring.restorer import Restorer

        def net(tiles: np.ndarray) -> np.ndarray:
            return 255 * np.asarray(model.predict_on_batch(tiles), np.float32)

        return Restorer(net, **self._tiling())

    def _tiling(self) -> dict[str, Any]:
        return {
            "luma": self.planes == "luma",
            "scale": self._times,
            "tile": TILE,
            "margin": self._margin,
        }

    def evaluate(
        self, model: keras.Model, encoder: EnhancementEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return mean PSNR and SSIM of luma, each picture weighing the same."""
        restorer = self.restorer(model)
        return self._judged(lambda planes: restorer.planes(planes), examples, write, pictures=True)

    def _judged(
        self,
        restored: Callable[[np.ndarray], np.ndarray],
        examples: Examples,
        write: Write | None = None,
        *,
        pictures: bool = False,
    ) -> Figures:
        from apps.vision.restoring.judging import judged_rows

        rows = []
        for row in judged_rows(restored, examples, self.degrading, self.split_seed, pictures=pictures):
            if write is not None:
                write(row)
            rows.append({**row, "predicted": None, "true": None})
        return Pictures.from_rows(rows).statistics(np.arange(len(rows)))

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: EnhancementEncoder
    ) -> dict[str, Any]:
        """Return the picture as it was before, brought to the size of the answer."""
        from apps.vision.any_size.reading import picture_at
        from apps.vision.restoring.judging import before

        if examples is None or "row" not in answer:
            return {}
        row = answer["row"]
        picture = before(picture_at(examples, row), self.degrading, (self.split_seed, row))
        return {"before": picture, "picture": Path(str(examples["path"][row])).name}

    def slices(self, splits: Splits, encoder: EnhancementEncoder) -> dict[str, np.ndarray]:
        """Return how many pixels pictures have, and how light they are."""
        test = splits.test
        light = [test.ragged("image")[row].mean() for row in range(len(test))]
        return {"pixels": test["height"] * test["width"], "brightness": np.array(light)}

    def predict(
        self, model: keras.Model, encoder: EnhancementEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the restored picture of each picture file, or array of uint8."""
        from apps.vision.any_size.reading import decoded_file

        restorer = self.restorer(model)
        answers = []
        for value in inputs:
            picture = value if isinstance(value, np.ndarray) else decoded_file(value, encoder.channels)
            try:
                restored = restorer.picture(picture)
            except ValueError as error:
                raise UserError(f"The picture is too large: {error}.") from None
            answers.append({"picture": restored})
        return answers

    def portable(self, model: keras.Model, encoder: EnhancementEncoder) -> Portable:
        """Return the graph from tiles to restored tiles."""
        import tensorflow as tf

        from apps.vision.any_size.reading import picture_at
        from core.task.portable import Portable, TensorGraph

        restorer = self.restorer(model)
        tiles = tf.TensorSpec([None, TILE, TILE, self._net_channels(encoder)], tf.float32, name="planes")

        def raw(examples: Examples) -> list[np.ndarray]:
            pictures = (picture_at(examples, row) for row in range(len(examples)))
            pairs = (
                self.degrading.judged_pair(each, (self.split_seed, row)) for row, each in enumerate(pictures)
            )
            return [planes for planes, _ in pairs]

        return Portable(
            graph=TensorGraph(
                lambda planes: model(planes, training=False),
                (tiles,),
                "restored",
                tuple(variable.value for variable in model.variables),
                ("pillow",),
            ),
            loader="apps.vision.restoring.loader",
            settings={**self._tiling(), "channels": encoder.channels},
            raw=raw,
            score=lambda inputs: [restorer.planes(planes) for planes in inputs],
            figures=lambda score, examples: self._judged(lambda planes: score([planes])[0], examples),
        )

    def baseline(
        self, encoder: EnhancementEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of interpolation, or of non-local means and wavelets, tuned on train."""
        from apps.vision.restoring.rivals import rivals

        tuned_on = splits.train.take(np.arange(min(TUNING_PICTURES, len(splits.train))))
        figures = {}
        for name, forms in rivals(self.degrading).items():
            reached = [self._judged(form, tuned_on)["psnr"] for form in forms] if forms[1:] else [0.0]
            best = forms[int(np.argmax(reached))]
            figures[name] = self._judged(best, splits.test, written_by(name, write))
        return figures
