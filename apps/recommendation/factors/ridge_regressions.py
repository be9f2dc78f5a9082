"""Ridge regressions of many rows, each on the features of its own few columns, on all cores.

By NumPy alone: its products and solutions of stacked matrices meet no Python row by row, and let go of
Python's lock, so that threads share the blocks of rows.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from apps.recommendation.catalogue.interactions import row_blocks

if TYPE_CHECKING:
    from core.data.examples import Ragged

BLOCK_BYTES = 2**22  # of gathered features at a time on each core, which the caches can still hold
STEPS = 3  # of conjugate gradient


def solved_rows(
    groups: Ragged,
    columns: np.ndarray,
    targets: np.ndarray,
    features: np.ndarray,
    penalties: np.ndarray,
    unobserved: float = 0.0,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return the ridge regression of each row on the features of its columns.

    Args:
        groups: The places of each row's observations.
        columns: The column of each observation, int32, shape `(num_observations,)`.
        targets: float32, likewise.
        features: Of each column, float32, shape `(num_columns, dim)`.
        penalties: On each weight of each row, above 0, float32, shape `(num_rows, dim)`; or on all of them
            `(num_rows, 1)`, as they must be with `unobserved`.
        unobserved: Weight of a target of 0 at every column, observed or not.
        start: Weights that three steps of conjugate gradient are to better, float32, shape `(num_rows, dim)`;
            by default the solution is exact.

    Returns:
        Weights, float32, shape `(num_rows, dim)`; zero for a row without observations.

    Example:

    >>> from apps.recommendation.catalogue.interactions import grouped
    >>> groups, columns = grouped(np.array([0, 0, 2]), 3), np.array([0, 1, 1])
    >>> targets, features = np.array([2, 2, 10], np.float32), np.array([[1], [3]], np.float32)
    >>> solved_rows(groups, columns, targets, features, np.full((3, 1), 6.0)).tolist()
    [[0.5], [0.0], [2.0]]
    """
    dim = features.shape[1]
    # Row after row; behind the last stands an observation without features, which the blocks are padded with.
    columns = np.append(columns.take(groups.values), len(features))
    targets = np.append(targets.take(groups.values), np.float32(0))
    table = np.pad(features, ((0, 1), (0, 0)))
    solved = np.zeros((len(groups), dim), np.float32)

    def solve(rows: np.ndarray) -> None:
        starts, ends = groups.offsets[rows, None], groups.offsets[rows + 1, None]
        places = starts + np.arange((ends - starts).max())
        places[places >= ends] = len(columns) - 1
        gathered = table.take(columns.take(places), axis=0)
        if start is None:
            solved[rows] = _solutions(gathered, targets.take(places), penalties[rows] + shared)
        else:
            solved[rows] = _steps(gathered, targets.take(places), penalties[rows], gram, start[rows])

    blocks = row_blocks(groups.lengths, BLOCK_BYTES // (4 * dim))
    # Each core has a block already: threads of BLAS would take it turns, and spin while they wait.
    with ThreadPoolExecutor(os.cpu_count()) as pool, _blas().limit(limits=1, user_api="blas"):
        gram = unobserved * (features.T @ features)
        shared, axes = _principal(gram) if unobserved and start is None else (np.float32(0), None)
        if axes is not None:
            table = table @ axes
        list(pool.map(solve, blocks))
    return solved if axes is None else solved @ axes.T


@cache
def _blas() -> ThreadpoolController:
    """Return what sets the threads of the loaded libraries; to find these takes milliseconds."""
    return ThreadpoolController()


def _principal(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the penalty that all rows share along its principal axes, and these axes as columns.

    Along them it is a diagonal like the penalties of the rows, so that a row with few observations needs no
    matrix of squares.
    """
    lengths, axes = np.linalg.eigh(gram.astype(np.float64))
    return np.maximum(lengths, 0.0).astype(np.float32), axes.astype(np.float32)


def _solutions(features: np.ndarray, targets: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return weights `(rows, dim)` for features `(rows, length, dim)` and targets `(rows, length)`.

    Of fewer observations than features, the products of the observations are solved, which are the smaller
    matrix (the dual of a ridge regression).
    """
    length, dim = features.shape[1:]
    if length < dim:
        shrunk = features / penalties[:, None, :]
        products = shrunk @ features.mT
        diagonal = np.arange(length)
        products[:, diagonal, diagonal] += 1.0
        return (shrunk.mT @ np.linalg.solve(products, targets[..., None]))[..., 0]
    squares = features.mT @ features
    diagonal = np.arange(dim)
    squares[:, diagonal, diagonal] += penalties
    return np.linalg.solve(squares, features.mT @ targets[..., None])[..., 0]


def _steps(
    features: np.ndarray, targets: np.ndarray, penalties: np.ndarray, gram: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return weights that are nearer to the solutions, without any row's matrix of squares.

    Reference:
        Takács, Pilászy and Tikk, 2011, Applications of the Conjugate Gradient Method for Implicit Feedback
        Collaborative Filtering, section 4
    """

    def transposed(values: np.ndarray) -> np.ndarray:
        return (features.mT @ values[..., None])[..., 0]

    def predicted(vectors: np.ndarray) -> np.ndarray:
        return (features @ vectors[..., None])[..., 0]

    def shrunk(vectors: np.ndarray) -> np.ndarray:
        return vectors @ gram + penalties * vectors

    residual = transposed(targets - predicted(weights)) - shrunk(weights)
    direction, before = np.zeros_like(residual), np.ones(len(residual), np.float32)
    smallest = np.finfo(np.float32).tiny  # a row that is solved leaves nothing to divide by
    for _ in range(STEPS):
        norm = np.vecdot(residual, residual)
        direction = residual + (norm / np.maximum(before, smallest))[:, None] * direction
        product = transposed(predicted(direction)) + shrunk(direction)
        length = (norm / np.maximum(np.vecdot(direction, product), smallest))[:, None]
        weights = weights + length * direction
        residual = residual - length * product
        before = norm
    return weights
