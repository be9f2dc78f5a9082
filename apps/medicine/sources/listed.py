"""Picture files with what is known of each: by the lines of a table, by names, or by folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.data.dicom import NoDicomReaderError, dicom_data, is_dicom
from core.data.examples import Examples
from core.data.file_names import NamePattern
from core.data.folders import PART_NAMES, files_inside, labelled_files, part_folders, passed_over_notes
from core.data.images import PictureList, suffixes
from core.data.tables import read_table, table_lines
from core.errors import UserError
from core.wording import counted

PATIENT = "patient"
# What a table may call the files, the classes, the people and the part of a line.
FILES = ("file", "path", "image", "filename", "file_name", "image_path", "image_id", "dicom_id")
LABELS = ("label", "class", "finding", "diagnosis", "dx", "target")
PATIENTS = (PATIENT, "patient_id", "patientid", "subject", "subject_id", "patient id", "lesion_id")
SPLITS = ("split", "part", "fold", "subset")

Sources = tuple[dict[str, PictureList], tuple[str, ...]]


def by_table(path: Path, label_column: str | None = None, *, skip_bad: bool = False) -> Sources:
    """Return the pictures that a table names, by part, with all that it says of each.

    Args:
        path: CSV, TSV or JSON lines with a column of files, which are looked for beside it, one of labels,
            and maybe one of patients, one of parts, and others such as age or sex.
        label_column: By default `label`, `class`, `finding`, `diagnosis`, `dx` or `target`.

    Raises:
        UserError: There is no such column, no training part, or a picture that is named is not there.
    """
    named = {name.lower(): name for name in map(str, table_lines(path, headless=False)[0].columns)}
    file = _column(named, FILES, path, "of picture files")
    label = label_column or _column(named, LABELS, path, "of labels: give label_column=")
    examples, notes = read_table(path, {"path": file, "label": label}, skip_bad=skip_bad, classes=("label",))
    patient = next((named[name] for name in PATIENTS if name in named), None)
    if patient is not None and patient != PATIENT:
        examples = examples.with_columns(patient=examples[patient])
    split = next((named[name] for name in SPLITS if name in named), None)
    parts = {"train": examples} if split is None else _divided(examples, split, path)
    left_out = len(examples) - sum(map(len, parts.values()))
    if left_out:
        notes = (*notes, f"{counted(left_out, 'line')} of {path.name} left out, of no part that is used")
    listed: dict[str, PictureList] = {}
    not_kept = ("path", "image", "levels", split)
    for part, lines in parts.items():
        files = [_file(path.parent, name) for name in lines["path"].tolist()]
        others = {name: lines[name].tolist() for name in lines.columns if name not in not_kept}
        listed[part] = files, others
    return listed, notes


def _column(named: dict[str, str], among: Sequence[str], path: Path, what: str) -> str:
    column = next((named[name] for name in among if name in named), None)
    if column is None:
        raise UserError(
            f"{path} has no column {what}, which may be called {', '.join(among)}. "
            f"Received the columns: {', '.join(name for name in named.values() if name != '_line')}."
        )
    return column


def _divided(examples: Examples, split: str, path: Path) -> dict[str, Examples]:
    lowered = [name.strip().lower() for name in examples[split].tolist()]
    parts = {
        part: examples.take(chosen)
        for part, spellings in PART_NAMES.items()
        if (chosen := np.isin(lowered, spellings)).any()
    }
    if "train" not in parts:
        raise UserError(
            f"{path} has no training part. Received in column {split!r}: "
            f"{', '.join(sorted(set(lowered))[:8])}."
        )
    return parts


def _file(folder: Path, name: str) -> Path:
    """Return the file that a table names, whose ending it may leave out."""
    path = folder / name
    if path.is_file():
        return path
    ended = (folder / f"{name}{ending}" for ending in sorted(suffixes()))
    return next((each for each in ended if each.is_file()), path)


def by_folder(path: Path, names: str | None = None) -> Sources:
    """Return the pictures in the folder of each class, or those whose names say their class, by part.

    Args:
        path: Holds a folder for each class, maybe in folders named after the parts.
        names: What the names of files say, such as `{label}_{patient}_{view}`.

    Raises:
        UserError: There are no pictures, or a name does not fit.
    """
    listed: dict[str, tuple[Sequence[Path], Mapping[str, Sequence[str]]]] = {}
    notes: list[str] = []
    for part, folder in part_folders(path, suffixes()).items():
        if names is None:
            files, labels, passed_over = labelled_files(folder, suffixes(), "pictures")
            listed[part] = files, {"label": labels}
            notes += passed_over
        else:
            reasons: Counter[str] = Counter()
            files, pattern = files_inside(folder, suffixes(), reasons), NamePattern(names)
            if not files:
                raise UserError(f"{folder} holds no pictures. Received: names={names!r}.")
            said = [pattern.values(file.stem) for file in files]
            listed[part] = files, {word: [each[word] for each in said] for word in pattern.words}
            notes += passed_over_notes(reasons, folder.name, "pictures")
    return {part: _with_patients(*each) for part, each in listed.items()}, tuple(notes)


def _with_patients(files: Sequence[Path], columns: Mapping[str, Sequence[str]]) -> PictureList:
    """Return files with the patients that they name themselves, where all are of DICOM and name one."""
    if PATIENT in columns or not all(file.is_file() and is_dicom(file) for file in files):
        return files, columns
    try:
        headers = [dicom_data(file, header_alone=True) for file in files]
    except NoDicomReaderError as error:
        raise UserError(f"{error} Received: {files[0]}.") from None
    except Exception:  # what a broken file raises is anything; the decoder tells it
        return files, columns
    patients = [str(header.get("PatientID") or "").strip() for header in headers]
    return files, ({**columns, PATIENT: patients} if all(patients) else columns)
