"""Low-rank adapters: few weights that are learnt beside those of a trained model, which stay as they are."""

from __future__ import annotations

import keras

LORA = "lora_"  # with which the names of their weights begin


def adapt(model: keras.Model, rank: int) -> None:
    """Give each product and embedding of a model an adapter, and freeze all else.

    A saved model has the adapters merged into its weights, and is then as any other.

    Args:
        model: Built; it is changed.
        rank: Of the adapters.

    Reference:
        Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2022)
    """
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Dense | keras.layers.Embedding):
            layer.enable_lora(rank)
        if not list(layer._flatten_layers(include_self=False)):
            for weight in layer.weights:
                weight.trainable = weight.name.startswith(LORA)


def fill_beside_adapters(model: keras.Model, weights: list[keras.Variable]) -> None:
    """Fill a model with the weights of one that is alike but has no adapters.

    Args:
        model: To which `adapt` gave adapters.
        weights: Of the other, in order.
    """
    own = [weight for weight in model.weights if not weight.name.startswith(LORA)]
    for target, source in zip(own, weights, strict=True):
        target.assign(source)
