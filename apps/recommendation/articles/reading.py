"""News and impressions as MIND has them: `news.tsv` and `behaviors.tsv`, in one folder or one a part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.data.published_parts import PART_NAMES
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    from core.data.examples import Examples

NEWS, BEHAVIORS = "news.tsv", "behaviors.tsv"
NEWS_COLUMNS = "id, category, subcategory, title"
BEHAVIORS_COLUMNS = "impression id, user, time, history, impressions"
TIME = "%m/%d/%Y %I:%M:%S %p"


class Impression(NamedTuple):
    """What one user was shown at one time, and clicked of it."""

    user: str
    time: int
    history: str
    candidates: str
    clicked: str


class Passed(NamedTuple):
    """A line that is no impression to learn from, and why."""

    reason: str


def folders_of_parts(folder: Path) -> Mapping[str, Path]:
    """Return the folders of the parts: the folder itself as `train`, or those in it by their names.

    Raises:
        UserError: There is neither, or no training part.
    """
    if (folder / BEHAVIORS).is_file():
        return {"train": folder}
    parts: dict[str, Path] = {}
    for path in sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else ():
        words = re.split("[^a-z]+|mindsmall|mindlarge", path.name.lower())
        for part, names in PART_NAMES.items():
            if set(names) & set(words) and (path / BEHAVIORS).is_file():
                parts[part] = path
    if "train" not in parts:
        raise UserError(
            f"The data are a folder with {NEWS} and {BEHAVIORS}, or with folders train, dev and test. "
            f"Received: {folder}, where there is neither."
        )
    return parts


def read_parts(
    folder: Path, titles: Mapping[str, str], *, skip_bad: bool = False
) -> tuple[dict[str, Examples], list[str]]:
    """Return the impressions of each part, and notes of the reading.

    Where `dev` stands without `test`, it is the test part: MIND keeps the clicks of its own test part secret.

    Args:
        folder: That of the data.
        titles: Of all articles, by their ids.
        skip_bad: Leave out impressions that can't be learnt from, and count them.

    Raises:
        UserError: A file or a column is missing, or an impression is bad; the message names file and line.
    """
    parts, notes = {}, []
    for part, path in folders_of_parts(folder).items():
        parts[part], said = read_impressions(path / BEHAVIORS, titles, skip_bad=skip_bad)
        notes += said
    if "validation" in parts and "test" not in parts:
        parts["test"] = parts.pop("validation")
        notes.append("the dev part is the test part, as there is no other")
    return parts, notes


def read_titles(folder: Path) -> dict[str, str]:
    """Return the titles of all articles of a folder and its parts, by their ids.

    Raises:
        UserError: A file is missing, or a line lacks a column.
    """
    titles: dict[str, str] = {}
    for path in folders_of_parts(folder).values():
        if not (path / NEWS).is_file():
            raise UserError(f"Beside {BEHAVIORS} belongs {NEWS}, with the titles. Received: {path}.")
        for number, fields in _lines(path / NEWS):
            if len(fields) < 4:
                raise UserError(
                    f"{path / NEWS}, line {number}: an article has {NEWS_COLUMNS}, with tabs between. "
                    f"Received: {counted(len(fields), 'column')}."
                )
            titles[fields[0].strip()] = fields[3].strip()
    return titles


def read_impressions(
    path: Path, titles: Mapping[str, str], *, skip_bad: bool = False
) -> tuple[Examples, list[str]]:
    """Return the impressions of a file as columns of texts, with `time` in seconds, and notes.

    Args:
        path: Of `behaviors.tsv`.
        titles: Of all articles, by their ids.
        skip_bad: Leave out impressions that can't be learnt from, and count them.

    Raises:
        UserError: A line is no impression, or one without a click.
    """
    from core.data.examples import Examples

    impressions, passed, alike = [], 0, 0
    for number, fields in _lines(path):
        impression = _impression(fields, titles)
        if isinstance(impression, Impression):
            if "0" not in impression.clicked:
                alike += 1
            else:
                impressions.append(impression)
        elif skip_bad:
            passed += 1
        else:
            raise UserError(
                f"{path}, line {number}: {impression.reason} Mend the file, or leave such lines out with "
                "skip_bad=true."
            )
    if not impressions:
        raise UserError(
            f"{path} has no impression with a click and without. Received: {passed + alike} others."
        )
    user, time, history, candidates, clicked = zip(*impressions, strict=True)
    notes = [f"{counted(passed, 'bad line')} of {path} left out"] if passed else []
    if alike:
        notes.append(f"{counted(alike, 'impression')} of {path} left out, where all was clicked")
    columns: dict[str, Any] = {"user": user, "time": np.array(time, np.int64), "history": history}
    columns |= {"candidates": candidates, "clicked": clicked}
    return Examples(columns, str(path)), notes


def _impression(fields: list[str], titles: Mapping[str, str]) -> Impression | Passed:
    if len(fields) < 5:
        return Passed(
            f"an impression has {BEHAVIORS_COLUMNS}, with tabs between. "
            f"Received: {counted(len(fields), 'column')}."
        )
    _, user, written, history, shown = (field.strip() for field in fields[:5])
    try:
        time = int(datetime.strptime(written, TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return Passed(f"a time is written such as 11/15/2019 8:55:22 AM. Received: {written!r}.")
    candidates, clicked = [], []
    for each in shown.split():
        item, dash, label = each.rpartition("-")
        if not dash or label not in ("0", "1"):
            return Passed(f"what is shown is written such as N1-1 N2-0, 1 for a click. Received: {each!r}.")
        candidates.append(item)
        clicked.append(label)
    if "1" not in clicked:
        return Passed(f"the impression has no click. Received: {shown[:60]!r}.")
    unknown = next((item for item in (*history.split(), *candidates) if item not in titles), None)
    if unknown is not None:
        return Passed(f"an article has no title in {NEWS}. Received: {unknown!r}.")
    return Impression(user, time, history, " ".join(candidates), " ".join(clicked))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is no text in UTF-8: {error.reason}. Received: byte {error.start}."
        ) from None
