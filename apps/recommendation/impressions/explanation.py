"""Which columns of a row make a click likely or not, beside a row of average values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from apps.recommendation.impressions.nets import FIELDS, ROW, WEIGHTS
from apps.recommendation.impressions.slots import PADDING, written
from core.errors import MethodError
from core.task.attribution import deletion_gain, integrated_gradients, log_odds, occlusion, predicted, scored
from core.task.explanation import Explanation, Part, draw_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from apps.recommendation.impressions.columns import ClicksEncoder

MOST_SHOWN = 25
CLICK = 1  # the place of its logit


def explained_row(
    model: keras.Model,
    encoder: ClicksEncoder,
    features: Mapping[str, np.ndarray],
    row: Mapping[str, Any],
    answer: dict[str, Any],
    methods: tuple[str, ...],
    method: str | None,
) -> Explanation:
    """Return what each column adds to the log-odds of a click, as against the average of training.

    Args:
        model: From ids and numbers to logits, all of it past the layer `row`.
        encoder: Its columns.
        features: Of one row.
        row: Its values.
        answer: What `predict` says of it.
        methods: Those that the model can be explained by.
        method: One of them; the first by default.

    Raises:
        MethodError: It is none of them.
    """
    method = method or methods[0]
    if method not in methods:
        raise MethodError(f"This model is explained by {', '.join(methods)}. Received: {method!r}.")
    inner = model.get_layer(ROW).output
    value = predicted(keras.Model(model.input, inner), features)[0]
    rest = keras.Model(inner, model.output)

    def score(points: Any) -> Any:
        return log_odds(rest(points, training=False), CLICK)

    baseline, masks = average_row(model, encoder, value.dtype), masks_of(model, encoder, len(value))
    checks: dict[str, float] = {}
    if method == "occlusion":
        shares = occlusion(score, value, baseline, masks)
    else:
        adds, checks["gap"] = integrated_gradients(score, value, baseline)
        shares = (masks * adds).sum(axis=1)
    checks["deletion"] = deletion_gain(score, value, baseline, masks, shares)
    names = [
        f"{name}: {written(row[name]) or 'missing'}" for name in (column.name for column in encoder.columns)
    ]
    names += [f"{pair.name} together" for pair in encoder.pairs]
    parts = [Part(name, float(share)) for name, share in zip(names, shares, strict=True)]
    return Explanation(
        answer=answer,
        target=encoder.labels[CLICK],
        score=float(scored(score, value[None])[0]),
        method=method,
        parts=parts,
        checks=checks,
        draw=lambda figure: _draw(figure, parts),
    )


def average_row(model: keras.Model, encoder: ClicksEncoder, dtype: Any) -> np.ndarray:
    """Return the mean over training of what the layer `row` holds, shape `(size,)`."""
    counts = np.array(encoder.counts, np.float64)
    counts[PADDING] = 0
    means = [
        np.average(table[own], axis=0, weights=counts[own] if counts[own].any() else None)
        for table in (ops.convert_to_numpy(layer.embeddings) for layer in _tables(model))
        for own in (slice(field.first, field.first + field.size) for field in encoder.read_fields)
    ]
    return np.concatenate([*means, encoder.average]).astype(dtype)


def _tables(model: keras.Model) -> list[Any]:
    """Return the layers that look up the fields of a row, in the order of `row`."""
    layers = {layer.name: layer for layer in model.layers}
    return [layers[name] for name in (WEIGHTS, FIELDS) if name in layers]


def masks_of(model: keras.Model, encoder: ClicksEncoder, size: int) -> np.ndarray:
    """Return which values of the layer `row` belong to each column, bool, shape `(num_fields, size)`."""
    fields = encoder.read_fields
    masks = np.zeros((len(fields), size), bool)
    first = 0
    for table in _tables(model):
        for mask in masks:
            mask[first : first + table.output_dim] = True
            first += table.output_dim
    for mask, field in zip(masks, fields, strict=True):
        if field.is_number:
            mask[first] = True
            first += 1
    return masks


def _draw(figure: Figure, parts: list[Part]) -> None:
    shown = sorted(parts, key=lambda part: -abs(part.adds))[:MOST_SHOWN]
    figure.set_size_inches(7, 1.2 + 0.3 * len(shown))
    draw_bars(figure.subplots(), shown, "adds to the log-odds of a click, as against an average row")
