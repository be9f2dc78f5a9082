from __future__ import annotations

import numpy as np
import pytest

from core.losses import DiceCrossentropy

RANDOM = np.random.default_rng(0)
MASKS = RANDOM.integers(0, 3, (2, 5, 4))
LOGITS = RANDOM.normal(size=(2, 5, 4, 3)).astype("float32")


def shares(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits.astype(float))
    return raised / raised.sum(axis=-1, keepdims=True)


def by_hand(masks: np.ndarray, logits: np.ndarray, alpha: float, beta: float, smooth: float) -> float:
    """Return one minus Tversky's overlap, class by class and pixel by pixel."""
    lost = []
    for mask, share in zip(masks, shares(logits), strict=True):
        for place in range(share.shape[-1]):
            both = sum(share[at][place] for at in np.ndindex(mask.shape) if mask[at] == place)
            wrong = sum(share[at][place] for at in np.ndindex(mask.shape) if mask[at] not in (place, 9))
            missed = (mask == place).sum() - both
            lost.append(1 - (both + smooth) / (both + alpha * wrong + beta * missed + smooth))
    return float(np.mean(lost))


@pytest.mark.parametrize(("alpha", "beta", "smooth"), [(0.5, 0.5, 1.0), (0.3, 0.7, 0.5)])
def test_value_is_of_the_overlap_one_minus_tversky_s(alpha, beta, smooth):
    loss = DiceCrossentropy(1.0, alpha, beta, smooth=smooth)
    assert float(loss(MASKS, LOGITS)) == pytest.approx(by_hand(MASKS, LOGITS, alpha, beta, smooth), rel=1e-4)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_value_is_of_pixels_their_focal_crossentropy(gamma):
    right = np.take_along_axis(shares(LOGITS), MASKS[..., None], axis=-1)
    expected = (-((1 - right) ** gamma) * np.log(right)).mean()
    assert float(DiceCrossentropy(0.0, gamma=gamma)(MASKS, LOGITS)) == pytest.approx(expected, rel=1e-4)


def test_value_is_the_same_whatever_pixels_that_nobody_judged_are_said_to_be():
    masks = MASKS.copy()
    masks[:, 2] = 9
    other = LOGITS.copy()
    other[:, 2] += RANDOM.normal(size=(2, 4, 3))
    loss = DiceCrossentropy(ignore_class=9)
    assert float(loss(masks, LOGITS)) == pytest.approx(float(loss(masks, other)), rel=1e-5)
    only_known = by_hand(masks[:, [0, 1, 3, 4]], LOGITS[:, [0, 1, 3, 4]], 0.5, 0.5, 1.0)
    overlap = DiceCrossentropy(1.0, ignore_class=9)
    assert float(overlap(masks, LOGITS)) == pytest.approx(only_known, rel=1e-4)


def test_a_mask_that_is_all_right_costs_nothing():
    logits = 60.0 * np.eye(3)[MASKS] - 30.0
    assert float(DiceCrossentropy()(MASKS, logits)) == pytest.approx(0.0, abs=1e-5)


def test_a_weight_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"overlap_weight=1\.5"):
        DiceCrossentropy(1.5)
