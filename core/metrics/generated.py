"""How like real samples generated ones are, by features of both: distances of distributions, and coverage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NEIGHBOUR = 3  # whose distance is how far the manifold reaches around a sample
BLOCK = 1024


def kernel_shares(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """Return what each generated sample adds to the kernel distance (KID), whose mean is the distance itself.

    The squared maximum mean discrepancy of the kernel `(x . y / d + 1) ** 3`, without bias, so that it may be
    below 0 where the two are alike. The shares are those of its first-order expansion: their spread is how
    much the distance would move with other generated samples, which makes intervals by the bootstrap honest.

    Args:
        real: Features, floats, shape `(num_real, dimensions)`, two rows at least.
        generated: Features, floats, shape `(num_generated, dimensions)`, two rows at least.

    Returns:
        float64, shape `(num_generated,)`.

    Reference:
        Bińkowski et al., 2018, Demystifying MMD GANs, https://arxiv.org/abs/1801.01401

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0]])
    >>> float(kernel_shares(real, real + 3).mean()) > 100
    True
    """
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    among_real = (_kernel(real, real).sum() - _kernel_of_itself(real).sum()) / (len(real) * (len(real) - 1))
    to_real = _kernel(generated, real).mean(axis=1)
    own = (_kernel(generated, generated).sum(axis=1) - _kernel_of_itself(generated)) / (len(generated) - 1)
    distance = among_real + own.mean() - 2 * to_real.mean()
    apart = own - to_real
    return distance + 2 * (apart - apart.mean())


def _kernel(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return (rows @ columns.T / rows.shape[1] + 1) ** 3


def _kernel_of_itself(rows: np.ndarray) -> np.ndarray:
    return (np.square(rows).sum(axis=1) / rows.shape[1] + 1) ** 3


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Return the squared Fréchet distance of the normal distributions fitted to both (FID in these features).

    Args:
        real: Features, floats, shape `(num_real, dimensions)`.
        generated: Features, floats, shape `(num_generated, dimensions)`.

    Reference:
        Heusel et al., 2017, equation 6, https://arxiv.org/abs/1706.08500

    Example:

    >>> frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]]))
    9.0
    """
    mean_gap = np.square(real.mean(axis=0) - generated.mean(axis=0)).sum()
    first, second = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (real, generated))
    root = _square_root(first)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(mean_gap + np.trace(first) + np.trace(second) - 2 * shared)


def _square_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


class Coverage(NamedTuple):
    """Which samples lie where the others are.

    Args:
        precise: Whether each generated sample lies within the real ones, bool; its mean is the precision.
        recalled: Whether each real sample lies within the generated ones, bool; its mean is the recall.
    """

    precise: np.ndarray
    recalled: np.ndarray


def coverage(real: np.ndarray, generated: np.ndarray, neighbour: int = NEIGHBOUR) -> Coverage:
    """Return precision and recall, sample by sample.

    A sample lies within a set where it is no further from one of its members than that member's own
    neighbour of this rank.

    Args:
        real: Features, floats, shape `(num_real, dimensions)`.
        generated: Features, floats, shape `(num_generated, dimensions)`; as many as real ones, for figures
            that can be compared.
        neighbour: The rank, from 1.

    Reference:
        Kynkäänniemi et al., 2019, https://arxiv.org/abs/1904.06991

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> coverage(real, np.array([[1.5], [9.0]]), neighbour=1).precise.tolist()
    [True, False]
    """
    return Coverage(_within(generated, real, neighbour), _within(real, generated, neighbour))


def _within(samples: np.ndarray, others: np.ndarray, neighbour: int) -> np.ndarray:
    rank = min(neighbour, len(others) - 1)  # 0 is the sample itself
    reach = np.concatenate([np.partition(each, rank, axis=1)[:, rank] for each in _distances(others, others)])
    return np.concatenate([(each <= reach).any(axis=1) for each in _distances(samples, others)])


def _distances(rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """Return squared distances in blocks of rows, with the rounding of equal rows at 0."""
    rows, columns = np.asarray(rows, np.float64), np.asarray(columns, np.float64)
    lengths = np.square(columns).sum(axis=1)
    return [
        np.maximum(np.square(block).sum(axis=1)[:, None] + lengths - 2 * block @ columns.T, 0)
        for block in (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    ]
