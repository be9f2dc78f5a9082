"""What leaves with an export of a generation: the averaged generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.vision.generating.judging import asked_classes
from apps.vision.generating.noise import as_levels, noise_of
from apps.vision.generating.pair import drawn
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, TensorGraph


def portable_generator(
    model: keras.Model,
    names: list[str],
    shares: list[float],
    noise: int,
    judged: int,
    figures: Callable[[np.ndarray, np.ndarray, Examples], Figures],
) -> Portable:
    """Return the graph from noise and classes to pictures, and how it is checked.

    Args:
        model: A `GenerativePair`.
        names: Of the classes.
        shares: Of the classes, in what is drawn to be judged.
        noise: Numbers that a picture is made of.
        judged: Pictures that are drawn to be judged.
        figures: From pictures, the classes that they were asked for, and real examples.
    """
    pair: Any = model

    def first(count: int) -> list[dict[str, Any]]:
        return [
            {"seed": seed, "class": names[label]} for seed, label in enumerate(asked_classes(shares, count))
        ]

    def score(inputs: Sequence[Any]) -> np.ndarray:
        labels = np.array([names.index(value["class"]) for value in inputs], np.int32)
        return drawn(pair, noise_of([value["seed"] for value in inputs], noise), labels)

    return Portable(
        graph=TensorGraph(
            lambda noise, label: pair.averaged([noise, label], training=False),
            (
                tf.TensorSpec([None, noise], tf.float32, name="noise"),
                tf.TensorSpec([None], tf.int32, name="class"),
            ),
            "picture",
            tuple(variable.value for variable in pair.averaged.variables),
            ("pillow",),
        ),
        loader="apps.vision.generating.loader",
        settings={"labels": names, "noise": noise},
        raw=lambda examples: first(len(examples)),
        score=score,
        figures=lambda score, examples: figures(
            as_levels(np.asarray(score(first(judged)))), asked_classes(shares, judged), examples
        ),
    )
