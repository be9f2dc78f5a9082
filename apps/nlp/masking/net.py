"""The net that says which sub-words are masked, from those on both sides."""

from __future__ import annotations

import keras
from keras import ops

from apps.nlp.subwords.subwords import PADDING
from core.layers import TransformerBlock


def masked_language_model(
    size: int, context: int, *, depth: int, width: int, num_heads: int, dropout: float = 0.0
) -> keras.Model:
    """Return a Transformer that sees both sides, from ids to the logits of what stands at each place.

    Its embedding is its last layer too. Norms come first, and positions turn queries and keys.

    Args:
        size: How many ids there are.
        context: Ids that are read at once.
        depth: Blocks.
        width: Units of a sub-word.
        num_heads: Of attention.
        dropout: Share of the units that is dropped.

    Reference:
        Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers (2019)

    Example:

    >>> masked_language_model(10, 8, depth=1, width=8, num_heads=2).output_shape
    (None, 8, 10)
    """
    start = keras.initializers.RandomNormal(stddev=0.02)
    embed = keras.layers.ReversibleEmbedding(
        size, width, embeddings_initializer=start, reverse_dtype="float32", name="tokens"
    )
    ids = keras.Input((context,), dtype="int32", name="ids")
    is_text = ops.not_equal(ids, PADDING)
    states = keras.layers.Dropout(dropout, name="embedded")(embed(ids))
    for number in range(depth):
        block = TransformerBlock(
            num_heads,
            4 * width,
            causal=False,
            normalization="layer",
            activation="gelu",
            dropout=dropout,
            name=f"block_{number}",
        )
        states = block(states, padding_mask=is_text)
    # Approximate as in the blocks: ONNX has no complement of the error function, which the exact one needs.
    states = ops.gelu(keras.layers.Dense(width, name="last_dense")(states), approximate=True)
    states = keras.layers.LayerNormalization(epsilon=1e-6, name="last_norm")(states)
    return keras.Model(ids, embed(states, reverse=True), name="masked_language_model")
