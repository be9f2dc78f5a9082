"""What leaves with a click prediction: a graph from ids and numbers to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from apps.recommendation.impressions.trees import TREES
from core.answers.classes.figures import EVALUATION_BATCH
from core.answers.rows import Figures
from core.answers.two_classes import figures_of
from core.data.examples import Examples
from core.exporting.classification import portable_classification
from core.task.portable import Portable, Score

if TYPE_CHECKING:
    import keras

    from apps.recommendation.impressions.columns import ClicksEncoder
    from core.task.classification import Classification


def portable_clicks(
    task: Classification, model: keras.Model, encoder: ClicksEncoder, separator: str
) -> Portable:
    """Return what leaves with a model of rows.

    Args:
        task: Trained the model.
        model: From ids and numbers to logits.
        encoder: Its labels and columns.
        separator: Between several values of a column.
    """
    names = list(model.input)
    dtypes = {"ids": tf.int32, "numbers": tf.float32}
    portable = portable_classification(
        task,
        model,
        encoder,
        signature=[tf.TensorSpec([None, *model.input[name].shape[1:]], dtypes[name], name) for name in names],
        loader="apps.recommendation.impressions.loader",
        settings={
            "columns": [column.model_dump() for column in encoder.columns],
            "pairs": [pair.model_dump() for pair in encoder.pairs],
            "passed_over": encoder.passed_over,
            "separator": separator,
        },
        exact=(TREES,),
        read=lambda x: dict(zip(names, x if len(names) > 1 else (x,), strict=True)),
    )

    def raw(examples: Examples) -> list[dict[str, Any]]:
        columns = [examples[column.name].tolist() for column in encoder.columns]
        known = [column.name for column in encoder.columns]
        return [dict(zip(known, map(_value, row), strict=True)) for row in zip(*columns, strict=True)]

    def figures(score: Score, examples: Examples) -> Figures:
        inputs: Sequence[Any] = raw(examples)
        blocks = [
            score(inputs[start : start + EVALUATION_BATCH])
            for start in range(0, len(inputs), EVALUATION_BATCH)
        ]
        targets = encoder.ids(examples["label"], examples.source)
        return figures_of(targets, np.concatenate(blocks).astype(np.float64), encoder.labels)

    return replace(portable, raw=raw, figures=figures)


def _value(value: Any) -> Any:
    """Return a value of a column as a row has it: none where it is missing."""
    return None if value == "" or value != value else value
