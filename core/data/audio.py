"""Sound: a folder for each word, a manifest, or names that say what a recording holds."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.folders import PART_NAMES, labelled_files, part_folders
from core.data.larger_than_memory import in_threads
from core.data.sound import one_channel
from core.data.tables import JSON_LINES, SEPARATORS, read_table, table_suffix
from core.errors import UserError
from core.wording import counted

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au")
MANIFESTS = (*SEPARATORS, *JSON_LINES)
OFFICIAL_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
# Of a sound that somebody sent: what is beyond is no recording, and would cost much memory.
MAX_CHANNELS, MIN_RATE, MAX_RATE = 8, 4_000, 192_000
MOST_SAMPLES_A_SECOND = 2 * 96_000  # of all channels of a sound that somebody sent; of more it may be shorter
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
        path: A folder that holds a folder for each word, maybe with the official lists of Speech Commands, or
            folders named after the parts (`train`, ...) that hold one for each word; a manifest (JSON lines,
            CSV or TSV) with `audio_filepath` and `label` or `text`, and maybe `speaker` and `split`; or, with
            `names`, a folder or zip archive of recordings.
        sample_rate: Samples a second that every recording is brought to.
        names: What file names say, such as `{label}_{speaker}_{take}`; each name becomes a column.
        skip_bad: Leave out recordings that can't be read, and count them; else refuse them.

    Returns:
        The parts, with columns `wave` (ragged int16), `label` and whatever else the source says; and notes.

    Raises:
        UserError: There are no recordings, or one can't be read; the message names the file.
    """
    notes: list[str] = []
    if names is not None:
        listed = {"train": _by_name(path, names)}
    elif path.is_file():
        listed, notes = _by_manifest(path, skip_bad)
    else:
        listed = _by_folder(path)
    parts = {}
    for part, (recordings, columns) in listed.items():
        waves, good = decoded(recordings, sample_rate, skip_bad=skip_bad)
        if not good.all():
            notes.append(f"{counted((~good).sum(), 'recording')} of {part} left out that can't be read")
        told = {name: np.array(values)[good] for name, values in columns.items()}
        parts[part] = Examples({"wave": waves, **told}, str(path))
    return parts, tuple(notes)


Listed = tuple[list[Recording], dict[str, list[str]]]


def _by_folder(path: Path) -> dict[str, Listed]:
    if any((path / name).is_file() for name in OFFICIAL_LISTS.values()):
        return _by_official_lists(path)
    listed = {}
    for part, folder in part_folders(path).items():
        files, labels = labelled_files(folder, SUFFIXES, "recordings")
        listed[part] = [Recording(file) for file in files], {"label": labels}
    return listed


def _by_official_lists(path: Path) -> dict[str, Listed]:
    """Return the parts of Speech Commands (Warden, 2018), whose lists name the files of two of them."""
    part_of: dict[str, str] = {}
    for part, name in OFFICIAL_LISTS.items():
        if (path / name).is_file():
            part_of |= dict.fromkeys((path / name).read_text(encoding="utf-8").split(), part)
    listed: dict[str, Listed] = {}
    for file, label in zip(*labelled_files(path, SUFFIXES, "recordings"), strict=True):
        part = part_of.get(file.relative_to(path).as_posix(), "train")
        recordings, columns = listed.setdefault(part, ([], {"label": [], "speaker": []}))
        recordings.append(Recording(file))
        columns["label"].append(label)
        columns["speaker"].append(file.stem.split("_nohash_")[0])
    if "train" not in listed:
        raise UserError(
            f"The lists in {path} leave no recording to train on. Received: {len(part_of)} names."
        )
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
    if len(columns) < names.count("{") or not all(name.isidentifier() for name in columns):
        raise UserError(
            f"Each {{name}} in names must be a word, and stand there once. Received: names={names!r}."
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


def _by_manifest(path: Path, skip_bad: bool) -> tuple[dict[str, Listed], list[str]]:
    if path.suffix.lower() == ".zip":
        raise UserError(
            "What is in a zip archive is told by the names of its files: give names=, such as "
            f"names='{{label}}_{{speaker}}_{{take}}'. Received: {path}."
        )
    if table_suffix(path) not in MANIFESTS:
        raise UserError(f"A manifest ends in {', '.join(MANIFESTS)}. Received: {path}.")
    labels = ("label", "text", "command", "word")
    examples, left_out = read_table(path, {"path": "audio_filepath"}, skip_bad=skip_bad, classes=labels)
    label = next((name for name in labels if name in examples), None)
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
    others = len(examples) - sum(len(recordings) for recordings, _ in listed.values())
    if others:
        left_out = (*left_out, f"{counted(others, 'line')} of {path.name} left out, of no part that is used")
    return listed, list(left_out)


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
    good = np.zeros(len(recordings), bool)

    def waves() -> Iterator[np.ndarray]:
        opened = in_threads(
            lambda item: _opened(item[0], item[1], sample_rate, skip_bad), _contents(recordings)
        )
        for row, wave in enumerate(opened):
            if wave is not None:
                good[row] = True
                yield wave

    gathered = Ragged.gathered(waves(), np.int16)
    if not good.any():
        raise UserError(
            f"None of {len(recordings)} recordings can be read. "
            f"Received: {', '.join(map(str, recordings[:3]))}."
        )
    return gathered, good


Content = Path | io.BytesIO | Exception


def _contents(recordings: Sequence[Recording | Path]) -> Iterator[tuple[str, Content]]:
    """Yield the name and the place of each recording; of a damaged member of an archive, the error."""
    archives: Mapping[Path, zipfile.ZipFile] = {}
    for item in recordings:
        recording = item if isinstance(item, Recording) else Recording(item)
        if not recording.member:
            yield str(recording), recording.path
            continue
        if recording.path not in archives:
            archives = {recording.path: zipfile.ZipFile(recording.path)}
        try:
            content: Content = io.BytesIO(archives[recording.path].read(recording.member))
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
            content = error
        yield str(recording), content


def decoded_upload(content: bytes, sample_rate: int, max_seconds: float) -> np.ndarray:
    """Read one sound file that somebody sent, in memory.

    Args:
        content: The whole file.
        sample_rate: Samples a second to bring it to.
        max_seconds: A sound that is longer, or has more samples than two channels of 96 kHz of that length,
            is refused before it is decoded whole.

    Returns:
        int16, shape `(num_samples,)`.

    Raises:
        UserError: It can't be read as a sound, or is too long.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if file.channels > MAX_CHANNELS or not MIN_RATE <= file.samplerate <= MAX_RATE:
                raise ValueError(f"it has {file.channels} channels of {file.samplerate:,} samples a second")
            rate = min(file.samplerate, MOST_SAMPLES_A_SECOND // file.channels)
            longest = int(max_seconds * rate)
            # What a header says of the length may be wrong, so one more is read than may be.
            sound = file.read(longest + 1, dtype="float32", always_2d=True)
            if len(sound) > longest:
                raise ValueError(f"it is longer than {longest / file.samplerate:g} s")
            return one_channel(sound, file.samplerate, sample_rate)
    except soundfile.LibsndfileError:
        raise UserError(
            f"A sound file must be one of {', '.join(suffix[1:] for suffix in SUFFIXES)}. Received: "
            f"{len(content):,} bytes of something else, or a broken file."
        ) from None
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(f"The file can't be read as a sound: {error}.") from None


def _opened(name: str, source: Content, sample_rate: int, skip_bad: bool) -> np.ndarray | None:
    import soundfile

    try:
        if isinstance(source, Exception):
            raise ValueError(source)
        sound, rate = soundfile.read(source, dtype="float32", always_2d=True)
        return one_channel(sound, rate, sample_rate)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError) as error:
        if skip_bad:
            return None
        if isinstance(source, Path) and not source.exists():
            raise UserError(
                "There is no recording at this path; a training leaves such out with skip_bad=true. "
                f"Received: {name}."
            ) from None
        raise UserError(
            f"{name} can't be read as a recording: {str(error).rstrip('.')}. Remove it; a training leaves "
            "such files out with skip_bad=true."
        ) from None
