"""Small data with something to learn, a source for each family of tasks, in the formats that readers take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from PIL import Image


def reviews(folder: Path) -> Path:
    """Write 120 short reviews whose label depends on one word."""
    random = np.random.default_rng(0)
    words = ["film", "plot", "scene", "actor", "story", "music", "light", "camera"]
    lines = ["text\tlabel"]
    for row in range(120):
        label = ("bad", "good")[row % 2]
        told = [*random.choice(words, 5), {"bad": "awful", "good": "lovely"}[label], f"take{row}"]
        lines.append(" ".join(told) + "\t" + label)
    path = folder / "reviews.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def pictures(folder: Path) -> Path:
    """Write 60 pictures of 28 x 28, light above or below, in a folder a class."""
    random = np.random.default_rng(0)
    for row in range(60):
        label = ("above", "below")[row % 2]
        picture = random.integers(0, 80, (28, 28), np.uint8)
        picture[slice(0, 14) if label == "above" else slice(14, 28)] += 150
        (folder / "pictures" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / "pictures" / label / f"{row}.png")
    return folder / "pictures"


def pictures_with_boxes(folder: Path) -> Path:
    """Write 60 pictures of 64 x 64 with one or two light or middling squares, and a CSV of their boxes."""
    random = np.random.default_rng(0)
    lines = ["file,xmin,ymin,xmax,ymax,label"]
    (folder / "scenes").mkdir()
    for row in range(60):
        picture = random.integers(0, 40, (64, 64), np.uint8)
        for half in range(1 + row % 2):
            label, shade = (("light", 240), ("middling", 140))[random.integers(2)]
            side = int(random.integers(16, 26))
            left, top = 32 * half + int(random.integers(0, 32 - side)), int(random.integers(0, 64 - side))
            picture[top : top + side, left : left + side] = shade
            lines.append(f"{row}.png,{left},{top},{left + side},{top + side},{label}")
        Image.fromarray(picture).save(folder / "scenes" / f"{row}.png")
    written(folder / "scenes" / "boxes.csv", "\n".join(lines) + "\n")
    return folder / "scenes"


def ratings(folder: Path) -> Path:
    """Write ratings of 40 users for 30 films, high where the parities of both agree."""
    random = np.random.default_rng(0)
    lines = ["userId,movieId,rating,timestamp"]
    for user in range(40):
        for item in random.choice(30, 15, replace=False):
            rating = (4 if user % 2 == item % 2 else 2) + random.choice([-0.5, 0, 0.5])
            lines.append(f"{user},{item},{rating},{1_000_000 + random.integers(1_000_000)}")
    path = folder / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def words(folder: Path) -> Path:
    """Write 60 recordings, low or high, in a folder a word; they are named after word, speaker and take."""
    random = np.random.default_rng(0)
    time = np.arange(4000) / 8000
    for row in range(60):
        label, pitch = (("low", 300), ("high", 1200))[row % 2]
        wave = np.sin(2 * np.pi * pitch * random.uniform(0.9, 1.1) * time) + random.normal(0, 0.1, 4000)
        (folder / "words" / label).mkdir(parents=True, exist_ok=True)
        name = f"{label}_{('ann', 'bob', 'cy')[row % 3]}_{row // 6}.wav"
        soundfile.write(folder / "words" / label / name, 0.3 * wave, 8000)
    return folder / "words"


def tagged_sentences(folder: Path) -> Path:
    """Write 120 sentences whose names and places are told by the words around them, in columns."""
    random = np.random.default_rng(0)
    names = ["Ann", "Bob", "Cleo", "Dan", "Ann Lee", "Bob Roe"]
    places = ["Rome", "Oslo", "Lima", "New York"]
    lines = []
    for row in range(120):
        name, place = random.choice(names).split(), random.choice(places).split()
        verb = random.choice(["lives", "sleeps", "works", "waits"])
        tagged = [
            *((word, "I-PER" if each else "B-PER") for each, word in enumerate(name)),
            *((word, "O") for word in (verb, "in")),
            *((word, "I-LOC" if each else "B-LOC") for each, word in enumerate(place)),
            *((word, "O") for word in (f"since{row}", ".")),
        ]
        lines += [*(f"{word}\t{tag}" for word, tag in tagged), ""]
    path = folder / "sentences.conll"
    path.write_text("\n".join(lines))
    return path


class Family(NamedTuple):
    """What tasks that take and give the same are tried on.

    Args:
        write: Writes a source into a folder, and returns its path.
        inputs: From the source to raw inputs, as they are typed on a command line.
    """

    write: Callable[[Path], Path]
    inputs: Callable[[Path], list[str]]


def files(folder: Path) -> list[str]:
    """Return the paths of some files of a source."""
    return [str(path) for path in sorted(folder.rglob("*.*"))[:3]]


FAMILIES = {
    ("text", "classes"): Family(reviews, lambda source: ["a lovely film", "an awful plot"]),
    ("text", "tags"): Family(tagged_sentences, lambda source: ["Ann lives in Rome .", "Bob Roe, of Oslo"]),
    ("picture", "classes"): Family(pictures, files),
    ("picture", "boxes"): Family(pictures_with_boxes, files),
    ("sound", "classes"): Family(words, files),
    ("ratings", "numbers"): Family(ratings, lambda source: ["3", "4"]),
    ("ratings", "rankings"): Family(ratings, lambda source: ["3", "4"]),
}
"""By the kinds of inputs that tasks take and, last, the kind of answers that they give."""


def written(path: Path, content: str | bytes) -> Path:
    """Write a file, and return its path."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
