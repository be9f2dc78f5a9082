"""A picture with the true and the predicted boxes drawn over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.answers.canvas import COLOURS
from core.shown import data_uri, png

if TYPE_CHECKING:
    import numpy as np
    from PIL.ImageDraw import ImageDraw

EDGE = 400  # pixels of the longer edge of what is drawn
MOST_DRAWN = 10  # predicted boxes
TRUE, PREDICTED = COLOURS[0], COLOURS[4]
DASH = 6
LETTER = 13


def drawn(picture: np.ndarray, row: Mapping[str, Any]) -> str:
    """Return a picture with its boxes as a data URI: true ones solid, the surest predicted ones dashed.

    Args:
        picture: uint8, shape `(height, width)` or `(height, width, channels)`, of any size.
        row: `size`, height and width that the boxes refer to, `true` and `predicted`.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    grey = picture.ndim == 3 and picture.shape[-1] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture).convert("RGB")
    scale = EDGE / max(image.size)
    # A small picture keeps its pixels, so that it can be seen what the model saw.
    image = image.resize(
        (max(round(image.width * scale), 1), max(round(image.height * scale), 1)),
        Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS,
    )
    height, width = row["size"]
    stretch = np.array([image.width / width, image.height / height] * 2)
    canvas = ImageDraw.Draw(image)
    surest = sorted(row["predicted"], key=lambda each: -each["score"])[:MOST_DRAWN]
    for each in row["true"]:
        corners = (np.array(each["box"]) * stretch).tolist()
        canvas.rectangle(corners, outline="white", width=4)
        canvas.rectangle(corners, outline=TRUE, width=2)
        _name(canvas, each["label"], TRUE, corners[0], corners[1])
    for each in reversed(surest):
        corners = (np.array(each["box"]) * stretch).tolist()
        _dashed(canvas, corners)
        _name(canvas, f"{each['label']} {each['score']:.2f}", PREDICTED, corners[0], corners[3] - LETTER - 3)
    return data_uri("image/png", png(np.asarray(image), EDGE))


def overlaid(picture: np.ndarray, boxes: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return a picture in its own size with boxes over it, a colour a label, the surest on top.

    Args:
        picture: uint8, shape `(height, width, channels)`.
        boxes: Each with `label`, `box` in pixels, and `score`.

    Returns:
        uint8, shape `(height, width, 3)`.

    Example:

    >>> import numpy as np
    >>> cat = {"label": "cat", "box": [8.0, 8.0, 24.0, 24.0], "score": 0.9}
    >>> overlaid(np.zeros((32, 32, 1), np.uint8), [cat])[16, 8].tolist()
    [0, 114, 178]
    """
    import numpy as np
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("RGB")
    canvas = ImageDraw.Draw(image)
    line, letter = max(round(max(image.size) / 320), 1), max(round(max(image.size) / 45), 9)
    labels = sorted({each["label"] for each in boxes})
    for each in sorted(boxes, key=lambda each: each["score"]):
        colour = COLOURS[labels.index(each["label"]) % len(COLOURS)]
        left, top, right, bottom = each["box"]
        canvas.rectangle([left, top, right, bottom], outline=colour, width=line)
        _name(canvas, f"{each['label']} {each['score']:.2f}", colour, left, top - letter - 3, letter)
    return np.asarray(image)


def _dashed(canvas: ImageDraw, corners: list[float]) -> None:
    left, top, right, bottom = corners
    for colour, width in (("black", 4), (PREDICTED, 2)):
        for y in (top, bottom):
            for start in range(round(left), round(right), 2 * DASH):
                canvas.line([start, y, min(start + DASH, right), y], colour, width)
        for x in (left, right):
            for start in range(round(top), round(bottom), 2 * DASH):
                canvas.line([x, start, x, min(start + DASH, bottom)], colour, width)


def _name(canvas: ImageDraw, text: str, colour: str, left: float, top: float, letter: int = LETTER) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(letter)
    width = canvas.textlength(text, font) + 6
    left = min(max(left, 0.0), max(canvas.im.size[0] - width, 0.0))
    top = min(max(top, 0.0), canvas.im.size[1] - letter - 3.0)
    canvas.rectangle([left, top, left + width, top + letter + 3], fill=colour)
    canvas.text((left + 3, top), text, fill="white" if colour == TRUE else "black", font=font)
