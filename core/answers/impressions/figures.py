"""How well scores put what was clicked before what was shown beside it."""

from __future__ import annotations

import numpy as np

CUTOFFS = (5, 10)


def figures_of(scores: np.ndarray, clicked: np.ndarray) -> dict[str, float]:
    """Return the figures of one impression, as the MIND data set defines them.

    MRR is the mean of one over the place of each clicked candidate, not of the first alone. Equal scores
    count half in AUC; in the other figures a clicked candidate stands behind all others of its score.

    Args:
        scores: Of the candidates, shape `(num_candidates,)`.
        clicked: Whether each was clicked, bool, of the same shape; some and not all.

    Source: Wu et al., MIND: A Large-scale Dataset for News Recommendation (2020), section 5.1.

    Example:

    >>> figures_of(np.array([3.0, 2.0, 1.0]), np.array([False, True, False]))["auc"]
    0.5
    """
    order = np.lexsort((clicked, -scores))
    places = np.flatnonzero(clicked[order]) + 1
    own, others = scores[clicked][:, None], scores[~clicked][None, :]
    figures = {
        "auc": float(((own > others) + 0.5 * (own == others)).mean()),
        "mrr": float((1 / places).mean()),
    }
    for cutoff in CUTOFFS:
        best = (1 / np.log2(np.arange(2, min(len(places), cutoff) + 2))).sum()
        gained = (1 / np.log2(places[places <= cutoff] + 1)).sum()
        figures[f"ndcg@{cutoff}"] = float(gained / best)
    return figures
