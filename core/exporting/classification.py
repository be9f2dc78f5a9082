"""What an export of a classification holds: a graph to probabilities, at the run's temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.calibration import Calibration
from core.answers.classes.figures import EVALUATION_BATCH, ClassificationFigures
from core.answers.rows import Figures
from core.data.examples import Examples, Ragged
from core.task.classification import Classification, LabelEncoder
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

OUTPUT = "probabilities"


def portable_classification(
    task: Classification,
    model: keras.Model,
    encoder: LabelEncoder,
    *,
    signature: Sequence[tf.TensorSpec],
    loader: str,
    settings: Mapping[str, Any],
    exact: tuple[str, ...] = (),
    requires: tuple[str, ...] = (),
    read: Callable[[Any], Any] | None = None,
    apply: Callable[[Any], Any] | None = None,
    tracked: tuple[Any, ...] = (),
) -> Portable:
    """Return what leaves with a classification.

    Args:
        task: Reads and prepares the inputs.
        model: A trained model, from features to logits.
        encoder: Its labels and calibration.
        signature: Of the features, in their order, with a free batch.
        loader: The module that makes features of raw inputs, without Keras.
        settings: What that needs to know, beside labels and decision.
        exact: Names of layers that no quantisation may touch.
        requires: The packages that the loader needs for these features.
        read: The start of the graph, from its one tensor, or all of them, to what the model takes.
        apply: From what the model takes to its logits, where the formats can't hold the model as it is.
        tracked: What these read beside the features and the model, such as tables.
    """
    import tensorflow as tf

    calibration = encoder.calibration or Calibration()

    def probabilities(*features: tf.Tensor) -> tf.Tensor:
        x = features if len(features) > 1 else features[0]
        x = x if read is None else read(x)
        logits = apply(task.prepare(x)) if apply else model(task.prepare(x), training=False)
        return tf.nn.softmax(tf.cast(logits, tf.float32) / calibration.temperature)

    def raw(examples: Examples) -> list[Any]:
        column = examples.columns[task.content[0]]
        if isinstance(column, Ragged):
            return [column[row] for row in range(len(column))]
        return list(column) if column.ndim > 1 else column.tolist()

    def score(inputs: Sequence[Any]) -> np.ndarray:
        own = task.probabilities(model, encoder, task.read(list(inputs)))
        return calibration.tempered(own).astype(np.float32)

    def figures(score: Score, examples: Examples) -> Figures:
        judge = ClassificationFigures(encoder.labels)
        targets, inputs = encoder.ids(examples["label"], examples.source), raw(examples)
        for start in range(0, len(inputs), EVALUATION_BATCH):
            block = slice(start, start + EVALUATION_BATCH)
            judge.update(targets[block], score(inputs[block]))
        return judge.result()

    variables = (*(variable.value for variable in model.variables), *tracked)
    decision = calibration.model_dump(include={"label", "threshold", "abstain_below"})
    return Portable(
        graph=TensorGraph(probabilities, tuple(signature), OUTPUT, variables, requires),
        loader=loader,
        settings={"labels": encoder.labels, "decision": decision, **settings},
        raw=raw,
        score=score,
        figures=figures,
        exact=exact,
    )
