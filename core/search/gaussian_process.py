"""Where a Gaussian process expects the largest improvement."""

from __future__ import annotations

import numpy as np


def most_promising(
    points: np.ndarray, costs: np.ndarray, pending: np.ndarray, candidates: np.ndarray, seed: int
) -> int:
    """Return the index of the candidate with the largest expected improvement.

    Costs are taken by their rank, so that one training that went astray does not flatten all others.

    Args:
        points: What was tried, float, shape `(num_tried, dim)`, each feature in [0, 1].
        costs: What came out, the smaller the better, shape `(num_tried,)`.
        pending: What is being tried, shape `(num_pending, dim)`; it is taken to come out as expected.
        candidates: To choose from, shape `(num_candidates, dim)`.
        seed: Of the restarts of the fit.

    Reference:
        Jones, Schonlau and Welch, 1998, Efficient Global Optimization of Expensive Black-Box Functions,
        equation 15; pending points by Ginsbourger et al., 2010, Kriging Is Well-Suited to Parallelize
        Optimization, section 4 (the kriging believer)

    Example:

    >>> tried = np.array([[0.0], [0.5], [0.6], [1.0]])
    >>> costs = np.array([4.0, 1.0, 1.1, 3.0])
    >>> most_promising(tried, costs, tried[:0], np.array([[0.05], [0.45], [0.95]]), seed=0)
    1
    """
    import warnings

    from scipy.stats import norm, rankdata
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    heights = norm.ppf((rankdata(costs) - 0.5) / len(costs))
    kernel = Matern(np.ones(points.shape[1]), (0.1, 20.0), nu=2.5) + WhiteKernel(0.1, (1e-3, 1.0))
    process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(points, heights)
    if len(pending):
        believed = np.concatenate([heights, process.predict(pending)])
        process = GaussianProcessRegressor(process.kernel_, optimizer=None, normalize_y=True)
        process.fit(np.concatenate([points, pending]), believed)
    mean, deviation = process.predict(candidates, return_std=True)
    lowest = process.predict(points).min()
    gain = (lowest - mean) / np.maximum(deviation, 1e-9)
    return int(np.argmax(deviation * (gain * norm.cdf(gain) + norm.pdf(gain))))
