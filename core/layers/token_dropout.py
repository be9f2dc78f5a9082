"""Whole tokens left out while training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class TokenDropout(keras.layers.Layer):
    """Replaces a random share of the tokens by another id while training; padding stays.

    Dropping whole tokens makes a model rely on more of them than the few that tell most.

    Args:
        rate: Share of tokens that are replaced, at least 0 and below 1.
        replacement: What takes their place: 0 leaves them out where 0 is masked, or the id of an unknown
            token.
        seed: Of the choice.

    Input shape:
        Token ids, int, of any shape; 0 is padding.

    Output shape:
        The same.

    Reference:
        Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods for Text Classification, 2015,
        section 2.3.1 (word dropout); without scaling, since what follows normalises by what is left.

    Example:

    >>> layer = TokenDropout(0.5, seed=1)
    >>> ops.convert_to_numpy(layer(ops.array([[5, 6, 0]]))).tolist()
    [[5, 6, 0]]
    """

    def __init__(self, rate: float, replacement: int = 0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be at least 0 and below 1. Received: rate={rate}.")
        self.rate = rate
        self.replacement = replacement
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, tokens: Any, training: bool = False) -> Any:
        """Return the tokens, some of them replaced in training."""
        if not training or not self.rate:
            return tokens
        drawn = keras.random.uniform(ops.shape(tokens), dtype="float32", seed=self.seed_generator)
        dropped = ops.logical_and(drawn < self.rate, ops.not_equal(tokens, 0))
        return ops.where(dropped, ops.cast(self.replacement, tokens.dtype), tokens)

    def compute_output_spec(self, tokens: Any, training: bool = False) -> keras.KerasTensor:
        """Return the shape and type of the input."""
        return keras.KerasTensor(tokens.shape, tokens.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = {"rate": self.rate, "replacement": self.replacement, "seed": self.seed}
        return {**super().get_config(), **config}
