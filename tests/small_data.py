"""Small data with something to learn, one source for each domain, in the formats that the readers take."""

from __future__ import annotations

from pathlib import Path

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


def written(path: Path, content: str | bytes) -> Path:
    """Write a file, and return its path."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
