"""Why a detector is sure of a box: what each cell of a grid over the picture adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.vision.boxes.answers import NUM_BINS, candidates_of
from apps.vision.boxes.letterbox import Letterbox, letterboxed

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from apps.vision.boxes.encoder import DetectionEncoder
    from core.task.explanation import Anatomy, Explanation, Part

CELLS = 8  # along the shorter side of a picture


def explained_box(
    model: keras.Model,
    outputs_of: Callable[[np.ndarray], Iterable[Mapping[str, np.ndarray]]],
    encoder: DetectionEncoder,
    picture: np.ndarray,
    answer: dict[str, Any],
    method: str | None,
) -> Explanation:
    """Return what the cells of a picture add to the log-odds of the class of its surest box.

    Args:
        model: From pictures to what every place or proposal says.
        outputs_of: From pictures to the same by name.
        encoder: Of the model.
        picture: uint8, in its own size.
        answer: What `predict` says of it; where it has no box, the surest candidate is explained.
        method: As `core.task.explanation.explained` takes it.
    """
    import keras

    from core.task.explanation import explained

    shape = encoder.shape[:2]
    fits = letterboxed(picture, shape)[None]
    (outputs,) = outputs_of(fits)
    ((boxes, probabilities),) = candidates_of(outputs, shape)
    place, label = np.unravel_index(probabilities.argmax(), probabilities.shape)
    logit = _log_odds(model, int(place), int(label))
    # Beside a logit of 0 the log-odds of a softmax are the logit of the class itself.
    both = keras.layers.Concatenate()([keras.ops.zeros_like(logit), logit])
    one_place = keras.Model(model.input, both)
    fitted = Letterbox.of((picture.shape[0], picture.shape[1]), shape)
    name = encoder.labels[int(label)]
    shown = f"{name} at {', '.join(f'{side:.0f}' for side in fitted.boxes_out(boxes[place][None])[0])}"
    return explained(one_place, fits, _anatomy(one_place, fits[0], boxes[place]), (1, shown), answer, method)


def _log_odds(model: keras.Model, place: int, label: int) -> Any:
    """Return the log-odds of a class, `(batch_size, 1)`: at one place or, where places move, anywhere."""
    from keras import ops

    outputs = model.output
    if not isinstance(outputs, dict):
        return outputs[:, place, 4 * NUM_BINS + label][:, None]
    logits = outputs["classes"]
    others = [each for each in range(logits.shape[-1]) if each != label]
    rest = ops.logsumexp(ops.stack([logits[..., each] for each in others], axis=-1), axis=-1)
    return ops.max(logits[..., label] - rest, axis=1, keepdims=True)


def _anatomy(model: keras.Model, picture: np.ndarray, box: np.ndarray) -> Anatomy:
    import keras

    from core.task.explanation import Anatomy, grid

    layer = next(each for each in model.layers if isinstance(each, keras.layers.Rescaling))
    height, width = picture.shape[:2]
    step = min(height, width) / CELLS

    def parts(pixels: np.ndarray) -> tuple[list[str], np.ndarray]:
        cells = grid((height, width), (round(height / step), round(width / step)))
        masks = np.zeros((len(cells), *pixels.shape), bool)
        for mask, cell in zip(masks, cells, strict=True):
            mask[cell] = True
        return [f"rows {r.start}-{r.stop - 1}, columns {c.start}-{c.stop - 1}" for r, c in cells], masks

    def draw(figure: Figure, pixels: np.ndarray, adds: np.ndarray, cells: Sequence[Part]) -> None:
        from matplotlib.patches import Rectangle

        figure.set_size_inches(8, 3.6)
        left, right = figure.subplots(1, 2)
        left.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray")
        left.set_title("the box that is explained")
        heat = adds.sum(axis=-1)
        # A few pixels that matter most would leave the rest without colour.
        most = np.percentile(np.abs(heat), 99.5) or 1.0
        drawn = right.imshow(heat, cmap="PuOr_r", vmin=-most, vmax=most)
        right.set_title("what each pixel adds")
        figure.colorbar(drawn, ax=right, shrink=0.75, label="log-odds of the class")
        for panel in (left, right):
            corner, sides = box[:2], box[2:] - box[:2]
            panel.add_patch(Rectangle(tuple(corner), *sides, fill=False, edgecolor="#D55E00", linewidth=2))
            panel.set_axis_off()

    return Anatomy(layer.name, parts, draw)
