"""Plain texts as they lie in files, folders and tables, and their parts."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from apps.nlp.corpus.cleaning import cleaned
from core.data.examples import Examples, Splits
from core.data.folders import PART_NAMES, files_inside, passed_over_notes
from core.data.splitting import PARTS, split_fingerprint
from core.data.tables import JSON_LINES, existing, opened_text, part_paths, read_table, table_suffix
from core.errors import UserError
from core.wording import counted

TABLES = (".csv", ".tsv", ".tab", *JSON_LINES)
TEXTS = (".txt", ".text", ".md", ".rst", ".tex")
FEW = 20  # texts, of which fewer are each divided, and none is a part by itself


def read_parts(
    source: str, text_column: str, *, skip_bad: bool = False
) -> tuple[dict[str, Examples], Sequence[str]]:
    """Return the texts of the parts that a path names, and notes of what was passed over.

    Args:
        source: A text file, a table, a folder of text files, or a folder with files or folders named after
            the parts.
        text_column: Of tables.
        skip_bad: Leave out what can't be read, and count it.

    Returns:
        Part to examples with a column `text`; line ends are those of Unix, letters and marks composed.

    Raises:
        UserError: There is nothing to read, or something that is no text.
    """
    path = existing(source)
    paths = {"train": path}
    if path.is_dir() and any(
        entry.name.split(".")[0].lower() in PART_NAMES["train"] for entry in path.iterdir()
    ):
        paths = part_paths(path, (*TEXTS, *TABLES))
    read = {part: _read(each, text_column, skip_bad) for part, each in paths.items()}
    return {part: examples for part, (examples, _) in read.items()}, [
        note for _, notes in read.values() for note in notes
    ]


def _read(path: Path, text_column: str, skip_bad: bool) -> tuple[Examples, Sequence[str]]:
    if path.is_file() and table_suffix(path) in TABLES:
        examples, bad_lines = read_table(path, {"text": text_column}, skip_bad=skip_bad)
        return _plain(examples["text"].tolist(), str(path)), bad_lines
    passed_over = Counter[str]()
    files = [path] if path.is_file() else files_inside(path, TEXTS, passed_over)
    texts, bad = [], []
    for file in files:
        try:
            texts.append(read_text(file))
        except UserError:
            if not skip_bad or len(files) == 1:
                raise
            bad.append(file.name)
    if not texts:
        raise UserError(
            f"{path} holds no text: files that end in {', '.join(TEXTS)} are read. Received: "
            f"{', '.join(sorted(entry.name for entry in path.iterdir())[:8])}."
        )
    notes = list(passed_over_notes(passed_over, path.name, "texts"))
    if bad:
        notes.append(
            f"{counted(len(bad), 'file')} of {path.name} left out that can't be read: {', '.join(bad[:3])}"
        )
    return _plain(texts, str(path)), notes


def read_text(path: Path) -> str:
    """Return what stands in a text file, which may end in `.gz`.

    Raises:
        UserError: It is no text in UTF-8, or blank.
    """
    try:
        with opened_text(path) as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is no text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8, or leave "
            "such files of a folder out with skip_bad=true. "
            f"Received: byte 0x{error.object[error.start]:02x}."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    if not text.strip():
        raise UserError(f"{path} holds no text. Received: {len(text)} blank characters.")
    return text


def _plain(texts: Sequence[str], source: str) -> Examples:
    return Examples({"text": [cleaned(text) for text in texts]}, source)


def cleaned_examples(examples: Examples) -> Examples:
    """Return examples whose texts are as models read them."""
    return examples.with_columns(text=[cleaned(text) for text in examples["text"].tolist()])


def ends_of_texts(
    parts: Mapping[str, Examples],
    content: Sequence[str],
    *,
    validation: float,
    test: float,
    notes: Sequence[str],
) -> Splits:
    """Return parts of few long texts: what the source does not name is the end of each training text.

    Args:
        parts: Those that the source names; `train` at least.
        content: Columns that make an example what it is.
        validation: Share of each text that stands before the test part.
        test: Share of each text that stands at its end.
        notes: What a user should know of the reading.
    """
    whole, origins = parts["train"], []
    shares = {
        name: 0.0 if name in parts else share for name, share in (("validation", validation), ("test", test))
    }
    pieces: dict[str, list[str]] = {name: [] for name in PARTS}
    for text in whole["text"].tolist():
        last = round(len(text) * (1 - shares["test"]))
        middle = round(len(text) * (1 - shares["test"] - shares["validation"]))
        for name, piece in zip(PARTS, (text[:middle], text[middle:last], text[last:]), strict=True):
            pieces[name] += [piece] if piece.strip() else []
    for name in ("validation", "test"):
        where = f"{name}: the last {shares[name]:.0%} of each text"
        if name == "validation" and shares["test"]:
            where = f"validation: {shares[name]:.0%} of each text before it"
        origins.append(f"{name} part as published" if name in parts else where)
    divided = {
        name: parts[name] if name in parts and name != "train" else _piece(pieces[name], whole.source)
        for name in PARTS
    }
    return Splits(
        **divided,
        protocol=f"{', '.join(reversed(origins))}; split {split_fingerprint(divided, content)}",
        notes=tuple(notes),
        official_test="test" in parts,
    )


def _piece(texts: Sequence[str], source: str) -> Examples:
    return Examples({"text": np.array(texts, np.dtypes.StringDType())}, source)
