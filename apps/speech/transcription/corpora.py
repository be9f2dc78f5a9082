"""Recordings with transcripts, in the layouts that they are published in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from core.data.audio import MANIFESTS, SUFFIXES, Listed, Recording, stretches
from core.data.folders import PART_NAMES
from core.data.tables import opened_text, part_paths, read_table, table_lines, table_suffix
from core.errors import UserError
from core.wording import counted

AUDIO = ("audio_filepath", "path", "audio", "file", "filename", "wav")
TEXT = ("text", "sentence", "transcript", "transcription", "normalized_text")
SPEAKER = ("speaker", "client_id", "speaker_id")
LJSPEECH, KALDI, LIBRISPEECH = "metadata.csv", "wav.scp", ".trans.txt"
LAYOUTS = (
    "a manifest with audio_filepath and text, metadata.csv as in LJSpeech, wav.scp with text as in Kaldi, "
    ".trans.txt as in LibriSpeech, a TSV as in Common Voice, or a .txt beside each recording"
)


def listed_recordings(path: Path, skip_bad: bool) -> tuple[dict[str, Listed], list[str]]:
    """Return the recordings of a corpus by part, with their transcripts, and notes.

    Args:
        path: A file or a folder in one of `LAYOUTS`; or a folder that holds such for each part.
        skip_bad: Leave out what has no transcript, and count it.

    Returns:
        Part to recordings and their columns: `text`, `id`, and whatever else the source says.

    Raises:
        UserError: It is no such corpus, or a recording has no transcript; the message says which.
    """
    notes: list[str] = []
    listed: dict[str, Listed] = {}
    for part, place in _parts(path).items():
        recordings, columns = _of_part(place, skip_bad, notes)
        recordings, columns = _with_text(place, recordings, columns, skip_bad, notes)
        listed |= _by_split(place, part, recordings, columns)
    shared = set.intersection(*(set(columns) for _, columns in listed.values()))
    return {
        part: (recordings, {name: columns[name] for name in sorted(shared)})
        for part, (recordings, columns) in listed.items()
    }, notes


def _parts(path: Path) -> dict[str, Path]:
    """Return the places of the parts: files or folders that are named after them, or the whole as `train`."""
    if path.is_file() or any((path / name).is_file() for name in (LJSPEECH, KALDI)):
        return {"train": path}
    begun = {entry: entry.name.split(".")[0].split("-")[0].lower() for entry in sorted(path.iterdir())}
    folders = [entry for entry, begin in begun.items() if entry.is_dir() and begin in PART_NAMES["train"]]
    files = [entry for entry, begin in begun.items() if entry.is_file() and begin in PART_NAMES["train"]]
    if any(table_suffix(file) in MANIFESTS for file in files):
        return part_paths(path, MANIFESTS)
    if not folders:
        return {"train": path}
    parts = {}
    for part, names in PART_NAMES.items():
        places = [entry for entry, begin in begun.items() if entry.is_dir() and begin in names]
        if len(places) > 1:
            raise UserError(
                f"{path} holds more than one folder of its {part} part: keep one of them. "
                f"Received: {', '.join(entry.name for entry in places)}."
            )
        if places:
            parts[part] = places[0]
    return parts


def _of_part(place: Path, skip_bad: bool, notes: list[str]) -> Listed:
    if place.is_file():
        if place.name == LJSPEECH and "|" in _first_line(place):
            return _ljspeech(place)
        if place.name == KALDI:
            return _kaldi(place.parent)
        return _manifest(place, skip_bad, notes)
    if (place / LJSPEECH).is_file():
        return _of_part(place / LJSPEECH, skip_bad, notes)
    if (place / KALDI).is_file():
        return _kaldi(place)
    if next(place.rglob(f"*{LIBRISPEECH}"), None):
        return _librispeech(place)
    return _texts_beside(place, skip_bad, notes)


def _first_line(path: Path) -> str:
    return next(_lines(path), "")


def _lines(path: Path) -> Iterator[str]:
    try:
        with opened_text(path) as file:
            yield from (line.rstrip("\r\n") for line in file)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8: {error.reason}. Save it as UTF-8.") from None


def _manifest(path: Path, skip_bad: bool, notes: list[str]) -> Listed:
    if table_suffix(path) not in MANIFESTS:
        raise UserError(f"A manifest ends in {', '.join(MANIFESTS)}. Received: {path}.")
    frame, _ = table_lines(path, headless=False)
    names = [str(name) for name in frame.columns]
    audio, text = (next((name for name in known if name in names), None) for known in (AUDIO, TEXT))
    if audio is None or text is None:
        raise UserError(
            f"{path} must have a column {AUDIO[0]} and a column {TEXT[0]}. "
            f"Received the columns: {', '.join(name for name in names if name != '_line')}."
        )
    examples, left_out = read_table(path, {"path": audio, "text": text}, skip_bad=skip_bad)
    notes += left_out
    clips = path.parent / "clips"
    if clips.is_dir():
        inside = [f"clips/{name}" if (clips / name).is_file() else name for name in examples["path"].tolist()]
        examples = examples.with_columns(path=inside)
    speaker = next((name for name in SPEAKER if name in examples), None)
    columns = {"text": examples["text"].tolist(), "id": [Path(name).stem for name in examples["path"]]}
    if speaker:
        columns["speaker"] = examples[speaker].tolist()
    if "split" in examples:
        columns["split"] = examples["split"].tolist()
    return stretches(path, examples), columns


def _ljspeech(path: Path) -> Listed:
    folder = path.parent / "wavs"
    files = _by_stem(folder if folder.is_dir() else path.parent)
    recordings, ids, texts = [], [], []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        fields = line.split("|")
        if len(fields) < 2:
            raise UserError(f"{path}, line {number}: id|text or id|text|normalised. Received: {line[:60]!r}.")
        ids.append(fields[0].strip())
        texts.append(fields[-1])
        recordings.append(Recording(files.get(ids[-1], folder / f"{ids[-1]}.wav")))
    return recordings, {"text": texts, "id": ids}


def _by_stem(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES}


def _kaldi(folder: Path) -> Listed:
    waves, texts = _pairs(folder / KALDI), _pairs(folder / "text", may_be_empty=True)
    speakers = _pairs(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    recordings: Mapping[str, Recording] = {name: _kaldi_file(folder, at) for name, at in waves.items()}
    if (folder / "segments").is_file():
        recordings = dict(_segments(folder / "segments", recordings))
    ids = [name for name in recordings if name in texts]
    if not ids:
        raise UserError(f"{folder / KALDI} and {folder / 'text'} share no id. Received: {len(waves)} ids.")
    columns = {"text": [texts[name] for name in ids], "id": ids}
    if speakers:
        columns["speaker"] = [speakers.get(name, name) for name in ids]
    return [recordings[name] for name in ids], columns


def _kaldi_file(folder: Path, place: str) -> Recording:
    if place.endswith("|"):
        raise UserError(
            f"{folder / KALDI} names commands, which are not run: write the sounds to files. "
            f"Received: {place[:60]}."
        )
    return Recording(folder / place)


def _segments(path: Path, files: Mapping[str, Recording]) -> Iterator[tuple[str, Recording]]:
    for number, line in enumerate(_lines(path), start=1):
        fields = line.split()
        try:
            name, recording, start, end = fields[0], files[fields[1]], float(fields[2]), float(fields[3])
        except (IndexError, KeyError, ValueError):
            raise UserError(
                f"{path}, line {number}: an id, an id of {KALDI}, and start and end in seconds are expected. "
                f"Received: {line[:60]!r}."
            ) from None
        yield name, Recording(recording.path, start=start, seconds=end - start)


def _pairs(path: Path, may_be_empty: bool = False) -> dict[str, str]:
    """Return what follows the first word of each line, by that word."""
    if not path.is_file():
        raise UserError(f"There must be a file {path.name} beside {KALDI}. Received: {path.parent}.")
    pairs: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        name, _, rest = line.strip().partition(" ")
        if name and not rest and not may_be_empty:
            raise UserError(f"{path}, line {number}: an id and more is expected. Received: {line[:60]!r}.")
        if name:
            pairs[name] = rest.strip()
    return pairs


def _librispeech(folder: Path) -> Listed:
    recordings, columns = [], {"text": [], "id": [], "speaker": []}  # type: tuple[list, dict[str, list[str]]]
    for path in sorted(folder.rglob(f"*{LIBRISPEECH}")):
        files = {file.stem: file for file in path.parent.iterdir() if file.suffix.lower() in SUFFIXES}
        for name, text in _pairs(path, may_be_empty=True).items():
            recordings.append(Recording(files.get(name, path.parent / f"{name}.flac")))
            columns["text"].append(text)
            columns["id"].append(name)
            columns["speaker"].append(name.split("-")[0])
    return recordings, columns


def _texts_beside(folder: Path, skip_bad: bool, notes: list[str]) -> Listed:
    files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES]
    transcribed = [file for file in files if file.with_suffix(".txt").is_file()]
    if not transcribed:
        raise UserError(
            f"{folder} holds no transcripts: {LAYOUTS} are read. Received: {len(files)} recordings without."
        )
    without = [file for file in files if not file.with_suffix(".txt").is_file()]
    if without and not skip_bad:
        raise UserError(
            f"{without[0]} has no transcript: {without[0].stem}.txt is expected beside it. Write it, or "
            f"leave such recordings out with skip_bad=true. Received: {len(without)} of them."
        )
    if without:
        notes.append(f"{counted(len(without), 'recording')} of {folder.name} without a transcript left out")
    texts = [" ".join(_lines(file.with_suffix(".txt"))) for file in transcribed]
    return [Recording(file) for file in transcribed], {
        "text": texts,
        "id": [file.stem for file in transcribed],
    }


def _with_text(
    place: Path, recordings: list[Recording], columns: dict[str, list[str]], skip_bad: bool, notes: list[str]
) -> Listed:
    """Refuse recordings whose transcript is empty, or leave them out and count them."""
    good = [bool(text.strip()) for text in columns["text"]]
    if all(good):
        return recordings, columns
    empty = [name for name, is_good in zip(columns["id"], good, strict=True) if not is_good]
    if not skip_bad or not any(good):
        raise UserError(
            f"{place}: the transcript of {empty[0]} is empty. Write it, or leave such recordings out with "
            f"skip_bad=true. Received: {len(empty)} of them."
        )
    notes.append(f"{counted(len(empty), 'recording')} of {place.name} with an empty transcript left out")
    chosen = [row for row, is_good in enumerate(good) if is_good]
    return [recordings[row] for row in chosen], {
        name: [values[row] for row in chosen] for name, values in columns.items()
    }


def _by_split(
    place: Path, part: str, recordings: list[Recording], columns: dict[str, list[str]]
) -> dict[str, Listed]:
    """Return the parts that a column `split` names; the whole as one part where there is none."""
    named = [each.strip().lower() for each in columns.pop("split", [])]
    if not any(named):
        return {part: (recordings, columns)}
    listed: dict[str, Listed] = {}
    for each, spellings in PART_NAMES.items():
        rows = [row for row, name in enumerate(named) if name in spellings]
        if rows:
            values = {name: [column[row] for row in rows] for name, column in columns.items()}
            listed[each] = [recordings[row] for row in rows], values
    if "train" not in listed:
        raise UserError(
            f"{place} has no training part. Received the splits: {', '.join(sorted(set(named)))}."
        )
    return listed
