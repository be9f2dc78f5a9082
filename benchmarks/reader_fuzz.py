"""Feeds every reader of files with damaged ones: each must be read, or be refused in one line.

    python -m benchmarks.reader_fuzz [READER...] [--minutes 5] [--seed 0] [--keep FOLDER]

Pictures, sounds, manifests, archives, tables, ratings, titles, idx files, JSON and YAML. Whatever ends in
another error, takes longer than 10 seconds, or is refused in several lines, is printed and kept.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import re
import signal
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UserError

SECONDS = 10.0  # that reading a small file takes at most
LONGEST = 2_000  # characters of a refusal
ADDRESS = re.compile(r"at 0x[0-9a-f]{6,}")
TOKENS = (
    *(b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\t", b"::", b'"', b"'", b",", b"{", b"}"),
    *(b"[" * 3000, b"nan", b"inf", b"-1", b"1e999", b"NULL", b"\\ud800", b"\xed\xa0\x80", b"9" * 5000),
    *(b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"&a [*a]", b"? ", b"2020-13-45"),
)


class SlowError(Exception):
    """Reading took too long."""


@dataclass(frozen=True)
class Reader:
    """What reads a kind of file, and whole files of this kind.

    Args:
        read: From the path of a damaged file to whatever is read.
        seeds: Name of a file to its content.
    """

    read: Callable[[Path], Any]
    seeds: dict[str, bytes]


@dataclass(frozen=True)
class Finding:
    """A file that was neither read nor refused in a line.

    Args:
        reader: That met it.
        outcome: What happened instead.
        name: Of the file.
        content: Of it.
    """

    reader: str
    outcome: str
    name: str
    content: bytes


def readers() -> dict[str, Reader]:
    """Return every reader by its name."""
    return {
        "pictures": Reader(_read_picture, _pictures()),
        "idx": Reader(_read_idx, _idx()),
        "sounds": Reader(_read_sound, _sounds()),
        "manifests": Reader(_read_manifest, _manifests()),
        "archives": Reader(_read_archive, _archives()),
        "tables": Reader(_read_table, _tables()),
        "ratings": Reader(_read_ratings, _ratings()),
        "titles": Reader(_read_titles, _titles()),
        "json": Reader(_read_json, _json()),
        "questions": Reader(_read_question, _questions()),
        "yaml": Reader(_read_yaml, _yaml()),
    }


def damaged(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four damages, which may come from another file of the kind."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place, length = chance.randrange(len(content) + 1), chance.choice((1, 2, 4, 8, 64, 1024))
        kind = chance.randrange(7)
        if kind == 0:
            content = content[:place]
        elif kind == 1:
            content = content[:place] + content[place + length :]
        elif kind == 2:
            content = content[:place] + chance.choice(TOKENS) + content[place:]
        elif kind == 3:
            token = chance.choice(TOKENS)
            content = content[:place] + token + content[place + len(token) :]
        elif kind == 4:
            content = content[:place] + chance.randbytes(length) + content[place + length :]
        elif kind == 5:
            content = (
                content[:place] + content[place : place + length] * chance.choice((2, 50)) + content[place:]
            )
        else:
            start = chance.randrange(len(other) + 1)
            content = content[:place] + other[start : start + length] + content[place:]
    return content


def fuzzed(name: str, reader: Reader, folder: Path, seed: int) -> Iterator[tuple[str, Finding | None]]:
    """Yield without end what became of damaged files: `read`, `refused`, or `FAILED` with the finding.

    Args:
        name: Of the reader.
        reader: It.
        folder: An existing one, for the file that is read.
        seed: The same files come for the same seed.
    """
    chance = random.Random(f"{name} {seed}")
    files = list(reader.seeds.items())
    while True:
        file, content = chance.choice(files)
        content = damaged(content, chance.choice(files)[1], chance)
        path = folder / file
        path.write_bytes(content)
        outcome = _outcome(reader.read, path)
        path.unlink()
        verdict = outcome if outcome in ("read", "refused") else "FAILED"
        yield verdict, Finding(name, outcome, file, content) if verdict == "FAILED" else None


def _outcome(read: Callable[[Path], Any], path: Path) -> str:
    """Return `read`, `refused`, or what happened instead."""
    try:
        with _time_limit(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except UserError as error:
        message = str(error)
        if "\n" in message or len(message) > LONGEST or ADDRESS.search(message):
            return f"refused in a way that is not one clear line: {message[:300]!r}"
        return "refused"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/core/" in frame.filename]
        mine = f", called at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
        where = f"{Path(place.filename).name}:{place.lineno}{mine}"
        return f"{type(error).__name__} at {where}: {str(error)[:200]}"
    return "read"


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise SlowError(f"it took longer than {SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _read_picture(path: Path) -> None:
    """Read a picture as training does, and as a server does, which must not read what training refuses."""
    from core.data.images import decoded, decoded_upload

    decoded_upload(path.read_bytes(), (8, 8), 3, max_pixels=1_000_000)
    decoded([path], size=(8, 8), channels=3, levels=None)


def _pictures() -> dict[str, bytes]:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (20, 24, 3), np.uint8)
    kinds: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "grey.png": (Image.fromarray(noise[..., 0]), {}),
        "deep.png": (Image.fromarray(noise[..., 0].astype(np.uint16) * 257), {}),
        "colours.png": (Image.fromarray(noise).quantize(16), {}),
        "plain.jpg": (Image.fromarray(noise), {}),
        "progressive.jpg": (Image.fromarray(noise), {"progressive": True}),
        "grey.gif": (Image.fromarray(noise[..., 0]), {}),
        "lossless.webp": (Image.fromarray(noise), {"lossless": True}),
        "plain.bmp": (Image.fromarray(noise), {}),
    }
    contents = {}
    for name, (picture, options) in kinds.items():
        file = io.BytesIO()
        picture.save(file, Image.registered_extensions()[Path(name).suffix], **options)
        contents[name] = file.getvalue()
    return contents


def _read_idx(path: Path) -> None:
    from core.data.images import read_images

    with tempfile.TemporaryDirectory() as folder:
        for name, content in _idx().items():
            (Path(folder) / name).write_bytes(content)
        (Path(folder) / path.name).write_bytes(path.read_bytes())
        read_images(Path(folder))


def _idx() -> dict[str, bytes]:
    pictures = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x04\0\0\0\x04" + bytes(range(32))
    return {
        "train-images-idx3-ubyte": pictures,
        "train-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\x02\0\1",
        "t10k-images-idx3-ubyte.gz": gzip.compress(pictures, mtime=0),
        "t10k-labels-idx1-ubyte.gz": gzip.compress(b"\0\0\x08\x01\0\0\0\x02\0\1", mtime=0),
    }


def _read_sound(path: Path) -> None:
    from core.data.audio import decoded, decoded_upload

    decoded_upload(path.read_bytes(), 8000, 60.0)
    decoded([path], 8000)


def _sounds() -> dict[str, bytes]:
    import soundfile

    wave = 0.5 * np.sin(np.arange(2000) / 5)
    kinds = {
        "a.wav": ("WAV", "PCM_16"),
        "float.wav": ("WAV", "FLOAT"),
        "a.flac": ("FLAC", "PCM_16"),
        "a.ogg": ("OGG", "VORBIS"),
        "a.opus": ("OGG", "OPUS"),
        "a.mp3": ("MP3", "MPEG_LAYER_III"),
        "a.aiff": ("AIFF", "PCM_16"),
        "a.au": ("AU", "PCM_16"),
        "a.caf": ("CAF", "PCM_16"),
    }
    contents = {}
    for name, (format, subtype) in kinds.items():
        file = io.BytesIO()
        soundfile.write(file, np.stack([wave, wave / 2], axis=1), 8000, format=format, subtype=subtype)
        contents[name] = file.getvalue()
    return contents


def _read_manifest(path: Path) -> None:
    from core.data.audio import read_recordings

    (path.parent / "1.wav").write_bytes(SOUND)
    read_recordings(path, 8000)


def _manifests() -> dict[str, bytes]:
    lines = [
        {"audio_filepath": "1.wav", "label": "a", "offset": 0.0, "duration": 0.1, "split": "train"},
        {"audio_filepath": "1.wav", "label": "b", "offset": 0.1, "duration": 0.1, "split": "test"},
    ]
    return {
        "a.jsonl": "\n".join(map(json.dumps, lines)).encode(),
        "a.csv": b"audio_filepath,label,offset,split\n1.wav,a,0,train\n1.wav,b,.1,dev\n",
        "a.tsv": b"audio_filepath\ttext\tend\n1.wav\ta\t.2\n1.wav\tb\t.1\n",
    }


def _read_archive(path: Path) -> None:
    from core.data.audio import read_recordings

    read_recordings(path, 8000, names="{label}_{take}")


def _archives() -> dict[str, bytes]:
    contents = {}
    for name, packing in (("stored.zip", zipfile.ZIP_STORED), ("deflated.zip", zipfile.ZIP_DEFLATED)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", packing) as archive:
            for member in ("a_1.wav", "b_1.wav", "__MACOSX/._a_1.wav"):
                archive.writestr(member, SOUND)
        contents[name] = file.getvalue()
    return contents


def _read_table(path: Path) -> None:
    from core.data.tables import read_table

    read_table(path, {"text": "text", "label": "label"})


def _tables() -> dict[str, bytes]:
    lines = b'text,label\n"one, two",1\nthree,0\n\n'
    return {
        "a.csv": lines,
        "a.csv.gz": gzip.compress(lines, mtime=0),
        "a.tsv": b'text\tlabel\none "two\t1\nthree\t0\n',
        "a.jsonl": b'{"text": "one", "label": 1}\n{"text": "\\u00e9", "label": 2.5, "x": [1, {"a": 2}]}\n',
    }


def _read_ratings(path: Path) -> None:
    from core.data.ratings import read_ratings

    read_ratings(path)


def _ratings() -> dict[str, bytes]:
    return {
        "ratings.csv": b"userId,movieId,rating,timestamp\n1,10,4.5,100\n2,20,3,200\n",
        "ratings.csv.gz": gzip.compress(b"user,item,rating\n1,10,4.5\n", mtime=0),
        "u.data": b"1\t10\t4.5\t100\n2\t20\t3\t200\n",
        "ratings.dat": b"1::10::4.5::100\n2::20::3::200\n",
        "ratings.txt": b" 1  10 4.5 100\n 2  20 3 200\n",
        "ratings.jsonl": b'{"user": 1, "item": "x", "rating": 3}\n{"user": "NA", "item": "y", "rating": 4}\n',
        "a.inter": b"user_id:token\titem_id:token\trating:float\n1\t10\t4.5\n",
    }


def _read_titles(path: Path) -> None:
    from core.data.ratings import read_titles

    read_titles(path.parent)


def _titles() -> dict[str, bytes]:
    return {
        "movies.csv": b'movieId,title,genres\n10,"Heat, 1995",Crime\n20,Alien,\n',
        "u.item": "10|Am\u00e9lie|01-Jan-1995\n20|Heat|\n".encode("latin-1"),
        "movies.dat": "10::Am\u00e9lie::Comedy\n20::Heat::Crime\n".encode(),
        "a.item": b"item_id:token\tmovie_title:token_seq\n10\tHeat\n",
    }


def _read_json(path: Path) -> None:
    from core.writing import parsed_json

    parsed_json(path)


def _json() -> dict[str, bytes]:
    return {"metrics.json": b'{"test": {"accuracy": 0.5}, "notes": ["\\u00e9", null], "n": [1, 2.5e3, true]}'}


def _read_question(path: Path) -> None:
    """Read a line as the command line takes it, which is text already."""
    from apps.recommendation.catalogue.questions import question

    question(path.read_bytes().decode("utf-8", "replace"))


def _questions() -> dict[str, bytes]:
    return {
        "pair": b'{"user": "196", "item": 50}',
        "taste": b'{"ratings": {"50": 4.5, "100": 3}, "item": "7"}',
        "user": b"196",
    }


def _read_yaml(path: Path) -> None:
    from core.experiment import load_experiment

    load_experiment(str(path))


def _yaml() -> dict[str, bytes]:
    from core.experiment import load_experiment

    names = ("nlp/sentiment", "vision/classification", "recommendation/ratings")
    contents = {f"{name.split('/')[1]}.yaml": load_experiment(name).to_yaml().encode() for name in names}
    return {
        **contents,
        "short.yaml": b"task: {type: apps.nlp.sentiment.Sentiment, data: a.csv}\nfit: {epochs: 3}\n",
    }


def _wave() -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, 0.5 * np.sin(np.arange(2000) / 5), 8000, format="WAV")
    return file.getvalue()


SOUND = _wave()


def main() -> None:
    """Read damaged files for some minutes, by turns, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    known = readers()
    parser.add_argument("readers", nargs="*", choices=[*known, []], help="by default all")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    given = parser.parse_args()
    chosen = given.readers or list(known)
    seen: set[str] = set()
    for name in chosen:
        counts: Counter[str] = Counter()
        end = time.monotonic() + 60 * given.minutes / len(chosen)
        with tempfile.TemporaryDirectory() as folder:
            for outcome, finding in fuzzed(name, known[name], Path(folder), given.seed):
                counts[outcome] += 1
                kind = "" if finding is None else f"{name} {finding.outcome.partition(': ')[0]}"
                if finding is not None and kind not in seen:
                    seen.add(kind)
                    print(f"{name}, {finding.name}: {finding.outcome}", flush=True)
                    if given.keep:
                        given.keep.mkdir(parents=True, exist_ok=True)
                        (given.keep / f"{len(seen)}-{finding.name}").write_bytes(finding.content)
                if time.monotonic() > end:
                    break
        print(f"{name}: {', '.join(f'{count:,} {outcome}' for outcome, count in counts.items())}", flush=True)


if __name__ == "__main__":
    main()
