"""Pretrained text backbones of KerasHub, by preset name or preset folder."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from core.presets import from_preset

CHUNK = 1024


@functools.lru_cache(maxsize=4)
def preprocessor(preset: str, length: int) -> Any:
    """Return the layer that makes of texts what a backbone reads, which takes longer to make than to use.

    Args:
        preset: Name or folder.
        length: Tokens that are read of each text.
    """
    return from_preset("TextClassifierPreprocessor", preset, sequence_length=length)


def preprocessed(preset: str, texts: np.ndarray, length: int) -> dict[str, np.ndarray]:
    """Return texts as the backbone reads them.

    Args:
        preset: Name or folder.
        texts: Any number of them.
        length: Tokens that are read of each.

    Returns:
        Such as `token_ids` and `padding_mask`, each of shape `(num_texts, length)`.
    """
    preprocess = preprocessor(preset, length)
    parts = [preprocess(texts[start : start + CHUNK].tolist()) for start in range(0, len(texts), CHUNK)]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def pooled(preset: str, length: int) -> tuple[dict[str, Any], Any]:
    """Return the symbolic inputs of a backbone, and its vector for a whole text.

    The vector is the backbone's own pooled output where it has one, and otherwise the mean over the tokens.

    Args:
        preset: Name or folder.
        length: Tokens of a text.
    """
    import keras
    from keras import ops

    backbone = from_preset("Backbone", preset)
    inputs = {name: keras.Input((length,), dtype="int32", name=name) for name in backbone.input}
    outputs = backbone(inputs)
    if isinstance(outputs, dict) and "pooled_output" in outputs:
        return inputs, outputs["pooled_output"]
    sequence = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
    mask = ops.cast(inputs["padding_mask"], sequence.dtype)[..., None]
    return inputs, ops.sum(sequence * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)
