"""Rivals of a recogniser that cost next to nothing: the text of the most similar training recording."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.data.examples import Examples, Splits

FRAME_SECONDS = 0.05
NUM_BANDS = 20
CANDIDATES = 100  # training recordings of the most similar outline, which are compared frame by frame
OUTLINE = 12  # frames of an outline
MOST_TRAINING, MOST_TEST_SECONDS = 3000, 30.0


def frequent_text(splits: Splits) -> list[str]:
    """Return for each test recording the transcript that training has most often."""
    text = Counter(splits.train["text"].tolist()).most_common(1)[0][0]
    return [text] * len(splits.test)


def nearest_texts(splits: Splits, sample_rate: int) -> list[str]:
    """Return for each test recording the transcript of the training recording that is nearest in sound.

    Frames of 50 ms on a mel scale are compared by dynamic time warping (Sakoe and Chiba, 1978), of the 100
    recordings whose outline of twelve frames is most alike.

    Args:
        splits: Columns `wave` and `text`.
        sample_rate: Of the waves.
    """
    train, test = splits.train, splits.test
    train = train.take(np.arange(min(len(train), MOST_TRAINING)))
    known, heard = (_frames_of(part, sample_rate) for part in (train, test))
    outlines = np.stack([_outline(frames) for frames in known])
    texts = train["text"].tolist()
    nearest = []
    for frames in heard:
        distances = np.square(outlines - _outline(frames)).sum(axis=(1, 2))
        rows = np.argsort(distances, kind="stable")[:CANDIDATES]
        warped = warped_distances(frames, [known[row] for row in rows])
        nearest.append(texts[rows[int(warped.argmin())]])
    return nearest


def _frames_of(examples: Examples, sample_rate: int) -> list[np.ndarray]:
    """Return the spectra of each wave, float32, `(num_frames, NUM_BANDS)`, of mean 0 over time."""
    from core.layers.spectrogram import mel_bands

    length = round(FRAME_SECONDS * sample_rate)
    bands = mel_bands(length // 2 + 1, NUM_BANDS, sample_rate, 80, sample_rate / 2)
    waves = examples.ragged("wave")
    every = []
    for row in range(len(waves)):
        wave = waves[row][: round(MOST_TEST_SECONDS * sample_rate)].astype(np.float32)
        wave = np.pad(wave, (0, max(length - len(wave), 0)))
        whole = wave[: len(wave) // length * length].reshape(-1, length) * np.hanning(length)
        power = np.square(np.abs(np.fft.rfft(whole, axis=1))) @ bands
        logs = np.log10(power + 1e-4 * power.max() + 1e-3)
        every.append((logs - logs.mean(axis=0)).astype(np.float32))
    return every


def _outline(frames: np.ndarray) -> np.ndarray:
    return frames[np.linspace(0, len(frames) - 1, OUTLINE).round().astype(int)]


def warped_distances(frames: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Return how far frames are from each of some others, by the best way to warp them in time.

    Args:
        frames: Shape `(num_frames, num_bands)`.
        others: Likewise, each as long as it is.

    Returns:
        The sum of distances along the way, by the frames of both, shape `(len(others),)`.

    Example:

    >>> frames = np.array([[0.0], [1.0]])
    >>> warped_distances(frames, [np.array([[0.0], [0.0], [1.0]]), np.array([[1.0]])]).tolist()
    [0.0, 0.3333333333333333]
    """
    lengths = np.array([len(other) for other in others])
    padded = np.zeros((len(others), lengths.max(), frames.shape[1]), np.float32)
    for row, other in zip(padded, others, strict=True):
        row[: len(other)] = other
    squares = np.square(frames).sum(axis=1)[None, :, None] + np.square(padded).sum(axis=2)[:, None]
    costs = np.sqrt(np.maximum(squares - 2 * np.einsum("tf,nsf->nts", frames, padded), 0)).astype(np.float64)
    total = np.cumsum(costs[:, 0], axis=1)
    for cost in np.moveaxis(costs[:, 1:], 1, 0):
        entered = total.copy()
        entered[:, 1:] = np.minimum(total[:, 1:], total[:, :-1])
        # A step along the other recording adds its cost: a running minimum of what is left without the costs.
        before = np.cumsum(cost, axis=1) - cost
        total = np.minimum.accumulate(entered - before, axis=1) + before + cost
    ends = total[np.arange(len(others)), lengths - 1]
    return ends / (len(frames) + lengths)
