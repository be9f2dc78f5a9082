"""What every task shares that gives one label, out of any number, to each input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from core.answers.calibration import Calibration
from core.answers.classes import Classes
from core.answers.classes.figures import EVALUATION_BATCH, ClassificationFigures, answers_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.data.class_names import as_known
from core.data.lookup import places_among
from core.errors import UserError
from core.task.contract import Ability, Encoder, Predict, Task
from core.wording import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples
    from core.data.feed import Feed
    from core.task.explanation import Anatomy, Explanation


class LabelEncoder(Encoder):
    """The labels of a classification, in the order of the model's outputs."""

    labels: list[str] = Field(min_length=2, description="sorted names of the classes")
    calibration: Calibration | None = Field(
        None, exclude=True, description="what a run's calibration.json does to the answers of `predict`"
    )

    def ids(self, names: np.ndarray, source: str) -> np.ndarray:
        """Return the index of each label name, int32.

        Raises:
            UserError: A name was never seen in training.
        """
        names = as_known(names, self.labels)
        ids = places_among(self.labels, names).astype(np.int32)
        strange = names[ids < 0]
        if len(strange):
            first_strange = ", ".join(sorted(set(strange.tolist()))[:5])
            raise UserError(
                f"{source} has labels that training never saw; known are {', '.join(self.labels[:10])}. "
                f"Received: {first_strange} in {counted(len(strange), 'example')}."
            )
        return ids


def labels_of(train: Examples, label: str = "label") -> list[str]:
    """Return the sorted label names of the training examples.

    Raises:
        UserError: There are fewer than two.
    """
    labels = np.unique(train[label]).tolist()
    if len(labels) < 2:
        raise UserError(
            f"A classification needs two labels or more in its training part. Received: {len(train)} "
            f"examples of {train.source}, all of {labels}."
        )
    return labels


class Classification(Task):
    """A task that gives one label to each input; the model's outputs are logits.

    A subclass says how to `load`, `encode` and `build`, what the `features` of examples are, how raw inputs
    are `read`, and what its rivals are.
    """

    label: ClassVar[str | None] = "label"
    gives: ClassVar[type[Answers] | None] = Classes
    figures: ClassVar[Mapping[str, Direction]] = Classes.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"calibrate"})
    objective: ClassVar[str] = "val_accuracy"
    direction: ClassVar[Direction] = "max"

    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over all labels")
    focal_gamma: float = Field(
        0.0, ge=0, description="weight on hard examples (focal loss); 0 is cross-entropy"
    )

    @abstractmethod
    def features(self, examples: Examples, encoder: Any) -> Any:
        """Return what the model reads: a column, or a dict or tuple of columns, for `Feed.batches`."""

    @abstractmethod
    def read(self, inputs: list[Any]) -> Examples:
        """Return raw inputs as examples without labels.

        Raises:
            UserError: An input can't be read.
        """

    def prepare(self, x: Any) -> Any:
        """Return a batch of features in the form the model takes, in TensorFlow operations."""
        return x

    def augment(self, x: Any, y: tf.Tensor, seed: tf.Tensor) -> tuple[Any, tf.Tensor]:
        """Return a training batch changed at random, as a function of `seed` alone.

        Args:
            x: What `prepare` returned.
            y: One-hot targets, float32, shape `(batch_size, num_labels)`.
            seed: int32, shape `(2,)`, for `tf.random.stateless_*`.
        """
        return x, y

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        """Return batches of features and one-hot labels, or of features alone where there are no labels."""
        import tensorflow as tf

        from core.data.examples import Ragged

        features = self.features(examples, encoder)
        targets = encoder.ids(examples["label"], examples.source) if "label" in examples else None
        num_labels = len(encoder.labels)

        def prepare(x: Any, y: tf.Tensor | None) -> tuple[Any, tf.Tensor | None]:
            return self.prepare(x), None if y is None else tf.one_hot(y, num_labels)

        return feed.batches(
            features,
            targets,
            lengths=features.lengths if isinstance(features, Ragged) else None,
            prepare=prepare,
            transform=self.augment,
        )

    def loss(self, encoder: Any) -> keras.losses.Loss:
        """Return cross-entropy or focal loss on logits, for one-hot or mixed targets."""
        import keras

        if self.focal_gamma:
            from core.losses import FocalCrossentropy

            return FocalCrossentropy(
                gamma=self.focal_gamma, label_smoothing=self.label_smoothing, from_logits=True
            )
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.label_smoothing)

    def metrics(self, encoder: Any) -> list[keras.metrics.Metric]:
        """Return the accuracy."""
        import keras

        return [keras.metrics.CategoricalAccuracy(name="accuracy")]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return accuracy, macro F1, log loss, calibration error and the table of classes, over all."""
        targets = encoder.ids(examples["label"], examples.source)
        judge = ClassificationFigures(encoder.labels)
        row = 0
        for probabilities in self._probabilities(model, encoder, examples):
            truth = targets[row : row + len(probabilities)]
            judge.update(truth, probabilities)
            if write is not None:
                said = answers_of(probabilities, encoder.labels)
                for offset, (target, answer) in enumerate(zip(truth, said, strict=True)):
                    write({"row": row + offset, "true": encoder.labels[target], **answer})
            row += len(probabilities)
        return judge.result()

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the label, its probability and those of all labels, calibrated, for each raw input."""
        return self._answers(model, encoder, inputs, self.prepare)

    def predictor(self, model: keras.Model, encoder: Any, options: Any = None) -> Predict:
        """Return `predict` for many calls, which prepares a batch by a graph."""
        import tensorflow as tf

        prepare = tf.function(self.prepare, reduce_retracing=True)
        return lambda inputs: self._answers(model, encoder, inputs, prepare)

    def _answers(
        self, model: keras.Model, encoder: Any, inputs: list[Any], prepare: Callable[[Any], Any]
    ) -> list[dict[str, Any]]:
        given: list[dict[str, Any]] = []
        for probabilities in self._probabilities(model, encoder, self.read(inputs), prepare):
            given += answers_of(probabilities, encoder.labels, encoder.calibration)
        return given

    def probabilities(self, model: keras.Model, encoder: Any, examples: Examples) -> np.ndarray:
        """Return the model's own probabilities, not calibrated, shape `(num_examples, num_labels)`."""
        return np.concatenate(list(self._probabilities(model, encoder, examples)))

    def anatomy(self, model: keras.Model, encoder: Any, value: Any) -> Anatomy:
        """Return what the parts of a raw input are; asked of tasks that are able to `explain`."""
        raise NotImplementedError(
            f"{type(self).__name__} declares that it can explain, but does not implement it."
        )

    def explain(self, model: keras.Model, encoder: Any, value: Any, method: str | None = None) -> Explanation:
        """Return what the parts of an input add to the log-odds of its likeliest label."""
        from core.data.feed import Feed
        from core.task.explanation import explained

        anatomy = self.anatomy(model, encoder, value)
        answer = self.predict(model, encoder, [value])[0]
        inputs = next(iter(self.batches(self.read([value]), encoder, Feed(1))))[0]
        label = answer["label"]
        target = (encoder.labels.index(label), label)
        return explained(model, inputs, anatomy, target, answer, method)

    def _probabilities(
        self,
        model: keras.Model,
        encoder: Any,
        examples: Examples,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Iterator[np.ndarray]:
        from scipy.special import softmax

        from core.data.feed import Feed, for_backend, whole_batch

        inputs: Iterable[Any]
        if len(examples) <= EVALUATION_BATCH:
            features = self.features(examples, encoder)
            prepared = prepare or self.prepare
            inputs = [whole_batch(features, lambda x, y: (prepared(x), y))]
        else:
            inputs = (batch[0] for batch in self.batches(examples, encoder, Feed(EVALUATION_BATCH)))
        for x in inputs:
            yield softmax(np.asarray(model.predict_on_batch(for_backend(x)), np.float64), axis=-1)
