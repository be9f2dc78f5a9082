"""What a social recommender learns before any weight: who trusts whom, beside what ratings are like."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.encoder import RatingsEncoder
from core.data.examples import Ragged

FEW = 5


class SocialEncoder(RatingsEncoder):
    """The users and items that training saw, and whom each user trusts."""

    trusted: list[list[int]] = Field(
        default_factory=list, description="numbers of those whom each user trusts; empty without links"
    )

    def links(self) -> Ragged:
        """Return the numbers of those whom each user trusts, int32; row 0 is that of the unknown user.

        Where there are no links, the last user is given the unknown one, who says nothing: tables of a model
        can't be empty.
        """
        nobody = [[], *([[]] * (len(self.users) - 1)), [0]]
        return Ragged.from_rows([[], *self.trusted] if any(self.trusted) else nobody, np.int32)


def amounts(counts: np.ndarray, what: str) -> np.ndarray:
    """Return amounts in words: none, few, or more.

    Example:

    >>> amounts(np.array([0, 5, 6]), "rating").tolist()
    ['no rating', '1 to 5 ratings', 'more than 5 ratings']
    """
    names = np.array([f"no {what}", f"1 to {FEW} {what}s", f"more than {FEW} {what}s"], object)
    return names[np.searchsorted([1, FEW + 1], counts, side="right")]
