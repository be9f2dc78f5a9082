"""How often values were clicked, in place of what they are called: what trees look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from apps.recommendation.impressions.columns import ClicksEncoder

FOLDS = 5
SMOOTHING = 10.0  # rows at the rate of all that each value is given

Features = dict[str, np.ndarray]
"""What a net reads of rows: `ids`, and `numbers` where there are such."""


def click_rates(encoder: ClicksEncoder, ids: np.ndarray, clicks: np.ndarray) -> np.ndarray:
    """Return how often each id was clicked, drawn towards the rate of all, float32, shape `(num_ids,)`.

    Args:
        encoder: Knows how many ids there are, and the rate of all.
        ids: Of the rows, int, shape `(num_rows, num_slots)`.
        clicks: 1 where a row was clicked, else 0.
    """
    weights = np.repeat(clicks.astype(np.float64), ids.shape[1])
    hits = np.bincount(ids.ravel(), weights, encoder.num_ids) + SMOOTHING * encoder.rate
    return (hits / (np.bincount(ids.ravel(), minlength=encoder.num_ids) + SMOOTHING)).astype(np.float32)


def rates_of_rows(encoder: ClicksEncoder, features: Features, rates: np.ndarray) -> np.ndarray:
    """Return a column for each field: of categories the mean rate of the values, of numbers the number.

    Args:
        encoder: Of the columns.
        features: As a net reads them.
        rates: Of each id.

    Returns:
        float32, shape `(num_rows, num_fields)`, nan where a number is missing.
    """
    columns, first, number = [], 0, 0
    for field in encoder.read_fields:
        if field.is_number:
            columns.append(features["numbers"][:, number])
            number += 1
        else:
            ids = features["ids"][:, first : first + field.slots]
            present = ids > 0
            total = (rates[ids] * present).sum(axis=1)
            columns.append(total / np.maximum(present.sum(axis=1), 1))
        first += field.slots
    return np.stack(columns, axis=1).astype(np.float32)


def rates_without_own(
    encoder: ClicksEncoder, features: Features, clicks: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Return the columns of training rows by the rates in other folds than their own.

    Rates in which a row's own click had a part would tell it.

    Args:
        encoder: Of the columns.
        features: Of the training part.
        clicks: 1 where a row was clicked, else 0.
        seed: Of the folds.

    Returns:
        float32, shape `(num_rows, num_fields)`.

    Reference:
        Micci-Barreca, A Preprocessing Scheme for High-Cardinality Categorical Attributes (2001)
    """
    folds = np.random.default_rng(seed).integers(FOLDS, size=len(clicks))
    columns = np.empty((len(clicks), len(encoder.read_fields)), np.float32)
    for fold in range(FOLDS):
        own = folds == fold
        rates = click_rates(encoder, features["ids"][~own], clicks[~own])
        held = {name: values[own] for name, values in features.items()}
        columns[own] = rates_of_rows(encoder, held, rates)
    return columns
