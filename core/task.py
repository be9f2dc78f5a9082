"""The contract: a task is its own configuration, and its methods are its work.

What the hard tasks of the road override, so that none needs a case of its own in `core`:

- generative adversarial net: `build` returns a model with its own `train_step`, `fit` compiles two
  optimizers, `evaluate` draws samples and compares them with the test part, `predict` takes seeds;
- alternating least squares: `fit` solves sweep by sweep and calls the callbacks at the end of each, so that
  early stopping, history and resume stay as they are;
- hidden Markov model over a net: `fit` aligns, calls `super().fit`, aligns again; the alignment is a weight
  of the model, so that a resume finds it;
- detector: `batches` pads the boxes, `build` returns a model with a `compute_loss`, `evaluate` matches boxes
  over the whole set;
- autoregressive generator: `batches` cuts windows with the feed's seed, `predict` samples.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from core.errors import UserError
from core.settings import Settings

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.experiment import Fit
    from core.explanation import Explanation
    from core.exporting.portable import Portable

Figures = dict[str, Any]
Accepts = Literal["text", "picture", "sound", "ratings"]
Write = Callable[[dict[str, Any]], None]


class Encoder(Settings):
    """What a task learns from its training examples before any weight: vocabulary, labels, statistics.

    It is saved as text in the run folder, so its fields are numbers, text, and lists and mappings of them.
    """


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
    objective: ClassVar[str] = "val_loss"
    """The figure of the history that early stopping and searches watch."""
    direction: ClassVar[Literal["min", "max"]] = "min"
    """Whether the objective is better small or large."""
    headline: ClassVar[tuple[str, ...]] = ()
    """The figures of `evaluate` that tables show first."""
    sample_licence: ClassVar[str | None] = None
    """The licence of the sample data, for model cards."""
    accepts: ClassVar[Accepts | None] = None
    """What a raw input is to those who send it to a server; a task that does not say can't be served."""

    data: str = Field(
        "sample", description="where the examples come from: sample, tfds:NAME[/CONFIG], or a path"
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

    @abstractmethod
    def build(self, encoder: Any) -> keras.Model:
        """Return the model, functional and not compiled."""

    def loss(self, encoder: Any) -> keras.losses.Loss | None:
        """Return the loss for `compile`, or nothing where the model has its own `compute_loss`."""
        return None

    def metrics(self, encoder: Any) -> list[keras.metrics.Metric]:
        """Return the metrics that are followed while training."""
        return []

    def fit(
        self,
        model: keras.Model,
        encoder: Any,
        splits: Splits,
        fit: Fit,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> keras.callbacks.History:
        """Train the model in place.

        Args:
            model: What `build` returned.
            encoder: What `encode` returned.
            splits: Of which the train and validation parts are used.
            fit: Epochs, batch size, optimizer and the rest.
            callbacks: In the order of their calls; `ExactResume`, which says where to start, is the last.

        Returns:
            The Keras history, one entry an epoch, those before a resume included.
        """
        from core.callbacks import Throughput
        from core.data.feed import Feed
        from core.devices import accelerator, prefetched

        resume = callbacks[-1]
        watched = next((callback.watch for callback in callbacks if isinstance(callback, Throughput)), None)
        feed = Feed(
            fit.batch_size,
            training=True,
            seed=fit.seed,
            epoch=resume.epoch,
            step=resume.step,
            **self._balance(splits.train, fit),
        )
        num_steps = feed.steps(len(splits.train))
        model.compile(
            optimizer=fit.keras_optimizer(num_steps * fit.epochs),
            loss=self.loss(encoder),
            metrics=self.metrics(encoder) or None,
            jit_compile=fit.jit_compile,
            steps_per_execution=fit.steps_together(num_steps),
        )
        validation = (
            self.batches(splits.validation, encoder, Feed(fit.batch_size)) if len(splits.validation) else None
        )
        train = self.batches(splits.train, encoder, feed)
        return model.fit(
            prefetched(watched(train) if watched else train, accelerator()),
            steps_per_epoch=num_steps,
            epochs=fit.epochs,
            initial_epoch=resume.epoch,
            validation_data=validation,
            callbacks=list(callbacks),
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
            write: Called with one JSON-able row an example, in order. Reports know rows of `true`, `label`,
                `probabilities`; of `true` and `predicted`; of `user`, `recommended` and `chosen`.
        """

    @abstractmethod
    def predict(self, model: keras.Model, encoder: Any, inputs: list[Any]) -> list[dict[str, Any]]:
        """Return one JSON-able answer for each raw input (a text, a path, an id, a wave).

        Raises:
            UserError: An input can't be read.
        """

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return what a person should see of the example that a row of `evaluate` is about, for reports.

        Args:
            answer: One row that `evaluate` wrote; its `row`, where it has one, is the place among `examples`.
            examples: What was judged; nothing where its source is gone.
            encoder: What `encode` returned.

        Returns:
            Name to text, number, picture (uint8, shape `(height, width, channels)`), or
            `core.reporting.Sound`.
        """
        if examples is None or "row" not in answer:
            return {}
        columns = {name: column for name, column in examples.columns.items() if name != self.label}
        return {name: column[answer["row"]] for name, column in columns.items()}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell the rows of `evaluate` apart by: name to a value a row, in order."""
        from core.reporting.slices import columns_of

        return columns_of(splits, self.content, self.label)

    def explain(self, model: keras.Model, encoder: Any, value: Any, method: str | None = None) -> Explanation:
        """Return why one raw input gets its answer.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            value: One raw input, as `predict` takes it.
            method: How; the task's first by default.

        Raises:
            UserError: The input can't be read, or the task or the method explains nothing of the kind.
        """
        raise UserError(f"{type(self).__name__} does not explain its answers. Received: explain.")

    def predictor(self, model: keras.Model, encoder: Any) -> Callable[[list[Any]], list[dict[str, Any]]]:
        """Return `predict` of one model for many calls, with what they share computed once."""
        return partial(self.predict, model, encoder)

    def upload(self, encoder: Any, content: bytes, *, max_pixels: int, max_seconds: float) -> Any:
        """Return a file that somebody sent, decoded in memory, as a raw input for `predict`.

        Args:
            encoder: What `encode` returned.
            content: The whole file.
            max_pixels: Of a picture; a larger one is refused before it is decoded.
            max_seconds: Of a sound, likewise.

        Raises:
            UserError: The file is not what the task takes, or too large.
        """
        raise UserError(f"{type(self).__name__} takes no files. Received: {len(content)} bytes.")

    def portable(self, model: keras.Model, encoder: Any) -> Portable:
        """Return what an export of the model needs: its graph, and the loader that answers by it.

        Raises:
            UserError: The task, or a model of these settings, can't leave Keras.
        """
        raise UserError(f"{type(self).__name__} can't be exported. Received: export.")

    def choices(self, encoder: Any) -> Mapping[str, Mapping[str, str]]:
        """Return what a raw input may name, such as users and items: field to id to how people call it."""
        return {}

    def baseline(self, encoder: Any, splits: Splits, write: Write | None = None) -> dict[str, Figures]:
        """Return the same figures from the simplest honest rivals, by the rival's name.

        Args:
            encoder: What `encode` returned.
            splits: Rivals learn from the train part, and are judged on the test part.
            write: Called with the rows that `evaluate` would write, each with its `rival`, for reports to
                say how sure the model's gain is. A task may leave it.
        """
        return {}


def written_by(rival: str, write: Write | None) -> Write | None:
    """Return what writes rows of one rival, for `baseline`; nothing where nothing is written."""
    return None if write is None else lambda row: write({"rival": rival, **row})
