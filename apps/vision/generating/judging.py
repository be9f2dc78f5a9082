"""How generated pictures are judged: beside real ones, in features of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.answers.rows import Figures, Write
from core.metrics.generated import coverage, frechet_distance, kernel_shares

if TYPE_CHECKING:
    from apps.vision.generating.copies import Copies
    from apps.vision.generating.features import Features


def asked_classes(shares: Sequence[float], count: int) -> np.ndarray:
    """Return the classes to generate, each as frequent as its share, in an order whose start is so too.

    Args:
        shares: Of the classes, 1 in all.
        count: How many to ask for.

    Example:

    >>> asked_classes([0.5, 0.25, 0.25], 4).tolist()
    [0, 1, 2, 0]
    """
    asked, wanted, given = np.zeros(count, np.int32), np.asarray(shares), np.zeros(len(shares))
    for place in range(count):
        asked[place] = np.argmax(wanted * (place + 1) - given)
        given[asked[place]] += 1
    return asked


def real_rows(num_real: int, count: int) -> np.ndarray:
    """Return which real pictures are compared with so many generated ones, `count` at most, sorted."""
    return np.sort(np.random.default_rng(0).permutation(num_real)[:count])


def judged(
    features: Features,
    real: np.ndarray,
    generated: np.ndarray,
    asked: np.ndarray,
    names: list[str],
    copies: Copies,
    write: Write | None = None,
) -> Figures:
    """Return the figures of generated pictures, and write a row for each.

    Args:
        features: From pictures to features and classes.
        real: Pictures, uint8; two at least.
        generated: Pictures, uint8, of the same shape; two at least.
        asked: The class that each was generated for.
        names: Of the classes.
        copies: What the first of them are nearest to.
        write: Takes the rows.
    """
    real_features, real_classes = features(real)
    own_features, own_classes = features(generated)
    # Of the size of the real ones, or the cube of the kernel would depend on the unit of features.
    unit = np.sqrt(np.square(real_features).mean()) or 1.0
    real_features, own_features = real_features / unit, own_features / unit
    shares = kernel_shares(real_features, own_features)
    within = coverage(real_features, own_features)
    seen = [
        np.bincount(classes, minlength=len(names)) / len(classes) for classes in (own_classes, real_classes)
    ]
    if write is not None:
        for row, picture in enumerate(generated):
            told = {"precision": int(within.precise[row]), "kid": float(shares[row])}
            near = {"nearest": copies.nearest[row]} if row < len(copies.nearest) else {}
            classes = {"asked": names[asked[row]], "named": names[own_classes[row]]}
            write({"row": row, "predicted": picture, **near, **classes, **told})
    return {
        "kid": float(shares.mean()),
        "fid": frechet_distance(real_features, own_features),
        "precision": float(within.precise.mean()),
        "recall": float(within.recalled.mean()),
        "agreement": float((own_classes == asked).mean()),
        "class_shift": float(np.abs(seen[0] - seen[1]).sum() / 2),
        "memorised": copies.share,
    }
