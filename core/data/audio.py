"""Sound: a folder for each word, a manifest, or names that say what a recording holds."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.tables import JSON_LINES, PART_NAMES, SEPARATORS, read_table, table_suffix
from core.errors import UserError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au")
MANIFESTS = (*SEPARATORS, *JSON_LINES)
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Recording:
    """Where a recording is: a file, or a member of a zip archive."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)


def read_recordings(
    path: Path, sample_rate: int, *, names: str | None = None, skip_bad: bool = False
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read recordings with their labels, by the parts that the source names.

    Args:
        path: A folder that holds a folder for each word, or folders named after the parts (`train`, ...) that
            do; a manifest (JSON lines, CSV or TSV) with `audio_filepath` and `label` or `text`, and maybe
            `speaker` and `split`; or, with `names`, a folder or zip archive of recordings.
        sample_rate: Samples a second that every recording is brought to.
        names: What file names say, such as `{label}_{speaker}_{take}`; each name becomes a column.
        skip_bad: Leave out recordings that can't be read, and count them; else refuse them.

    Returns:
        The parts, with columns `wave` (ragged int16), `label` and whatever else the source says; and notes.

    Raises:
        UserError: There are no recordings, or one can't be read; the message names the file.
    """
    if names is not None:
        listed = {"train": _by_name(path, names)}
    elif path.is_file():
        listed = _by_manifest(path, skip_bad)
    else:
        listed = _by_folder(path)
    parts, notes = {}, []
    for part, (recordings, columns) in listed.items():
        waves, good = decoded(recordings, sample_rate, skip_bad=skip_bad)
        if not good.all():
            notes.append(f"{(~good).sum()} recordings of {part} left out that can't be read")
        told = {name: np.array(values)[good] for name, values in columns.items()}
        parts[part] = Examples({"wave": waves, **told}, str(path))
    return parts, tuple(notes)


Listed = tuple[list[Recording], dict[str, list[str]]]


def _by_folder(path: Path) -> dict[str, Listed]:
    folders = {
        part: entry
        for part, spellings in PART_NAMES.items()
        for entry in sorted(path.iterdir())
        if entry.is_dir() and entry.name.lower() in spellings
    }
    listed = {}
    for part, folder in (folders or {"train": path}).items():
        files = [
            (file, entry.name)
            for entry in sorted(folder.iterdir())
            if entry.is_dir() and not entry.name.startswith("_")
            for file in sorted(entry.rglob("*"))
            if file.suffix.lower() in SUFFIXES
        ]
        if not files:
            raise UserError(
                f"{folder} holds no recordings: a folder for each word is expected, with files that end in "
                f"{', '.join(SUFFIXES)}. Received: {', '.join(sorted(e.name for e in folder.iterdir())[:8])}."
            )
        listed[part] = [Recording(file) for file, _ in files], {"label": [label for _, label in files]}
    return listed


def _by_name(path: Path, names: str) -> Listed:
    if path.is_file():
        recordings = [Recording(path, member) for member in _members(path)]
    else:
        recordings = [Recording(file) for file in sorted(path.rglob("*"))]
    recordings = [each for each in recordings if Path(each.member or each.path).suffix.lower() in SUFFIXES]
    columns: dict[str, list[str]] = {name: [] for name in PLACEHOLDER.findall(names)}
    if "label" not in columns:
        raise UserError(
            f"File names must say the label, such as {{label}}_{{speaker}}. Received: names={names!r}."
        )
    pieces = PLACEHOLDER.split(re.sub(r"[.^$*+?()\[\]|\\]", r"\\\g<0>", names))
    pattern = "".join(f"(?P<{piece}>.+?)" if place % 2 else piece for place, piece in enumerate(pieces))
    for recording in recordings:
        stem = Path(recording.member or recording.path).stem
        match = re.fullmatch(pattern, stem)
        if match is None:
            raise UserError(f"{recording} is not named as names={names!r} says. Received: {stem!r}.")
        for name, value in match.groupdict().items():
            columns[name].append(value)
    if not recordings:
        raise UserError(f"{path} holds no recordings that end in {', '.join(SUFFIXES)}.")
    return recordings, columns


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(archive.namelist())
    except zipfile.BadZipFile:
        raise UserError(f"With names=... the data is a folder or a zip archive. Received: {path}.") from None


def _by_manifest(path: Path, skip_bad: bool) -> dict[str, Listed]:
    if table_suffix(path) not in MANIFESTS:
        raise UserError(f"A manifest ends in {', '.join(MANIFESTS)}. Received: {path}.")
    examples, _ = read_table(path, {"path": "audio_filepath"}, skip_bad=skip_bad)
    label = next((name for name in ("label", "text", "command", "word") if name in examples), None)
    if label is None:
        raise UserError(f"{path} has no column label or text. Received: {', '.join(examples.columns)}.")
    examples = examples.with_columns(label=examples[label])
    split = examples["split"] if "split" in examples else np.full(len(examples), "train")
    listed = {}
    for part, spellings in PART_NAMES.items():
        chosen = examples.take(np.isin(split.astype(object), spellings))
        if len(chosen):
            files = [Recording(path.parent / file) for file in chosen["path"].tolist()]
            told = {name: chosen[name].tolist() for name in chosen.columns if name not in ("path", "split")}
            listed[part] = files, told
    if "train" not in listed:
        raise UserError(
            f"{path} has no training part. Received the splits: {', '.join(sorted(set(split.tolist())))}."
        )
    return listed


def decoded(
    recordings: Sequence[Recording | Path], sample_rate: int, *, skip_bad: bool = False
) -> tuple[Ragged, np.ndarray]:
    """Read recordings as one channel at one rate, several at a time.

    Args:
        recordings: Files, or members of zip archives.
        sample_rate: Samples a second.
        skip_bad: Leave out what can't be read.

    Returns:
        Ragged int16 waves of the good ones, and which were good, bool `(num_recordings,)`.

    Raises:
        UserError: A recording can't be read, has no length, or holds values that are not numbers.
    """
    with ThreadPoolExecutor() as pool:
        waves = list(
            pool.map(lambda item: _opened(item[0], item[1], sample_rate, skip_bad), _contents(recordings))
        )
    good = np.array([wave is not None for wave in waves], bool)
    if not good.any():
        raise UserError(
            f"None of {len(waves)} recordings can be read. Received: {', '.join(map(str, recordings[:3]))}."
        )
    return Ragged.from_rows([wave for wave in waves if wave is not None], np.int16), good


def _contents(recordings: Sequence[Recording | Path]) -> Iterator[tuple[str, Path | io.BytesIO]]:
    archives: Mapping[Path, zipfile.ZipFile] = {}
    for item in recordings:
        recording = item if isinstance(item, Recording) else Recording(item)
        if not recording.member:
            yield str(recording), recording.path
            continue
        if recording.path not in archives:
            archives = {recording.path: zipfile.ZipFile(recording.path)}
        yield str(recording), io.BytesIO(archives[recording.path].read(recording.member))


def _opened(name: str, source: Path | io.BytesIO, sample_rate: int, skip_bad: bool) -> np.ndarray | None:
    import soundfile
    import soxr

    try:
        wave, rate = soundfile.read(source, dtype="float32", always_2d=True)
        if not len(wave):
            raise ValueError("it has no length")
        if not np.isfinite(wave).all():
            raise ValueError("it holds values that are not numbers")
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError) as error:
        if skip_bad:
            return None
        told = "there is no such file" if isinstance(source, Path) and not source.exists() else str(error)
        raise UserError(
            f"{name} can't be read as a recording: {told}. Remove it, or leave such files out "
            "with skip_bad=true."
        ) from None
    mono = wave.mean(axis=1)
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    return np.round(np.clip(mono, -1, 1) * 32767).astype(np.int16)
