"""Who trusts whom: links between people, as files have them and as a recommender uses them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.catalogue.interactions import UNKNOWN, grouped, numbered
from core.data.examples import Ragged
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    import pandas as pd

LINK_FILES = ("links.*", "trust.*", "trusts.*", "friends.*", "user_user.*")
"""What a file of links is called beside ratings."""
FIRST_NAMES = ("user", "userid", "user_id", "truster", "trustor", "source", "from", "follower")
"""What the first column is called where there is a header."""


@dataclass(frozen=True, eq=False)
class Links:
    """Links from people to those whom they trust, each once and none to oneself.

    Args:
        people: Raw ids of who trusts, object, shape `(num_links,)`.
        trusted: Raw ids of whom they trust, of the same shape.
        notes: What was left out of the source.
    """

    people: np.ndarray
    trusted: np.ndarray
    notes: Sequence[str] = field(default=())

    def __len__(self) -> int:
        return len(self.people)

    def both_ways(self) -> Links:
        """Return the links and their reverses, each once."""
        return distinct(
            np.concatenate([self.people, self.trusted]),
            np.concatenate([self.trusted, self.people]),
            self.notes,
        )

    def everybody(self) -> np.ndarray:
        """Return the raw ids of all people of the links, sorted."""
        return np.unique(np.concatenate([self.people, self.trusted]))

    def by_person(self, users: Sequence[str]) -> Ragged:
        """Return the numbers of those whom each user trusts; row 0, of the unknown user, is empty.

        Args:
            users: Raw ids; the first has number 1. A link of anybody else is left out.

        Example:

        >>> links = Links(np.array(["a", "a"], object), np.array(["b", "nobody"], object))
        >>> links.by_person(["a", "b"])[1].tolist()
        [2]
        """
        people, trusted = numbered(self.people, users), numbered(self.trusted, users)
        known = (people != UNKNOWN) & (trusted != UNKNOWN)
        places = grouped(people[known], len(users) + 1)
        return Ragged(trusted[known][places.values], places.offsets)


def distinct(people: np.ndarray, trusted: np.ndarray, notes: Sequence[str] = ()) -> Links:
    """Return links without those to oneself and without repetitions, in their order; notes tell the first."""
    import pandas as pd

    own = people == trusted
    if own.any():
        notes = (*notes, f"{counted(int(own.sum()), 'link')} to oneself left out")
    pairs = pd.DataFrame({"people": people[~own], "trusted": trusted[~own]}).drop_duplicates()
    return Links(pairs["people"].to_numpy(object), pairs["trusted"].to_numpy(object), tuple(notes))


def links_beside(ratings: Path) -> Path | None:
    """Return the file of links that lies beside ratings, or nothing.

    Raises:
        UserError: There are several, and it is not said which is meant.
    """
    folder = ratings if ratings.is_dir() else ratings.parent
    files = [file for pattern in LINK_FILES for file in sorted(folder.glob(pattern)) if file.is_file()]
    if len(files) > 1:
        raise UserError(
            f"{folder} holds several files of links: name one with task.links=PATH. "
            f"Received: {', '.join(file.name for file in files)}."
        )
    return files[0] if files else None


def read_links(path: Path) -> Links:
    """Read links, `user user [weight]` a line, by commas, tabs or blanks, with or without a header.

    Links whose weight is 0 or less, which say that somebody is not trusted, are left out and counted.

    Raises:
        UserError: There is no such file, or a line is no link; the message names file and line.
    """
    import pandas as pd

    from core.data.ratings import separator_of
    from core.data.tables import opened_text

    if not path.is_file():
        raise UserError(f"task.links must be a file of two users a line. Received: {path}.")
    try:
        with opened_text(path) as file:
            first = file.readline().strip()
        separator = separator_of(first)
        fields = [name.strip().lower() for name in re.split(separator, first)]
        headed = fields[0] in FIRST_NAMES
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            skiprows=int(headed),
            names=["people", "trusted", "weight"],
            usecols=[0, 1, 2] if len(fields) > 3 else None,
            dtype="str",
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            engine="python" if separator == "::" else "c",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} can't be read as links: {str(error).strip()}.") from None
    return _links(frame, path, first_line=1 + headed)


def _links(frame: pd.DataFrame, path: Path, first_line: int) -> Links:
    """Return the links of a table of texts.

    Raises:
        UserError: A line is no link, or there is none.
    """
    import pandas as pd

    lines = np.arange(len(frame)) + first_line
    filled = ~frame.isna().all(axis=1).to_numpy()
    frame, lines = frame[filled], lines[filled]
    people, trusted = (frame[name].str.strip().to_numpy(object) for name in ("people", "trusted"))
    bad = pd.isna(people) | pd.isna(trusted)
    # A column of numbers that is not there is 1.
    weights = pd.to_numeric(frame["weight"].fillna("1"), errors="coerce").to_numpy(np.float64)
    bad |= ~np.isfinite(weights)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        received = " ".join(str(value) for value in frame.iloc[place].dropna())
        raise UserError(
            f"{path}, line {lines[place]}: a link needs two users and maybe a number. Mend the line. "
            f"Received: {received!r}."
        )
    trusts = weights > 0
    notes = []
    if not trusts.all():
        notes.append(f"{counted(int((~trusts).sum()), 'link')} of weight 0 or less left out")
    links = distinct(people[trusts], trusted[trusts], notes)
    if not len(links):
        raise UserError(f"{path} holds no link between two people. Received: {counted(len(frame), 'line')}.")
    return links
