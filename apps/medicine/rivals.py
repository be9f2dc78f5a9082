"""Strong cheap rivals of nets that read medical pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

MOST_EXAMPLES = 20_000  # that a rival learns from
MOST_SIDE = 64  # pixels along a side; larger pictures are thinned


def rival_probabilities(
    train: np.ndarray, targets: np.ndarray, test: np.ndarray, num_labels: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of each rival and what it says of the test pictures, shape `(num_test, num_labels)`.

    Args:
        train: uint8, shape `(num_examples, height, width, channels)`.
        targets: Class indices, int, shape `(num_examples,)`.
        test: uint8, shape `(num_test, height, width, channels)`.
        num_labels: Of the classes.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    few = ""
    if len(train) > MOST_EXAMPLES:
        chosen = np.sort(np.random.default_rng(0).choice(len(train), MOST_EXAMPLES, replace=False))
        train, targets, few = train[chosen], targets[chosen], f" on {MOST_EXAMPLES:,} examples"
    rivals: dict[str, Any] = {
        "logistic regression on pixels": LogisticRegression(C=0.01, max_iter=500),
        "random forest on pixels": RandomForestClassifier(300, min_samples_leaf=2, n_jobs=1, random_state=0),
    }
    pixels, others = _pixels(train), _pixels(test)
    mean, deviation = pixels.mean(axis=0), np.maximum(pixels.std(axis=0), 1e-3)
    for name, rival in rivals.items():
        rival.fit((pixels - mean) / deviation, targets)
        probabilities = np.zeros((len(test), num_labels))
        probabilities[:, rival.classes_] = rival.predict_proba((others - mean) / deviation)
        yield f"{name}{few}", probabilities


def _pixels(pictures: np.ndarray) -> np.ndarray:
    """Return pictures as rows of values from 0 to 1, float32; of large ones the means of blocks."""
    step = -(-max(pictures.shape[1:3]) // MOST_SIDE)
    if step > 1:
        height, width = (side // step * step for side in pictures.shape[1:3])
        cut = pictures[:, :height, :width]
        blocks = cut.reshape(len(cut), height // step, step, width // step, step, -1)
        pictures = blocks.mean(axis=(2, 4), dtype=np.float32)
    return np.asarray(pictures, np.float32).reshape(len(pictures), -1) / 255
