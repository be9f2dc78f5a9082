"""Image backbones of KerasHub, from raw pictures to one vector for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import layers

from core.errors import UserError
from core.presets import from_preset

if TYPE_CHECKING:
    import keras


def pooled(pictures: Any, normalised: keras.Layer, preset: str, *, frozen: bool) -> Any:
    """Return the embedding by a KerasHub backbone: the mean over its positions, or tokens.

    Pictures reach it as its preset prepares them: in the size it insists on, in the scale that it was trained
    with, grey ones in three equal channels. A preset that names no scale gets the training part's own.

    Args:
        pictures: Symbolic, 0 to 255, shape `(batch_size, height, width, channels)`.
        normalised: The layer that gives them mean 0 and variance 1 over the training part.
        preset: What `keras_hub.models.Backbone.from_preset` takes: a name, or a local preset folder.
        frozen: Keep the backbone's weights as they are.

    Returns:
        Shape `(batch_size, num_channels)`.

    Raises:
        UserError: There is no such preset, or it is no image backbone.
    """
    model = _loaded(preset)
    model.trainable = not frozen
    height, width, channels = model.input.shape[1:]
    scale, offset = _scale(preset)
    x = normalised(pictures) if scale is None else layers.Rescaling(scale, offset)(pictures)
    if height is not None and (height, width) != x.shape[1:3]:
        x = layers.Resizing(height, width)(x)
    if x.shape[-1] == 1 and channels == 3:
        x = layers.Concatenate()([x, x, x])
    x = model(x, training=False) if frozen else model(x)
    if len(x.shape) == 3:
        return layers.GlobalAveragePooling1D()(x)
    # What explains an answer takes maps from a layer of the outer model, which the backbone's own are not.
    return layers.GlobalAveragePooling2D()(layers.Identity()(x))


def _loaded(preset: str) -> keras.Model:
    model = from_preset("Backbone", preset)
    if not hasattr(model.input, "shape") or len(model.input.shape) != 4:
        raise UserError(
            f"The preset is no image backbone, but a {type(model).__name__}. Received: preset={preset!r}."
        )
    return model


def _scale(preset: str) -> tuple[Any, Any]:
    """Return what pixels are multiplied by and what is added, or nothing where the preset does not say."""
    import keras_hub

    try:
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):
        return None, None
    return converter.scale, converter.offset if converter.offset is not None else 0.0
