"""How like two pictures are, as a row of answers tells it."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.answers.compared import hash_of


def likeness(predicted: np.ndarray, true: np.ndarray, border: int = 0) -> dict[str, Any]:
    """Return what a row tells of a predicted picture and the true one.

    Args:
        predicted: uint8, shape `(height, width)` or `(height, width, channels)`, 1 or 3 channels.
        true: Of the same shape.
        border: Pixels cut off at each edge first, commonly the scale of a super-resolution.

    Returns:
        `psnr` in decibels; `ssim`, where 11 x 11 pixels or more are left; and `truth`, a hash of the true
        picture, by which the answers of two models are known to be about the same.

    Raises:
        ValueError: The two differ in shape, or are no such pictures.

    Example:

    >>> figures = likeness(np.zeros((16, 16), np.uint8), np.full((16, 16), 51, np.uint8))
    >>> round(figures["psnr"], 2), round(figures["ssim"], 4)
    (13.98, 0.0025)
    """
    from core.metrics.image import PSNR, SSIM, WINDOW

    pair = [np.asarray(each).reshape(1, *each.shape[:2], -1) for each in (true, predicted)]
    metrics = [PSNR(border)]
    if min(pair[0].shape[1:3]) - 2 * border >= WINDOW:
        metrics.append(SSIM(border))
    for metric in metrics:
        metric.update_state(*pair)
    figures = {metric.name: float(metric.result()) for metric in metrics}
    return {**figures, "truth": hash_of(true)}
