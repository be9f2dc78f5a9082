"""Pretrained text backbones of KerasHub, by preset name or preset folder."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from core.errors import UserError
from core.presets import from_preset

CHUNK = 1024


@functools.lru_cache(maxsize=4)
def preprocessor(preset: str, length: int) -> Any:
    """Return the layer that makes of texts what a backbone reads, which takes longer to make than to use.

    Args:
        preset: Name or folder.
        length: Tokens that are read of each text.

    Raises:
        UserError: There is no such preset, or so few tokens leave no room for a text.
    """
    made = from_preset("TextClassifierPreprocessor", preset, sequence_length=length)
    if np.all(np.asarray(made([""])["token_ids"]) != made.tokenizer.pad_token_id):
        raise UserError(
            "task.max_length leaves no room for a text beside the tokens that this preset adds to each. "
            f"Received: {length}."
        )
    return made


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


def cut_off(preset: str, texts: np.ndarray, length: int) -> np.ndarray:
    """Return which texts are longer than what is read of them, bool, shape `(num_texts,)`.

    Args:
        preset: Name or folder.
        texts: Any number of them.
        length: Tokens that are read of each.
    """
    longer = preprocessed(preset, texts, length + 1)
    return np.asarray(np.asarray(longer["padding_mask"], bool).all(axis=1))


def pooled(preset: str, length: int) -> tuple[dict[str, Any], Any]:
    """Return the symbolic inputs of a backbone, and its vector for a whole text.

    The vector is the backbone's own pooled output where it has one, and otherwise the mean over the tokens.

    Args:
        preset: Name or folder.
        length: Tokens of a text.

    Raises:
        UserError: There is no such preset, it is no text encoder, or it reads fewer tokens.
    """
    import keras
    from keras import ops

    backbone = from_preset("Backbone", preset)
    if not isinstance(backbone.input, dict) or "token_ids" not in backbone.input:
        raise UserError(
            f"The preset is no text encoder, but a {type(backbone).__name__}. Received: preset={preset!r}."
        )
    longest = getattr(backbone, "max_sequence_length", None)
    if longest is not None and length > longest:
        raise UserError(f"task.max_length is at most {longest} with this preset. Received: {length}.")
    inputs = {name: keras.Input((length,), dtype="int32", name=name) for name in backbone.input}
    outputs = backbone(inputs)
    if isinstance(outputs, dict) and "pooled_output" in outputs:
        return inputs, outputs["pooled_output"]
    sequence = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
    mask = ops.cast(inputs["padding_mask"], sequence.dtype)[..., None]
    return inputs, ops.sum(sequence * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)
