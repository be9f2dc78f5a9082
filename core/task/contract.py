"""The contract: a task is its own configuration, and says what it takes and what it gives.

What surrounds a task asks it for these two alone. What unusual tasks override, so none needs a case of its
own in `core`:

- generative adversarial net: `build` returns a model with its own `train_step`, `fit` compiles two
  optimizers, `evaluate` draws samples and compares them with the test part, the input is a seed;
- closed form: `fit` solves sweep by sweep and calls the callbacks at the end of each, so early stopping,
  history and resume stay as they are; `learns_by_gradient` is false;
- hidden Markov model over a net: `fit` aligns, calls `super().fit`, aligns again; the alignment is a weight
  of the model, so a resume finds it;
- detector: `batches` pads the boxes, `build` returns a model with a `compute_loss`, `evaluate` matches boxes
  over the whole set;
- generator: `batches` cuts windows with the feed's seed, `count` says how many, `predict` samples, `stream`
  yields what is there so far.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.errors import UserError
from core.inputs.kind import Input
from core.settings import Settings

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Fit, Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

Ability = Literal["explain", "export", "calibrate", "stream"]
Predict = Callable[[list[Any]], list[dict[str, Any]]]
"""From raw inputs to one answer each."""


class Encoder(Settings):
    """What a task learns from its training examples before any weight: vocabulary, labels, statistics.

    It is saved as text in the run folder, so its fields are numbers, text, and lists and mappings of them.
    """


class Options(Settings):
    """What may be asked of one answer, such as a temperature or a seed; a task without any has none."""


class Task(Settings):
    """A problem to learn: its fields are its hyperparameters, its methods are its work.

    A new task is one subclass in `apps/<domain>/` and one YAML in `configs/<domain>/` that names it.
    """

    encoder_class: ClassVar[type[Encoder]]
    """What `encode` returns; a run reads its `encoder.json` back as one."""
    content: ClassVar[tuple[str, ...]]
    """The columns that make an example what it is: the audit compares them, the split hashes them."""
    label: ClassVar[str | None] = None
    """The column of classes, where there is one: folds are stratified by it, imbalance is measured on it."""
    takes: ClassVar[Mapping[str, Input]] = {}
    """What a raw input is, by name: one kind of input, or several that belong together."""
    gives: ClassVar[type[Answers] | None] = None
    """The kind of its answers: how they are judged, reported, and shown."""
    figures: ClassVar[Mapping[str, Direction]] = {}
    """What `evaluate` reports and which way each is better; the first is the headline."""
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    """What it can do beyond training, judging and predicting; what is not here is not offered."""
    options: ClassVar[type[Options]] = Options
    """What may be asked of one answer."""
    objective: ClassVar[str] = "val_loss"
    """The figure of the history that early stopping and searches watch."""
    direction: ClassVar[Direction] = "min"
    """Whether the objective is better small or large."""
    sample_licence: ClassVar[str | None] = None
    """The licence of the sample data, for model cards."""
    limits: ClassVar[Sequence[str]] = ()
    """What its models are not for, in sentences without a full stop, which reports and model cards say."""

    data: str = Field(
        "sample", description="where the examples come from: sample, tfds:NAME[/CONFIG], or a path"
    )
    start: str | None = Field(
        None, description="run folder whose weights, and what it learnt of the data, training starts from"
    )
    skip_bad: bool = Field(
        False, description="leave out what can't be read, and count it, instead of stopping"
    )
    validation: float = Field(
        0.1, ge=0, lt=1, description="share that becomes the validation part, where the source names none"
    )
    test: float = Field(
        0.2, gt=0, lt=1, description="share that becomes the test part, where the source names none"
    )
    split_seed: int = Field(0, ge=0, description="of the division into parts")
    split_group: str | None = Field(
        None, description="column whose values are each kept in one part, such as speaker"
    )
    split_time: str | None = Field(None, description="column by which the latest become the test part")
    time_format: str | None = Field(
        None,
        description="how times are written, where that is left open: d/m/y, m/d/y, y/m/d; s, ms, us or ns "
        "since 1970; number; or a format of strptime such as %d.%m.%Y",
    )

    @classmethod
    def headline(cls) -> str | None:
        """Return the name of the first figure; nothing where none is declared."""
        return next(iter(cls.figures), None)

    @property
    def learns_by_gradient(self) -> bool:
        """Whether training takes steps of gradient over batches, whose compilation can be chosen."""
        return True

    @abstractmethod
    def load(self) -> Splits:
        """Return the train, validation and test examples as the source has them.

        Raises:
            UserError: The source is missing or not what the task needs.
        """

    def divided(self, parts: Mapping[str, Examples], notes: Sequence[str] = ()) -> Splits:
        """Return the parts that a source names, completed by the task's own shares for `load` to return.

        Args:
            parts: Those of `train`, `validation` and `test` that the source names; `train` at least.
            notes: What a user should know of the reading.
        """
        from core.data.class_names import with_one_name_a_class
        from core.data.splitting import completed

        named, spellings = with_one_name_a_class(parts, self.label)
        return completed(
            named,
            self.content,
            validation=self.validation,
            test=self.test,
            seed=self.split_seed,
            group=self.split_group,
            time=self.split_time,
            time_format=self.time_format,
            notes=(*notes, *spellings),
        )

    @abstractmethod
    def encode(self, train: Examples) -> Encoder:
        """Return what is learnt from the training examples alone."""

    def encode_from(self, train: Examples, source: Any) -> Encoder:
        """Return what `encode` does, in agreement with the encoder of the run that training starts from.

        Args:
            train: The training examples.
            source: The encoder of that run, whose vocabulary the weights belong to.
        """
        return self.encode(train)

    def left_out(self, splits: Splits, encoder: Any) -> Sequence[str]:
        """Return notes of what the model never sees of the examples, such as the ends of long texts."""
        return ()

    @abstractmethod
    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        """Return batches `(x, y[, sample_weight])` in the order that the feed says.

        Args:
            examples: Rows of any part, or raw inputs to predict from, which have no labels.
            encoder: What `encode` returned.
            feed: Batch size, order, seed, and whether this is training.
        """

    def count(self, examples: Examples, encoder: Any) -> int:
        """Return the units of an epoch that `batches` makes of examples: rows, windows, pairs, crops.

        Args:
            examples: Rows of any part.
            encoder: What `encode` returned.
        """
        return len(examples)

    @abstractmethod
    def build(self, encoder: Any) -> keras.Model:
        """Return the model, functional and not compiled."""

    def take_weights(self, model: keras.Model, encoder: Any, source: keras.Model) -> list[str]:
        """Fill a fresh model with weights of a trained one: those of layers of the same name and shapes.

        Layers that Keras named, such as `dense_3`, are counted in each model from its own first.

        Args:
            model: What `build` returned.
            encoder: What `encode_from` returned.
            source: The model of the run that training starts from.

        Returns:
            The names of the layers that were filled.
        """
        trained = _layers_by_name(source)
        filled = []
        for name, layer in _layers_by_name(model).items():
            weights = trained[name].get_weights() if name in trained else []
            if weights and [each.shape for each in weights] == [tuple(each.shape) for each in layer.weights]:
                layer.set_weights(weights)
                filled.append(layer.name)
        return filled

    def loss(self, encoder: Any) -> keras.losses.Loss | None:
        """Return the loss for `compile`, or nothing where the model has its own `compute_loss`."""
        return None

    def metrics(self, encoder: Any) -> list[keras.metrics.Metric]:
        """Return the metrics that are followed while training."""
        return []

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model in place.

        Args:
            training: The model, what it learns from, how, and the callbacks that follow it.

        Returns:
            The Keras history, one entry an epoch, those before a resume included.
        """
        from core.data.feed import Feed
        from core.devices import accelerator, prefetched

        model, encoder, splits, fit = training.model, training.encoder, training.splits, training.fit
        feed = Feed(
            fit.batch_size,
            training=True,
            seed=fit.seed,
            epoch=training.resume.epoch,
            step=training.resume.step,
            **self._balance(splits.train, fit),
        )
        num_steps = feed.steps(self.count(splits.train, encoder))
        model.compile(
            optimizer=fit.keras_optimizer(num_steps * fit.planned_epochs),
            loss=self.loss(encoder),
            metrics=self.metrics(encoder) or None,
            jit_compile=fit.jit_compile,
            steps_per_execution=fit.steps_together(num_steps),
        )
        validation = (
            self.batches(splits.validation, encoder, Feed(fit.batch_size)) if len(splits.validation) else None
        )
        train = training.watched(self.batches(splits.train, encoder, feed))
        return model.fit(
            prefetched(train, accelerator()),
            steps_per_epoch=num_steps,
            epochs=fit.planned_epochs,
            initial_epoch=training.resume.epoch,
            validation_data=validation,
            callbacks=list(training.callbacks),
            shuffle=False,
            verbose=0,
        )

    def _balance(self, train: Examples, fit: Fit) -> dict[str, Any]:
        if fit.imbalance == "none":
            return {}
        if self.label is None:
            raise UserError(
                f"fit.imbalance needs classes; {type(self).__name__} has none. Received: {fit.imbalance!r}."
            )
        from core.data.imbalance import balanced_weights

        weights = balanced_weights(train[self.label])
        return (
            {"sample_weight": weights}
            if fit.imbalance == "weights"
            else {"probability": weights / weights.sum()}
        )

    @abstractmethod
    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the figures over all examples, never an average of batches.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            examples: What it is judged on.
            write: Called with one row an example, in order, as the kind of answers reads them. Pictures and
                sounds in a row are kept as files.
        """

    @abstractmethod
    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return one answer for each raw input, of which pictures and sounds may be parts.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            inputs: As `takes` says: a text, a path, a wave; of several kinds, a mapping by their names.
            options: What is asked of the answers, an instance of `options`; its defaults where there is none.

        Raises:
            UserError: An input can't be read.
        """

    def predictor(self, model: keras.Model, encoder: Any, options: Any = None) -> Predict:
        """Return `predict` of one model for many calls, with what they share computed once."""
        if options is None:
            return partial(self.predict, model, encoder)
        return partial(self.predict, model, encoder, options=options)

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the answer to one raw input as it grows; the last is what `predict` returns.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            value: One raw input.
            options: As for `predict`.
        """
        yield from self.predict(model, encoder, [value], options)

    def inputs(self, encoder: Any) -> Mapping[str, Input]:
        """Return what `takes` says, with what was learnt from the training part: sizes, choices, ranges."""
        return self.takes

    def calibration_asked(self, encoder: Any) -> Mapping[str, Any] | None:
        """Return what a training calibrates on its validation part at its end, as `quartet calibrate` does.

        Args:
            encoder: What `encode` returned.

        Returns:
            Some of `label`, `recall`, `miss_cost` and `abstain_below`; nothing where none is asked for.
        """
        return None

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return what a person should see of the example that a row of `evaluate` is about, for reports.

        Args:
            answer: One row that `evaluate` wrote; its `row`, where it has one, is the place among `examples`.
            examples: What was judged; nothing where its source is gone.
            encoder: What `encode` returned.

        Returns:
            Name to text, number, picture (uint8, shape `(height, width, channels)`), or `core.shown.Sound`.
        """
        if examples is None or "row" not in answer:
            return {}
        columns = {name: column for name, column in examples.columns.items() if name != self.label}
        return {name: column[answer["row"]] for name, column in columns.items()}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell the rows of `evaluate` apart by: name to a value a row, in order."""
        from core.data.columns import columns_of

        return columns_of(splits, self.content, self.label)

    def explain(self, model: keras.Model, encoder: Any, value: Any, method: str | None = None) -> Explanation:
        """Return why one raw input gets its answer; asked of tasks that are able to `explain`.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            value: One raw input, as `predict` takes it.
            method: How; the task's first by default.

        Raises:
            UserError: The input can't be read, or the method explains nothing of the kind.
        """
        raise NotImplementedError(
            f"{type(self).__name__} declares that it can explain, but does not implement it."
        )

    def portable(self, model: keras.Model, encoder: Any) -> Portable:
        """Return what an export needs: its graphs, and the loader that answers by them.

        Asked of tasks that are able to `export`.

        Raises:
            UserError: A model of these settings can't leave Keras.
        """
        raise NotImplementedError(
            f"{type(self).__name__} declares that it can be exported, but does not implement it."
        )

    def baseline(self, encoder: Any, splits: Splits, write: Write | None = None) -> dict[str, Figures]:
        """Return the same figures from the simplest honest rivals, by the rival's name.

        Args:
            encoder: What `encode` returned.
            splits: Rivals learn from the train part, and are judged on the test part.
            write: Called with the rows that `evaluate` would write, each with its `rival`, for reports to
                say how sure the model's gain is. A task may leave it.
        """
        return {}


def _layers_by_name(model: keras.Model) -> dict[tuple[str, int], keras.layers.Layer]:
    """Return the layers of a model by their names without a final number, and by how often it came before."""
    layers: dict[tuple[str, int], keras.layers.Layer] = {}
    seen: dict[str, int] = {}
    for layer in model.layers:
        name = re.sub(r"_\d+$", "", layer.name)
        layers[name, seen.setdefault(name, 0)] = layer
        seen[name] += 1
    return layers
