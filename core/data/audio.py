"""Sound: a folder for each word, a manifest, or names that say what a recording holds."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from core.data.column_names import AUDIO_NAMES, SPOKEN_NAMES, column_called
from core.data.examples import Examples, Ragged
from core.data.file_names import NamePattern
from core.data.folders import (
    files_inside,
    hidden,
    labelled_files,
    part_folders,
    passed_over_notes,
)
from core.data.larger_than_memory import in_threads
from core.data.manifests import beside, by_parts, is_there
from core.data.sound import FLOATS, at_full_scale, learnt_full_scale, one_channel
from core.data.tables import FOUND_OUT, TABLES, Form, read_table, table_suffix
from core.errors import UserError
from core.wording import counted

if TYPE_CHECKING:
    import soundfile

# Of all files that libsndfile tells by their content.
SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga", ".aiff", ".aif", ".aifc"),
    *(".au", ".snd", ".caf", ".w64", ".rf64", ".bwf", ".voc", ".nist", ".sph", ".sf", ".ircam", ".paf"),
    *(".pvf", ".avr", ".htk", ".iff", ".svx", ".8svx", ".16svx", ".xi", ".sds", ".mat", ".wve"),
)
MANIFESTS = TABLES
OFFICIAL_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
# Of a sound that somebody sent: what is beyond is no recording, and would cost much memory.
MAX_CHANNELS, MIN_RATE, MAX_RATE = 8, 4_000, 192_000
MOST_SAMPLES_A_SECOND = 2 * 96_000  # of all channels of a sound that somebody sent; of more it may be shorter
# What a manifest may call the place of a recording in its file, in seconds.
STARTS, ENDS, LENGTHS = ("offset", "start", "start_time"), ("end", "end_time"), ("duration",)
MISSING_SECONDS = 0.1  # that a file may be shorter than a manifest says, whose lengths are rounded


@dataclass(frozen=True)
class Recording:
    """Where a recording is: a file or a member of a zip archive, or a stretch of either.

    Args:
        path: Of the file or the archive.
        member: Of the archive, if it is one.
        start: Seconds into it.
        seconds: How long it is; by default to the end.
    """

    path: Path
    member: str = ""
    start: float = 0.0
    seconds: float | None = None

    def __str__(self) -> str:
        place = f"{self.path}/{self.member}" if self.member else str(self.path)
        if not self.start and self.seconds is None:
            return place
        return f"{place} from {self.start:g} s" + ("" if self.seconds is None else f" for {self.seconds:g} s")


@dataclass(frozen=True)
class SpokenColumns:
    """What a manifest calls its columns, where they have no usual names.

    Args:
        audio: Of the file of each recording, from the manifest's folder.
        label: Of what it is.
        form: How the table is written.
    """

    audio: str | None = None
    label: str | None = None
    form: Form = FOUND_OUT


def read_recordings(
    path: Path,
    sample_rate: int,
    *,
    names: str | None = None,
    full_scale: float | None = None,
    skip_bad: bool = False,
    columns: SpokenColumns | None = None,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read recordings with their labels, by the parts that the source names.

    Args:
        path: A folder that holds a folder for each word, maybe with the official lists of Speech Commands, or
            folders named after the parts (`train`, ...) that hold one for each word; a manifest (any table)
            with `audio_filepath` and `label` or `text`, and maybe `offset` and `duration` in seconds,
            `speaker` and `split`; or, with `names`, a folder or zip archive of recordings.
        sample_rate: Samples a second that every recording is brought to.
        names: What file names say, such as `{label}_{speaker}_{take}`; each name becomes a column.
        full_scale: Of recordings with floats for samples; by default learnt from the training part.
        skip_bad: Leave out recordings that can't be read, and count them; else refuse them.
        columns: What a manifest calls its columns; by default found by usual names.

    Returns:
        The parts, with columns `wave` (ragged int16), `label`, whatever else the source says, and
        `full_scale` where that of floats is not 1; and notes.

    Raises:
        UserError: There are no recordings, or one can't be read; the message names the file.
    """
    if names is not None:
        listed, notes = _by_name(path, NamePattern(names))
    elif path.is_file():
        listed, notes = _by_manifest(path, skip_bad, columns or SpokenColumns())
    else:
        listed, notes = _by_folder(path)
    return decoded_parts(listed, path, sample_rate, full_scale=full_scale, skip_bad=skip_bad, notes=notes)


Listed = tuple[list[Recording], dict[str, list[str]]]
Found = tuple[dict[str, Listed], list[str]]


def decoded_parts(
    listed: Mapping[str, Listed],
    source: Path,
    sample_rate: int,
    *,
    full_scale: float | None = None,
    skip_bad: bool = False,
    notes: Sequence[str] = (),
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read the recordings of each part that a source lists.

    Args:
        listed: Part to its recordings, and to what else is known of each, by column.
        source: Where the lists come from.
        sample_rate: Samples a second that every recording is brought to.
        full_scale: Of recordings with floats for samples; by default learnt from the training part.
        skip_bad: Leave out recordings that can't be read, and count them; else refuse them.
        notes: What is known of the reading already.

    Returns:
        What `read_recordings` does.
    """
    remarks = list(notes)
    parts = {}
    # The training part says what the others are read by.
    for part in sorted(listed, key=lambda part: part != "train"):
        recordings, columns = listed[part]
        waves, good, full_scale = _decoded(recordings, sample_rate, full_scale, skip_bad=skip_bad)
        if not good.all():
            remarks.append(f"{counted((~good).sum(), 'recording')} of {part} left out that can't be read")
        other_columns: dict[str, np.ndarray] = {
            name: np.array(values)[good] for name, values in columns.items()
        }
        if full_scale != 1:
            other_columns["full_scale"] = np.full(len(waves), full_scale)
        parts[part] = Examples({"wave": waves, **other_columns}, str(source))
    if full_scale not in (None, 1):
        remarks.append(f"{full_scale:g} is taken for the full scale of recordings with floats for samples")
    return parts, tuple(remarks)


def full_scale_of(examples: Examples) -> float:
    """Return what was taken for the full scale of recordings with floats for samples."""
    return float(examples["full_scale"][0]) if "full_scale" in examples and len(examples) else 1.0


def _by_folder(path: Path) -> Found:
    if any((path / name).is_file() for name in OFFICIAL_LISTS.values()):
        return _by_official_lists(path)
    listed: dict[str, Listed] = {}
    notes: list[str] = []
    for part, folder in part_folders(path, SUFFIXES).items():
        files, labels, passed_over = labelled_files(folder, SUFFIXES, "recordings")
        listed[part] = [Recording(file) for file in files], {"label": labels}
        notes += passed_over
    return listed, notes


def _by_official_lists(path: Path) -> Found:
    """Return the parts of Speech Commands (Warden, 2018), whose lists name the files of two of them."""
    files, labels, passed_over = labelled_files(path, SUFFIXES, "recordings")
    names = [file.relative_to(path).as_posix() for file in files]
    part_of, notes = _official_parts(path, set(names))
    listed: dict[str, Listed] = {}
    for file, name, label in zip(files, names, labels, strict=True):
        recordings, columns = listed.setdefault(
            part_of.get(name, "train"), ([], {"label": [], "speaker": []})
        )
        recordings.append(Recording(file))
        columns["label"].append(label)
        columns["speaker"].append(file.stem.split("_nohash_")[0])
    if "train" not in listed:
        raise UserError(
            f"The lists in {path} leave no recording to train on. Received: {len(part_of)} names."
        )
    return listed, [*passed_over, *notes]


def _official_parts(path: Path, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """Return the part of each name that a list names, and notes of names that are no recordings."""
    part_of: dict[str, str] = {}
    notes = []
    for part, file in OFFICIAL_LISTS.items():
        if not (path / file).is_file():
            continue
        try:
            lines = (path / file).read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path / file} is not text in UTF-8: {error.reason}. Save it as UTF-8."
            ) from None
        # Windows writes backslashes, and find(1) a dot before all.
        listed = [PurePosixPath(line.strip().replace("\\", "/")).as_posix() for line in lines if line.strip()]
        strange = [name for name in listed if name not in names]
        if len(strange) == len(listed):
            raise UserError(
                f"{path / file} names no recording of {path}. Name them as FOLDER/FILE, or remove the list. "
                f"Received: {', '.join(strange[:3]) or 'an empty list'}."
            )
        if strange:
            counted_names = counted(
                len(strange), f"name in {file} is of no recording", f"names in {file} are of none"
            )
            notes.append(f"{counted_names}, such as {strange[0]}")
        twice = [name for name in listed if name in part_of and part_of[name] != part]
        if twice:
            raise UserError(f"The lists in {path} must not share a name. Received: {twice[0]} in both.")
        part_of |= dict.fromkeys(listed, part)
    return part_of, notes


def _by_name(path: Path, pattern: NamePattern) -> Found:
    passed_over: Counter[str] = Counter()
    if path.is_file():
        recordings = [Recording(path, member) for member in _members(path, passed_over)]
    else:
        recordings = [Recording(file) for file in files_inside(path, SUFFIXES, passed_over)]
    if not recordings:
        raise UserError(f"{path} holds no recordings that end in {', '.join(SUFFIXES)}.")
    columns: dict[str, list[str]] = {word: [] for word in pattern.words}
    for recording in recordings:
        for word, value in pattern.values(Path(recording.member or recording.path).stem).items():
            columns[word].append(value)
    notes = passed_over_notes(passed_over, path.name, "recordings")
    return {"train": (recordings, columns)}, list(notes)


def _members(path: Path, passed_over: Counter[str]) -> list[str]:
    """Return the members of a zip archive that are recordings, and count the other files."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = sorted(name for name in archive.namelist() if not name.endswith("/"))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise UserError(f"With names=... the data is a folder or a zip archive. Received: {path}.") from None
    members = []
    for name in files:
        member = PurePosixPath(name)
        reason = next((why for piece in member.parts if (why := hidden(piece))), "")
        if reason or member.suffix.lower() not in SUFFIXES:
            passed_over[reason or member.suffix.lower() or "without an ending"] += 1
        else:
            members.append(name)
    return members


def _by_manifest(path: Path, skip_bad: bool, columns: SpokenColumns) -> Found:
    if path.suffix.lower() == ".zip":
        raise UserError(
            "The names of the files in a zip archive say what each one holds: give names=, such as "
            f"names='{{label}}_{{speaker}}_{{take}}'. Received: {path}."
        )
    if table_suffix(path) not in MANIFESTS:
        raise UserError(f"A manifest ends in {', '.join(MANIFESTS)}. Received: {path}.")
    audio = columns.audio or AUDIO_NAMES[0]
    examples, left_out = read_table(
        path,
        {"path": audio},
        skip_bad=skip_bad,
        classes=(columns.label,) if columns.label else SPOKEN_NAMES,
        usual={"path": AUDIO_NAMES},
        form=columns.form,
    )
    labels = (columns.label,) if columns.label else SPOKEN_NAMES
    label = next((called for name in labels if (called := column_called(name, examples.columns))), None)
    if label is None:
        raise UserError(
            f"{path} has no column {' or '.join(labels[:2])}: name it by label_column. "
            f"Received: {', '.join(examples.columns)}."
        )
    examples = examples.with_columns(label=examples[label])
    parts, passed_over = by_parts(examples, path)
    listed = {}
    for part, chosen in parts.items():
        used = ("path", *STARTS, *ENDS, *LENGTHS)
        other_columns = {name: chosen[name].tolist() for name in chosen.columns if name not in used}
        listed[part] = stretches(path, chosen), other_columns
    return listed, [*left_out, *passed_over]


def stretches(manifest: Path, lines: Examples) -> list[Recording]:
    """Return the recordings that lines of a manifest name, whole files or stretches of them.

    Args:
        manifest: The file, beside which paths begin.
        lines: Column `path`, and maybe those of `STARTS`, `ENDS` and `LENGTHS`.

    Raises:
        UserError: A stretch has no length, or a time is no number.
    """
    starts, ends, lengths = (_seconds(manifest, lines, names) for names in (STARTS, ENDS, LENGTHS))
    recordings = []
    for name, start, end, length in zip(lines["path"].tolist(), starts, ends, lengths, strict=True):
        file = beside(manifest, name)
        seconds = end - (start or 0.0) if end is not None and length is None else length
        if seconds is not None and seconds <= 0:
            raise UserError(
                f"A stretch of a recording has a length above 0. Received: {seconds:g} s of {name} "
                f"in {manifest}."
            )
        recordings.append(Recording(file, start=start or 0.0, seconds=seconds))
    return recordings


def _seconds(manifest: Path, lines: Examples, names: Sequence[str]) -> list[float | None]:
    """Return for each line of a manifest the seconds in the first of these columns that is not empty."""
    seconds: list[float | None] = [None] * len(lines)
    for name in (name for name in names if name in lines):
        for row, value in enumerate(lines[name].tolist()):
            if not value.strip() or seconds[row] is not None:
                continue
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not 0 <= number < math.inf:
                raise UserError(
                    f"{manifest}: {name} is in seconds, from 0. Mend it, or rename a column that holds "
                    f"something else. Received: {value!r}."
                )
            seconds[row] = number
    return seconds


def decoded(
    recordings: Sequence[Recording | Path],
    sample_rate: int,
    *,
    full_scale: float | None = None,
    skip_bad: bool = False,
) -> tuple[Ragged, np.ndarray]:
    """Read recordings as one channel at one rate, several at a time.

    Args:
        recordings: Files, or members of zip archives.
        sample_rate: Samples a second.
        full_scale: Of recordings with floats for samples; by default learnt from them.
        skip_bad: Leave out what can't be read.

    Returns:
        Ragged int16 waves of the good ones, and which were good, bool `(num_recordings,)`.

    Raises:
        UserError: A recording can't be read, has no length, or holds values that are not numbers.
    """
    return _decoded(recordings, sample_rate, full_scale, skip_bad=skip_bad)[:2]


def _decoded(
    recordings: Sequence[Recording | Path], sample_rate: int, full_scale: float | None, *, skip_bad: bool
) -> tuple[Ragged, np.ndarray, float]:
    """Return what `decoded` does, and the full scale of floats, learnt if it was not given."""
    good = np.zeros(len(recordings), bool)
    peaks = np.zeros(len(recordings))

    def waves() -> Iterator[np.ndarray]:
        opened = in_threads(
            lambda item: _opened(item[0], item[1], sample_rate, full_scale, skip_bad), _contents(recordings)
        )
        for row, (wave, peak) in enumerate(opened):
            if wave is not None:
                good[row], peaks[row] = True, peak
                yield wave

    gathered = Ragged.gathered(waves(), np.int16)
    if not good.any():
        raise UserError(
            f"None of {len(recordings)} recordings can be read. "
            f"Received: {', '.join(map(str, recordings[:3]))}."
        )
    if full_scale is not None:
        return gathered, good, full_scale
    try:
        learnt = learnt_full_scale(float(peaks.max()))
    except ValueError as error:
        raise UserError(
            f"The full scale of recordings can't be known: {error}. Give full_scale=, or save them as "
            f"integers. Received: {recordings[int(peaks.argmax())]}."
        ) from None
    if learnt == 1:
        return gathered, good, learnt
    return _decoded(recordings, sample_rate, learnt, skip_bad=skip_bad)


Content = Path | io.BytesIO | Exception


def _contents(recordings: Sequence[Recording | Path]) -> Iterator[tuple[Recording, Content]]:
    """Yield each recording and its place; of a damaged member of an archive, the error."""
    archives: Mapping[Path, zipfile.ZipFile] = {}
    for item in recordings:
        recording = item if isinstance(item, Recording) else Recording(item)
        if not recording.member:
            yield recording, recording.path
            continue
        if recording.path not in archives:
            archives = {recording.path: zipfile.ZipFile(recording.path)}
        try:
            content: Content = io.BytesIO(archives[recording.path].read(recording.member))
        # NotImplementedError is a RuntimeError: a packing that Python does not know.
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
            content = error
        yield recording, content


def decoded_upload(
    content: bytes, sample_rate: int, max_seconds: float, full_scale: float = 1.0
) -> np.ndarray:
    """Read one sound file that somebody sent, in memory.

    Args:
        content: The whole file.
        sample_rate: Samples a second to bring it to.
        max_seconds: A sound that is longer, or has more samples than two channels of 96 kHz of that length,
            is refused before it is decoded whole.
        full_scale: Of floats in the recordings of the training.

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
            # What a header says of the length may be wrong, so one more is read than is allowed.
            sound = file.read(longest + 1, dtype="float32", always_2d=True)
            if len(sound) > longest:
                raise ValueError(f"it is longer than {longest / file.samplerate:g} s")
            sound = at_full_scale(sound, file.subtype, full_scale)
            return one_channel(sound, file.samplerate, sample_rate)
    except soundfile.LibsndfileError:
        raise UserError(
            f"A sound file must be one of {', '.join(suffix[1:] for suffix in SUFFIXES)}. Received: "
            f"{len(content):,} bytes of something else, or a broken file."
        ) from None
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(f"The file can't be read as a sound: {error}.") from None


def _opened(
    recording: Recording, source: Content, sample_rate: int, full_scale: float | None, skip_bad: bool
) -> tuple[np.ndarray | None, float]:
    """Return a recording as a wave, or nothing where it can't be read; and the largest of its floats."""
    try:
        return _read(recording, source, sample_rate, full_scale)
    except Exception as error:  # what a decoder raises at a broken file is anything
        if skip_bad:
            return None, 0.0
        if isinstance(source, Path) and not is_there(source):
            raise UserError(
                "There is no recording at this path; a training leaves such out with skip_bad=true. "
                f"Received: {recording}."
            ) from None
        # What libsndfile says, without the name of the object that it was to read.
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise UserError(
            f"{recording} can't be read as a recording: {reason}. Remove it; a training leaves "
            "such files out with skip_bad=true."
        ) from None


def _read(
    recording: Recording, source: Content, sample_rate: int, full_scale: float | None
) -> tuple[np.ndarray, float]:
    import soundfile

    if isinstance(source, Exception):
        raise ValueError(source)
    if isinstance(source, Path) and source.exists() and not source.is_file():
        raise ValueError("it is no file")
    with soundfile.SoundFile(source) as file:
        sound = _stretch(file, recording)
        is_float = file.subtype in FLOATS
        peak = float(np.abs(sound).max(initial=0.0)) if is_float and np.isfinite(sound).all() else 0.0
        if full_scale is not None:
            sound = at_full_scale(sound, file.subtype, full_scale)
        return one_channel(sound, file.samplerate, sample_rate), peak


def _stretch(file: soundfile.SoundFile, recording: Recording) -> np.ndarray:
    """Return the samples of a file that a recording is made of."""
    if recording.start:
        start = round(recording.start * file.samplerate)
        if start >= file.frames:
            raise ValueError(f"it has {file.frames / file.samplerate:g} s")
        file.seek(start)
    if recording.seconds is None:
        return file.read(dtype="float32", always_2d=True)
    wanted = round(recording.seconds * file.samplerate)
    sound = file.read(wanted, dtype="float32", always_2d=True)
    if len(sound) < wanted - MISSING_SECONDS * file.samplerate:
        raise ValueError(f"it ends {(wanted - len(sound)) / file.samplerate:g} s too soon")
    return sound
