"""What every task shares that gives one label, out of any number, to each input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.calibration import Calibration
from core.data.class_names import as_known
from core.decisions import answers
from core.errors import UserError
from core.task import Encoder, Figures, Task, Write
from core.wording import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples
    from core.data.feed import Feed
    from core.explanation import Anatomy, Explanation

EVALUATION_BATCH = 256


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
        known = np.asarray(self.labels, np.dtypes.StringDType())
        order = np.argsort(known)
        places = np.minimum(np.searchsorted(known[order], names), len(known) - 1)
        ids = order[places].astype(np.int32)
        strange = names[known[ids] != names]
        if len(strange):
            told = ", ".join(sorted(set(strange.tolist()))[:5])
            raise UserError(
                f"{source} has labels that training never saw; known are {', '.join(self.labels[:10])}. "
                f"Received: {told} in {counted(len(strange), 'example')}."
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
    objective: ClassVar[str] = "val_accuracy"
    direction: ClassVar[Literal["min", "max"]] = "max"
    headline: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")

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

    def predict(self, model: keras.Model, encoder: Any, inputs: list[Any]) -> list[dict[str, Any]]:
        """Return the label, its probability and those of all labels, calibrated, for each raw input."""
        return self._answers(model, encoder, inputs, self.prepare)

    def predictor(self, model: keras.Model, encoder: Any) -> Callable[[list[Any]], list[dict[str, Any]]]:
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
        """Return what the parts of a raw input are, for `explain`.

        Raises:
            UserError: The model can't be opened.
        """
        raise UserError(f"{type(self).__name__} does not explain its answers. Received: explain.")

    def explain(self, model: keras.Model, encoder: Any, value: Any, method: str | None = None) -> Explanation:
        """Return what the parts of an input add to the log-odds of its likeliest label."""
        from core.data.feed import Feed
        from core.explanation import explained

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


def answers_of(
    probabilities: np.ndarray, labels: Sequence[str], calibration: Calibration | None = None
) -> list[dict[str, Any]]:
    """Return answers as JSON: the label, its probability, those of all labels, and whether it abstains.

    Args:
        probabilities: Of a model, shape `(num_examples, num_labels)`.
        labels: The names of the columns.
        calibration: Changes the probabilities, and may choose another label than the likeliest.
    """
    calibration = calibration or Calibration()
    return answers(
        calibration.tempered(probabilities),
        labels,
        label=calibration.label,
        threshold=calibration.threshold,
        abstain_below=calibration.abstain_below,
    )


class ClassificationFigures:
    """Accuracy, F1, log loss, calibration and the table of classes, accumulated as counts.

    Args:
        labels: The names of the classes, in the order of the columns of probabilities.

    Example:

    >>> judge = ClassificationFigures(["bad", "good"])
    >>> judge.update(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> judge.result()["accuracy"]
    1.0
    """

    def __init__(self, labels: Sequence[str]) -> None:
        from core.metrics import ExpectedCalibrationError, F1Score

        self.labels = labels
        self.f1 = F1Score(len(labels))
        self.accuracy = F1Score(len(labels), average="micro")
        self.calibration = ExpectedCalibrationError()
        self.nats = 0.0
        self.count = 0

    def update(self, targets: np.ndarray, probabilities: np.ndarray) -> None:
        """Count a batch.

        Args:
            targets: Class indices, int, shape `(batch_size,)`.
            probabilities: Shape `(batch_size, num_labels)`; rows sum to 1.
        """
        for metric in (self.f1, self.accuracy, self.calibration):
            metric.update_state(targets, probabilities)
        likelihood = np.take_along_axis(probabilities, targets[:, None], axis=1)
        self.nats -= float(np.log(np.maximum(likelihood, 1e-12)).sum())
        self.count += len(targets)

    def result(self) -> Figures:
        """Return the figures of all that was counted; `per_class` holds the table."""
        columns = self.f1.per_class()
        return {
            "accuracy": float(self.accuracy.result()),
            "macro_f1": float(self.f1.result()),
            "log_loss": self.nats / max(self.count, 1),
            "calibration_error": float(self.calibration.result()),
            "per_class": {
                label: {name: values[place].item() for name, values in columns.items()}
                for place, label in enumerate(self.labels)
            },
        }


def figures_of(
    targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None = None
) -> Figures:
    """Return a rival's figures from its probabilities for the whole test part, without the table.

    Args:
        targets: Class indices, int, shape `(num_examples,)`.
        probabilities: Shape `(num_examples, num_labels)`; rows sum to 1.
        labels: The names of the columns.
        write: Called with a row an example, as `evaluate` does.
    """
    if write is not None:
        for start in range(0, len(targets), EVALUATION_BATCH):
            said = answers_of(probabilities[start : start + EVALUATION_BATCH], labels)
            for target, answer in zip(targets[start : start + EVALUATION_BATCH], said, strict=True):
                write({"true": labels[target], **answer})
    judge = ClassificationFigures(labels)
    judge.update(targets, probabilities)
    return {name: value for name, value in judge.result().items() if name != "per_class"}
