"""The sample of click prediction: would a person like a film?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.data.examples import Examples
from core.data.samples import Archive, fetched

FOLDER = "recbole/dataset_example/ml-100k/ml-100k"
MOVIELENS = Archive(
    "recbole",
    "1.2.1",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    (f"{FOLDER}.inter", f"{FOLDER}.item", f"{FOLDER}.user"),
)
LIKED = 4  # stars, from which on a person likes a film


def liked_films() -> Examples:
    """Return the 100,000 ratings of MovieLens 100K as rows of who, what and when, liked or not.

    A person likes a film that they give 4 stars or more, as RecBole has it for click models.

    Returns:
        Columns of texts `user`, `age` (float64), `gender`, `occupation`, `zip`, `film`, `year` (float64),
        `genres` (apart by `|`), `time` (float64, seconds), `label` (no or yes) and `row`.
    """
    from core.data.content import content_hash

    ratings, items, users = (_table(path) for path in fetched(MOVIELENS).values())
    films, people = ({row[0]: row for row in table} for table in (items, users))
    rows = [(*rating, *people[rating[0]][1:], *films[rating[1]][1:]) for rating in ratings]
    user, film, stars, time, age, gender, occupation, place, _, year, genres = zip(*rows, strict=True)
    columns: dict[str, Any] = {
        "user": user,
        "age": np.array(age, np.float64),
        "gender": gender,
        "occupation": occupation,
        "zip": place,
        "film": film,
        "year": np.array([int(text) if text.isdigit() else np.nan for text in year], np.float64),
        "genres": ["|".join(text.split()) for text in genres],
        "time": np.array(time, np.float64),
        "label": np.where(np.array(stars, np.float64) >= LIKED, "yes", "no"),
    }
    examples = Examples(columns, "the MovieLens 100K sample")
    return examples.with_columns(row=content_hash(examples, ("user", "film")))


def _table(path: Path) -> list[list[str]]:
    """Return the rows of a file of RecBole, without its header."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
