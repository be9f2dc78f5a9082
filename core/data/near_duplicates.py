"""Examples that are nearly the same: a word changed, a pixel's noise, a recording cut elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.data.content import distinct_text
from core.data.examples import Column, Ragged
from core.data.larger_than_memory import blocks_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEAR_WORDS = 0.9  # cosine of the words and word pairs of two texts
NEAR_PIXELS = 4  # mean difference of the pixel values of two pictures, of 255
NEAR_SAMPLES = 0.95  # highest correlation of two recordings, wherever they start
MOST = 200_000  # examples beyond which none are searched
SHARED = 3  # of their rarest pieces that two nearly equal texts have in common at the least
WORDS = r"\S{2,}|[^\w\s]"  # of texts that are parted by blanks already: no single letters, but signs
CHUNK = 1000


def near_duplicates(train: Column, test: Column) -> np.ndarray:
    """Return the rows of `test` that are nearly the same as a row of `train`.

    Args:
        train: Texts, waves (ragged int16), or pictures (uint8, `(num_examples, height, width, channels)`);
            nothing else has near-duplicates.
        test: The same, of which none is equal to a row of `train`.

    Returns:
        Sorted rows, int64.

    Example:

    >>> train = np.array(["one two three four five six seven eight nine ten"], np.dtypes.StringDType())
    >>> near_duplicates(train, np.strings.add(train, " eleven")).tolist()
    [0]
    """
    none = np.zeros(0, np.int64)
    if not len(train) or not len(test) or len(train) + len(test) > MOST:
        return none
    if isinstance(train, Ragged):
        return (
            _near_waves(train, test) if isinstance(test, Ragged) and train.values.dtype == np.int16 else none
        )
    if isinstance(test, Ragged):
        return none
    if isinstance(train.dtype, np.dtypes.StringDType) and train.ndim == 1:
        return _near_texts(train, test)
    if train.ndim in (3, 4) and train.dtype == np.uint8 and train.shape[1:] == test.shape[1:]:
        return _near_pictures(train, test)
    return none


def _near_texts(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Compare the texts that share rare pieces; two that share `NEAR_WORDS` of all share some of the rarest.

    The prefix filter of Bayardo, Ma and Srikant (2007), with several pieces to share as Wang, Li and Feng
    (2012) have it: it finds the same pairs as comparing every text with every other.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    pieces = HashingVectorizer(
        preprocessor=distinct_text,
        token_pattern=WORDS,
        ngram_range=(1, 2),
        binary=True,
        norm=None,
        n_features=2**22,
        alternate_sign=False,
        dtype=np.float32,
    )
    train_pieces, test_pieces = pieces.transform(train.tolist()), pieces.transform(test.tolist())
    frequency = np.bincount(
        np.concatenate([train_pieces.indices, test_pieces.indices]), minlength=pieces.n_features
    )
    held = np.flatnonzero(frequency)  # few of the four million pieces that there could be
    rank = np.zeros(pieces.n_features, np.int64)
    rank[held[np.argsort(frequency[held], kind="stable")]] = np.arange(len(held))
    train_rare, test_rare = _rarest(train_pieces, rank), _rarest(test_pieces, rank)
    train_sizes, test_sizes = np.diff(train_pieces.indptr), np.diff(test_pieces.indptr)
    near = np.zeros(len(test), bool)
    for start in range(0, len(test), CHUNK):
        shared = (test_rare[start : start + CHUNK] @ train_rare.T).tocoo()
        enough = shared.data >= SHARED
        rows, others = shared.row[enough] + start, shared.col[enough]
        ratio = train_sizes[others] / test_sizes[rows]
        alike = (ratio >= NEAR_WORDS**2) & (ratio <= NEAR_WORDS**-2)
        rows, others = rows[alike], others[alike]
        for part in range(0, len(rows), CHUNK):
            row, other = rows[part : part + CHUNK], others[part : part + CHUNK]
            common = np.asarray(test_pieces[row].multiply(train_pieces[other]).sum(axis=1)).ravel()
            near[row[common >= NEAR_WORDS * np.sqrt(test_sizes[row] * train_sizes[other])]] = True
    return np.flatnonzero(near)


def _rarest(pieces: csr_matrix, rank: np.ndarray) -> csr_matrix:
    """Return as many of each text's rarest pieces as suffice to find its near-duplicates."""
    from scipy import sparse

    ranked = sparse.csr_matrix((pieces.data, rank[pieces.indices], pieces.indptr), pieces.shape)
    ranked.sort_indices()
    sizes = np.diff(ranked.indptr)
    # A text of three pieces is too short to be called nearly equal to anything.
    wanted = np.where(sizes > SHARED, sizes - np.ceil(NEAR_WORDS**2 * sizes) + SHARED, 0).astype(np.int64)
    place = np.arange(ranked.nnz) - np.repeat(ranked.indptr[:-1], sizes)
    kept = place < np.repeat(wanted, sizes)
    offsets = np.concatenate([[0], np.cumsum(np.minimum(wanted, sizes))])
    return sparse.csr_matrix((ranked.data[kept], ranked.indices[kept], offsets), pieces.shape)


def _near_pictures(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Compare each picture with the one whose regions are most nearly as light."""
    from sklearn.neighbors import KDTree

    small_train, small_test = (
        np.concatenate([_thumbnails(pictures[block]) for block in blocks_of(pictures)])
        for pictures in (train, test)
    )
    distance, nearest = KDTree(small_train).query(small_test, k=1)
    close = np.flatnonzero(distance[:, 0] < NEAR_PIXELS * 4)
    difference = [
        np.abs(test[row].astype(np.int16) - train[nearest[row, 0]].astype(np.int16)).mean() for row in close
    ]
    return close[np.array(difference) < NEAR_PIXELS] if len(close) else close


def _thumbnails(pictures: np.ndarray, side: int = 4) -> np.ndarray:
    height, width = (pictures.shape[axis] // side * side for axis in (1, 2))
    if not height or not width:
        return pictures.reshape(len(pictures), -1).astype(np.float32)
    blocks = pictures[:, :height, :width].reshape(
        len(pictures), side, height // side, side, width // side, -1
    )
    return blocks.mean(axis=(2, 4, 5), dtype=np.float32).reshape(len(pictures), -1)


def _near_waves(train: Ragged, test: Ragged) -> np.ndarray:
    """Compare each recording with the one whose coarse spectrogram is most like its own."""
    from scipy.signal import correlate
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(_fingerprints(train))
    other = nearest.kneighbors(_fingerprints(test), return_distance=False)[:, 0]
    near = []
    for row in range(len(test)):
        first, second = (wave.astype(np.float32) for wave in (test[row], train[other[row]]))
        energy = np.linalg.norm(first) * np.linalg.norm(second)
        if energy and np.abs(correlate(first, second, method="fft")).max() > NEAR_SAMPLES * energy:
            near.append(row)
    return np.array(near, np.int64)


def _fingerprints(waves: Ragged, segments: int = 16, bands: int = 16) -> np.ndarray:
    """Return the log energy in a few stretches of time and bands of frequency, float32."""
    fingerprints = np.zeros((len(waves), segments * bands), np.float32)
    for row in range(len(waves)):
        wave = waves[row]
        length = max(len(wave) // segments, 2 * bands)
        frames = np.zeros(segments * length, np.float32)
        frames[: len(wave)] = wave[: len(frames)]
        power = np.abs(np.fft.rfft(frames.reshape(segments, length), axis=1)) ** 2
        edges = np.linspace(0, power.shape[1], bands + 1).astype(int)[:-1]
        energy = np.log1p(np.add.reduceat(power, edges, axis=1)).ravel()
        # The volume of a recording is no part of what it is.
        fingerprints[row] = energy - energy.mean()
    return fingerprints
