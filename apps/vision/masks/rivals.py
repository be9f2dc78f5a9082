"""What masks are made by without a net: a threshold, and a random forest on filters of each pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from apps.vision.any_size.reading import picture_at
from core.data.examples import Examples

Places = Callable[[np.ndarray], np.ndarray]
MOST_PIXELS = 60_000  # that the forest learns from
MOST_PICTURES = 60
TREES = 60
ROWS_AT_ONCE = 100_000


def otsu(train: Examples, masks: Sequence[np.ndarray], num_classes: int) -> Places:
    """Return what says of pixels which side of Otsu's threshold they are on, as the two classes that fit.

    These are the ones whose overlaps are highest together on training pictures.
    """
    counts = np.zeros((2, num_classes), np.int64)
    for row in _chosen(len(train)):
        mask, sides = masks[row], _sides(picture_at(train, row))
        for side in (0, 1):
            counts[side] += np.bincount(mask[(mask < num_classes) & (sides == side)], minlength=num_classes)
    overlaps = counts / np.maximum(counts.sum(axis=0) + counts.sum(axis=1, keepdims=True) - counts, 1)
    together = overlaps[0][:, None] + overlaps[1]
    np.fill_diagonal(together, -1.0)
    said = np.array(np.unravel_index(together.argmax(), together.shape), np.uint8)
    return lambda picture: said[_sides(picture)]


def _sides(picture: np.ndarray) -> np.ndarray:
    from skimage.filters import threshold_otsu

    grey = picture.mean(axis=-1)
    return np.asarray(grey > (threshold_otsu(grey) if grey.min() < grey.max() else 255)).astype(np.int64)


def forest(train: Examples, masks: Sequence[np.ndarray], num_classes: int) -> Places:
    """Return a random forest on intensities, edges and textures at several scales.

    As in scikit-image's trainable segmentation.
    """
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(0)
    rows = _chosen(len(train))
    features, targets = [], []
    for row in rows:
        mask = masks[row].reshape(-1)
        known = np.flatnonzero(mask < num_classes)
        chosen = random.choice(known, min(MOST_PIXELS // len(rows), len(known)), replace=False)
        features.append(_features(picture_at(train, row))[chosen])
        targets.append(mask[chosen])
    trees = RandomForestClassifier(TREES, max_depth=16, max_samples=0.5, n_jobs=-1, random_state=0)
    trees.fit(np.concatenate(features), np.concatenate(targets))

    def places(picture: np.ndarray) -> np.ndarray:
        values = _features(picture)
        said = [trees.predict(values[block]) for block in _blocks(len(values))]
        return np.concatenate(said).astype(np.uint8).reshape(picture.shape[:2])

    return places


def _chosen(count: int) -> list[int]:
    """Return the pictures that rivals learn from."""
    every = max(count / MOST_PICTURES, 1.0)
    return [int(row) for row in np.arange(0, count, every)][:MOST_PICTURES]


def _features(picture: np.ndarray) -> np.ndarray:
    from skimage.feature import multiscale_basic_features

    grey = picture.shape[-1] == 1
    filtered = multiscale_basic_features(
        picture[..., 0] if grey else picture, sigma_max=8, channel_axis=None if grey else -1, workers=1
    )
    return filtered.reshape(-1, filtered.shape[-1]).astype(np.float32)


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)
