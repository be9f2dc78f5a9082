"""Recommended items beside those that each user chose: figures, places, and what is recommended at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers, Tree
from core.answers.rankings.findings import findings
from core.answers.rankings.pictures import pictures
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

TOP = 10
MOST_ITEMS = 10  # whose share of all recommendations is reported


class Rankings(Answers):
    """How high the items that each user chose stand in the list that was recommended.

    Args:
        hits: For each user, whether the item at each place of the list was chosen, bool, shape
            `(num_users, TOP)`.
        num_chosen: How many items each user chose, at least 1, shape `(num_users,)`.
        users: Their raw ids.
        recommended: How often each item was recommended.

    Example:

    >>> rows = [{"user": "a", "recommended": ["x", "y"], "chosen": ["y"]}]
    >>> round(Rankings.from_rows(rows).statistics(np.arange(1))["ndcg@10"], 4)
    0.6309
    """

    kind: ClassVar[str] = "rankings"
    mistakes_title: ClassVar[str] = "Users who found nothing"
    figures: ClassVar[Mapping[str, Direction]] = {
        f"ndcg@{TOP}": "max",
        f"hit_rate@{TOP}": "max",
        f"mrr@{TOP}": "max",
        f"recall@{TOP}": "max",
    }

    def __init__(
        self, hits: np.ndarray, num_chosen: np.ndarray, users: list[str], recommended: Mapping[str, int]
    ) -> None:
        self.users = users
        self.recommended = recommended
        self.first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
        discounts = 1 / np.log2(np.arange(2, TOP + 2))
        best = np.cumsum(discounts)[np.minimum(num_chosen, TOP) - 1]
        self.gains = {
            f"ndcg@{TOP}": hits @ discounts / best,
            f"hit_rate@{TOP}": hits.any(axis=1).astype(np.float64),
            f"mrr@{TOP}": np.where(self.first > 0, 1 / np.maximum(self.first, 1), 0.0),
            f"recall@{TOP}": hits.sum(axis=1) / num_chosen,
        }
        self.num_chosen = num_chosen

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Rankings:
        """Read rows with `user`, `recommended` (best first) and `chosen`."""
        hits, num_chosen, users, recommended = [], [], [], Counter[str]()
        for row in rows:
            chosen, items = set(row["chosen"]), row["recommended"][:TOP]
            hits.append([item in chosen for item in items] + [False] * (TOP - len(items)))
            num_chosen.append(max(len(row["chosen"]), 1))
            users.append(str(row["user"]))
            recommended.update(items)
        return cls(np.array(hits, bool), np.array(num_chosen), users, recommended)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def truth(self) -> np.ndarray:
        """The user of each row: two runs can be paired where these are equal."""
        return np.asarray(self.users)

    @property
    def losses(self) -> np.ndarray:
        """The gain that was missed, 1 less NDCG, of each user."""
        return 1 - self.gains[self.figure()]

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return 1 - mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the users at these indices, each as often as it stands there."""
        return {name: float(values[rows].mean()) for name, values in self.gains.items()}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of users who got nothing they chose, those who chose most first."""
        missed = np.flatnonzero(self.first == 0)
        return missed[np.argsort(-self.num_chosen[missed], kind="stable")[:count]]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        counts = np.sort(np.fromiter(self.recommended.values(), np.int64))[::-1]
        shown = np.unique(np.geomspace(1, len(counts), 60).round().astype(int))
        often = sorted(self.recommended.items(), key=lambda pair: -pair[1])[:MOST_ITEMS]
        return {
            "places": np.bincount(self.first, minlength=TOP + 1)[1:].tolist(),
            "missed": int((self.first == 0).sum()),
            "users": len(self),
            "distinct_recommended": len(counts),
            "share_of_most": float(counts[:MOST_ITEMS].sum() / counts.sum()),
            "often_recommended": [{"item": item, "users": users} for item, users in often],
            "concentration": {
                "items": shown.tolist(),
                "share": (np.cumsum(counts)[shown - 1] / counts.sum()).tolist(),
            },
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the user, what they chose and what was recommended, as the task names them."""
        return items_of(example or row)

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)
