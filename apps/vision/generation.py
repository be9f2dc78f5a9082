"""Generation of pictures: new ones of a class, as if they came from those that were learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.samples import Samples
from core.errors import UserError
from core.inputs import Choice, Input, Number
from core.task.classification import LabelEncoder
from core.task.contract import Ability, Encoder, Options, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.vision.generating.copies import Copies
    from apps.vision.generating.features import Features
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.portable import Portable

MOST_SEEDS = 2**31 - 1
LEAST_PICTURES = 4
LARGEST_SIDE = 256  # pixels


class GenerationEncoder(LabelEncoder):
    """What is known of pictures before any weight: their classes, shape, and what compares them."""

    labels: list[str] = Field(min_length=1, description="sorted names of the classes")
    shape: tuple[int, int, int] = Field(description="height, width and channels of every picture")
    shares: list[float] = Field(description="of the classes in the training part")
    features: str = Field(description="weights of the net in whose features pictures are compared, base64")


class GenerationOptions(Options):
    """How a picture is drawn."""

    spread: float = Field(1.0, ge=0, le=2, description="of the noise: less is more typical, more is odder")
    towards: int | None = Field(None, ge=0, le=MOST_SEEDS, description="another seed, to go towards")
    share: float = Field(0.0, ge=0, le=1, description="how far to go towards it")


class PictureGeneration(Task):
    """Draws new pictures of a class, each from a seed, by two nets that learn from each other.

    Example:

    ```
    quartet train vision/generation data=pictures augment=true
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = GenerationEncoder
    content: ClassVar[tuple[str, ...]] = ("image",)
    label: ClassVar[str | None] = "label"
    sample_licence: ClassVar[str | None] = "CC BY-SA 3.0 (MNIST, LeCun and Cortes)"
    takes: ClassVar[Mapping[str, Input]] = {
        "seed": Number(0, MOST_SEEDS, whole=True, example=1),
        "class": Choice(("any",)),
    }
    gives: ClassVar[type[Answers] | None] = Samples
    figures: ClassVar[Mapping[str, Direction]] = {
        "kid": "min",
        "fid": "min",
        "precision": "max",
        "recall": "max",
        "agreement": "max",
        "class_shift": "min",
        "memorised": "min",
    }
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})
    options: ClassVar[type[Options]] = GenerationOptions
    objective: ClassVar[str] = "loss"

    validation: float = Field(
        0.0, ge=0, lt=1, description="none: no figure of the training says which net is better"
    )
    size: int | None = Field(
        None, ge=8, le=256, description="height and width of pictures; by default their own, if all are alike"
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; by default as picture files are"
    )
    width: int = Field(32, ge=4, le=256, description="channels of both nets at the full size")
    noise: int = Field(64, ge=2, le=1024, description="numbers that a picture is made of")
    adversarial: Literal["non_saturating", "hinge"] = Field("non_saturating", description="loss of both nets")
    regularisation: Literal["r1", "spectral", "none"] = Field(
        "r1", description="what keeps the discriminator smooth: a penalty of its slope, or spectral norm"
    )
    r1: float = Field(1.0, gt=0, description="weight of the penalty")
    augment: bool = Field(
        False, description="change light, place and parts of all pictures, differentiably, where they are few"
    )
    momentum: float = Field(0.5, ge=0, lt=1, description="of the first moments of both optimizers")
    average: float = Field(0.995, ge=0, lt=1, description="momentum of the generator that draws in use")
    judged: int = Field(1000, ge=10, le=50_000, description="pictures that are generated to be judged")

    def load(self) -> Splits:
        """Return the pictures in their parts."""
        from core.data.images import read_images
        from core.data.samples import digits
        from core.data.tables import existing

        if self.data == "sample":
            return self.divided({"train": digits()}, self._protocol(10))
        size = None if self.size is None else (self.size, self.size)
        parts, notes = read_images(
            existing(self.data), size=size, channels=self.channels, skip_bad=self.skip_bad
        )
        num_classes = len(np.unique(parts["train"]["label"]))
        return self.divided(parts, (*self._protocol(num_classes), *notes))

    def _protocol(self, num_classes: int) -> tuple[str, ...]:
        learnt = (
            "that learnt the classes of the training part"
            if num_classes > 1
            else "at its random start, as there is one class"
        )
        return (
            f"figures compare up to {self.judged:,} generated pictures with as many of the test part, in 64 "
            f"features of a small convolutional net {learnt}",
        )

    def encode(self, train: Examples) -> GenerationEncoder:
        """Return the classes, the shape, and the net that compares pictures."""
        from apps.vision.generating.features import learnt
        from core.data.lookup import places_among

        _require_some(train)
        labels = np.unique(train["label"]).tolist()
        ids = places_among(labels, train["label"]).astype(np.int32)
        pictures = train["image"]
        return GenerationEncoder(
            labels=labels,
            shape=pictures.shape[1:],
            shares=(np.bincount(ids, minlength=len(labels)) / len(ids)).tolist(),
            features=learnt(pictures, ids, len(labels)),
        )

    def inputs(self, encoder: GenerationEncoder) -> dict[str, Input]:
        """Return a seed and one of the classes."""
        return {"seed": self.takes["seed"], "class": Choice(tuple(encoder.labels))}

    def batches(self, examples: Examples, encoder: GenerationEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of pictures and their classes."""
        labels = encoder.ids(examples["label"], examples.source)
        return feed.batches({"picture": examples["image"], "class": labels})

    def build(self, encoder: GenerationEncoder) -> keras.Model:
        """Return the generator with its average, and the discriminator."""
        from apps.vision.generating.nets import discriminator, generator
        from apps.vision.generating.pair import GenerativePair
        from core.layers import DifferentiableAugmentation

        size = (encoder.shape, len(encoder.labels), self.noise, self.width)
        drawing, averaged = generator(*size, "generator"), generator(*size, "averaged")
        averaged.set_weights(drawing.get_weights())
        spectral = self.regularisation == "spectral"
        pair = GenerativePair(
            drawing,
            discriminator(encoder.shape, len(encoder.labels), self.width, spectral=spectral),
            averaged,
            DifferentiableAugmentation(fill=-1.0, seed=0) if self.augment else None,
            loss=self.adversarial,
            r1=self.r1 if self.regularisation == "r1" else 0.0,
            momentum=self.momentum,
            average=self.average,
            name="generation",
        )
        pair.build()
        return pair

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train both nets, each with an optimizer of its own; the validation part has no say.

        Raises:
            UserError: The backend is another than TensorFlow.
        """
        import keras

        from apps.vision.generating.copies import LOOKED_AT, copies
        from core.data.feed import Feed

        if keras.backend.backend() != "tensorflow":
            raise UserError(
                "A pair of nets with an optimizer each learns on TensorFlow alone; its run draws on every "
                f"backend. Received: KERAS_BACKEND={keras.backend.backend()}. Set KERAS_BACKEND=tensorflow."
            )
        fit, splits = training.fit, training.splits
        num_steps = Feed(fit.batch_size).steps(self.count(splits.train, training.encoder))
        model: Any = training.model
        model.discriminator_optimizer = fit.keras_optimizer(num_steps * fit.planned_epochs)
        nobody = replace(splits, validation=splits.validation.take(np.arange(0)))
        history = super().fit(replace(training, splits=nobody))
        generated, _ = self._first(model, training.encoder, LOOKED_AT)
        near = copies(generated, splits.train["image"])
        model.nearest.assign(near.nearest)
        model.copied.assign(near.share)
        return history

    def _first(self, model: keras.Model, encoder: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the pictures of the seeds 0, 1, 2 and so on, and the classes that they were asked for."""
        from apps.vision.generating.judging import asked_classes
        from apps.vision.generating.noise import noise_of

        asked = asked_classes(encoder.shares, count)
        return self.drawn(model, noise_of(range(count), self.noise), asked), asked

    def drawn(self, model: keras.Model, noise: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return a picture for each row of noise and each class, uint8."""
        from apps.vision.generating.noise import as_levels
        from apps.vision.generating.pair import drawn

        return as_levels(drawn(model, noise, labels))

    def predict(
        self, model: keras.Model, encoder: GenerationEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the picture of each seed and class."""
        from apps.vision.generating.noise import between, noise_of

        asked = options or GenerationOptions()
        noise = noise_of([value["seed"] for value in inputs], self.noise)
        if asked.towards is not None:
            noise = between(noise, noise_of([asked.towards], self.noise), asked.share)
        labels = encoder.ids(np.array([value["class"] for value in inputs]), "the input")
        pictures = self.drawn(model, asked.spread * noise, labels)
        return [{"picture": picture} for picture in pictures]

    def evaluate(
        self, model: keras.Model, encoder: GenerationEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return how like the examples new pictures are, drawn from the seeds 0, 1, 2 and so on."""
        generated, asked = self._first(model, encoder, self.judged)
        return self._judged(encoder, examples, generated, asked, self._copies(model), write)

    def _judged(
        self,
        encoder: GenerationEncoder,
        examples: Examples,
        generated: np.ndarray,
        asked: np.ndarray,
        near: Copies,
        write: Write | None,
    ) -> Figures:
        from apps.vision.generating.judging import judged, real_rows

        _require_some(examples)
        real = examples["image"][real_rows(len(examples), len(generated))]
        return judged(self._features(encoder), real, generated, asked, encoder.labels, near, write)

    def _features(self, encoder: GenerationEncoder) -> Features:
        from apps.vision.generating.features import Features

        return Features(encoder.shape, len(encoder.labels), encoder.features)

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: GenerationEncoder
    ) -> dict[str, Any]:
        """Return the seed and the class that a picture was drawn from."""
        return {"seed": answer["row"], "class": answer["asked"]} if "asked" in answer else {}

    def portable(self, model: keras.Model, encoder: GenerationEncoder) -> Portable:
        """Return the graph from noise and classes to pictures."""
        from apps.vision.generating.export import portable_generator

        def figures(generated: np.ndarray, asked: np.ndarray, examples: Examples) -> Figures:
            return self._judged(encoder, examples, generated, asked, self._copies(model), None)

        return portable_generator(model, encoder.labels, encoder.shares, self.noise, self.judged, figures)

    def _copies(self, model: keras.Model) -> Copies:
        from apps.vision.generating.copies import Copies

        pair: Any = model
        return Copies(np.asarray(pair.nearest), float(pair.copied))

    def slices(self, splits: Splits, encoder: GenerationEncoder) -> dict[str, np.ndarray]:
        """Return nothing: rows are new pictures, none of the test part."""
        return {}

    def baseline(
        self, encoder: GenerationEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of principal components with a Gaussian for each class."""
        from apps.vision.generating.copies import LOOKED_AT, copies
        from apps.vision.generating.judging import asked_classes
        from apps.vision.generating.rivals import ComponentGaussians

        train, test = splits.train, splits.test
        rival = ComponentGaussians(train["image"], encoder.ids(train["label"], train.source))
        asked = asked_classes(encoder.shares, self.judged)
        generated = rival.drawn(asked)
        near = copies(generated[:LOOKED_AT], train["image"])
        name = "principal components + Gaussians"
        return {name: self._judged(encoder, test, generated, asked, near, written_by(name, write))}


def _require_some(examples: Examples) -> None:
    """Refuse what no distribution can be told from, and pictures that are too large for nets like these."""
    if len(examples) < LEAST_PICTURES:
        raise UserError(
            f"A part needs {LEAST_PICTURES} pictures or more, to learn or to judge by. "
            f"Received: {len(examples)} of {examples.source}."
        )
    height, width = examples["image"].shape[1:3]
    if max(height, width) > LARGEST_SIDE:
        raise UserError(
            f"Pictures are generated up to {LARGEST_SIDE} x {LARGEST_SIDE} pixels: give a size to bring "
            f"those of {examples.source} to, such as size=64. Received: {height} x {width}."
        )
