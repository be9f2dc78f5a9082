"""What a recommender learns before any weight: who and what there is, how often, and the ratings' range."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.interactions import Interactions, numbered
from core.task.contract import Encoder

if TYPE_CHECKING:
    import pandas as pd

    from core.data.examples import Examples


class RatingsEncoder(Encoder):
    """The users and items that training saw, how often, and what ratings are like."""

    users: list[str] = Field(min_length=1, description="raw ids; the first has number 1")
    items: list[str] = Field(min_length=1, description="raw ids; the first has number 1")
    user_counts: list[int] = Field(description="ratings by each user")
    item_counts: list[int] = Field(description="ratings of each item")
    titles: dict[str, str] = Field(description="raw item ids to titles, where the source has them")
    mean: float = Field(description="of the ratings")
    lowest: float = Field(description="of the ratings")
    highest: float = Field(description="of the ratings")

    @property
    def num_users(self) -> int:
        """Known users and the unknown one, whose number is 0."""
        return len(self.users) + 1

    @property
    def num_items(self) -> int:
        """Known items and the unknown one, whose number is 0."""
        return len(self.items) + 1

    def interactions(self, examples: Examples) -> Interactions:
        """Return the ratings of numbered users and items."""
        users = numbered(examples["user"], self.user_index)
        items = numbered(examples["item"], self.item_index)
        return Interactions(users, items, examples["rating"], self.num_users, self.num_items)

    @cached_property
    def user_index(self) -> pd.Index:
        """The users, in a form that finds their numbers fast."""
        import pandas as pd

        return pd.Index(self.users, dtype=object)

    @cached_property
    def item_index(self) -> pd.Index:
        """The items, likewise."""
        import pandas as pd

        return pd.Index(self.items, dtype=object)

    @cached_property
    def popular(self) -> np.ndarray:
        """The numbers of the items, most rated first."""
        return np.argsort(-np.array(self.item_counts), kind="stable") + 1

    def title(self, item: str) -> str:
        """Return the title of a raw item id, or the id itself."""
        return self.titles.get(item, item)

    def item_name(self, item: int) -> dict[str, str]:
        """Return the raw id of an item, and its title where there is one."""
        name = self.items[item - 1]
        return {"item": name, "title": self.titles[name]} if name in self.titles else {"item": name}


class RankingsEncoder(RatingsEncoder):
    """What rankings learn besides: which method does best."""

    tried: list[dict[str, Any]] = Field(
        default_factory=list,
        description="settings and ndcg@10 of the methods that were tried to choose one, the chosen first",
    )
