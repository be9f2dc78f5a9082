"""The tower of a person who trusts others: own factors, those of their items, and those of the others."""

from __future__ import annotations

import keras
from keras import ops

from apps.recommendation.factors.layers import SeenItems
from apps.recommendation.factors.towers import USER_TOWER
from apps.recommendation.friends.layers import ImplicitFactors, PeopleFactors, TrustedMean


def social_tower(
    seen: SeenItems,
    factors: PeopleFactors,
    trusted: SeenItems,
    mean: TrustedMean,
    implicit: ImplicitFactors | None,
) -> keras.Model:
    """Return a tower from people to the sum of what is known of them; see `towers.two_towers`.

    Args:
        seen: What each person has rated.
        factors: Of every person, be they asked for or trusted.
        trusted: The numbers of those whom each person trusts.
        mean: Of the factors of those.
        implicit: Of items, with the bias as the last dimension; nothing where they aren't used.
    """
    ids = keras.Input((), dtype="int32", name="user_ids")
    known, items = seen(ids)
    _, others = trusted(known)
    vectors, bias, of_others = factors(known, others)
    total = ops.concatenate([vectors, bias], axis=-1) + mean(of_others, others)
    if implicit is not None:
        total = total + implicit(items)
    # The product of both sides' vectors adds their biases: each side has a 1 where the other has its bias.
    return keras.Model(ids, ops.concatenate([total, ops.ones_like(total[:, :1])], axis=-1), name=USER_TOWER)


def trusted_layer(model: keras.Model) -> SeenItems:
    """Return the layer that keeps whom each person trusts."""
    return model.get_layer(USER_TOWER).get_layer("trusted")
