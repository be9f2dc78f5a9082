"""The sample of news: films as news, since no news with clicks may be passed on freely."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.data.examples import Examples

LIKED = 4  # stars, from which on a rating stands for a click
SHOWN = 20  # films of an impression, at most
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
PROTOCOL = (
    "films as news: ratings of 4 and more stand for clicks, lower ones for what was shown and not clicked; "
    "the films of the validation part (10%) and of the test part (20%, at random) are not in training"
)


def headlines() -> dict[str, str]:
    """Return the films of MovieLens 100K as headlines by id, such as `Heat (1995): Action Crime`."""
    from core.data.samples import MOVIELENS, fetched

    path = fetched(MOVIELENS)[MOVIELENS.members[1]]
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {item: f"{title} ({year}): {genres}" for item, title, year, genres in rows}


def films_as_news() -> dict[str, Examples]:
    """Return impressions of films for each part, each part of films of its own.

    An impression is up to 20 films that a person rated in turn; its history are the films of the training
    part that they had liked before the first of these.
    """
    from core.data.examples import Examples
    from core.data.samples import movielens_100k

    ratings, _ = movielens_100k()
    order = np.lexsort((ratings["item"], ratings["time"], ratings["user"]))
    ratings = ratings.take(order)
    items, numbers = np.unique(ratings["item"], return_inverse=True)
    names, limits = list(SHARES), np.cumsum(list(SHARES.values()))
    places = np.random.default_rng(0).permutation(len(items)) / len(items)
    part_of = np.searchsorted(limits, places, side="right")[numbers]
    liked = ratings["rating"] >= LIKED
    _, starts = np.unique(ratings["user"], return_index=True)
    columns: dict[str, dict[str, list]] = {
        name: {key: [] for key in ("user", "time", "history", "candidates", "clicked")} for name in names
    }
    for rows in np.split(np.arange(len(ratings)), starts[1:]):
        for part, name in enumerate(names):
            own = rows[part_of[rows] == part]
            for shown in np.split(own, np.arange(SHOWN, len(own), SHOWN)):
                if len(shown) and liked[shown].any() and not liked[shown].all():
                    earlier = rows[(rows < shown[0]) & liked[rows] & (part_of[rows] == 0)]
                    into = columns[name]
                    into["user"].append(ratings["user"][shown[0]])
                    into["time"].append(ratings["time"][shown[0]])
                    into["history"].append(" ".join(ratings["item"][earlier]))
                    into["candidates"].append(" ".join(ratings["item"][shown]))
                    into["clicked"].append(" ".join("1" if each else "0" for each in liked[shown]))
    return {
        name: Examples({**own, "time": np.array(own["time"], np.int64)}, "films as news")
        for name, own in columns.items()
    }
