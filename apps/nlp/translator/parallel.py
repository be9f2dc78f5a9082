"""Texts beside their translations as they lie in parallel files, tables and translation memories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.corpus.reading import read_text
from apps.nlp.translator.tmx import TMX, read_tmx
from core.data.examples import Examples
from core.data.folders import PART_NAMES
from core.data.tables import JSON_LINES, SEPARATORS, existing, part_paths, read_table, table_suffix
from core.errors import UserError
from core.wording import counted

TABLES = (".tsv", ".tab", ".csv", *JSON_LINES)
PARTED = "._-"  # what may stand between the name of a part and that of one of several
Read = tuple[dict[str, Examples], list[str]]


def read_parts(
    data: str, source: str, target: str, *, test_name: str | None = None, skip_bad: bool = False
) -> Read:
    """Return the pairs of the parts that a path names, and notes of what was left out.

    Args:
        data: A table; a TMX file; a folder with files of these kinds that are named after the parts; a folder
            with parallel files such as `train.en` and `train.de`; or the path of such two without their
            endings. Any may end in `.gz`.
        source: Ending of the files, name of the column, or language of the texts that are read.
        target: Likewise of their translations.
        test_name: Of several parallel test parts, the name of the one to judge on, without ending.
        skip_bad: Leave out what can't be read, and count it.

    Returns:
        Part to examples with columns `source` and `target`, no text of which is blank.

    Raises:
        UserError: There is nothing to read, a side is missing, or the sides are of different lengths.
    """
    if source == target:
        raise UserError(f"The texts and their translations must be two. Received: source=target={source}.")
    path = Path(data).expanduser()
    if not path.is_dir() and (whole := _named(path, source, target)) is not None:
        return _parallel({"train": whole}, source, target)
    path = existing(path)
    if path.is_dir() and any(_has_ending(entry, source) for entry in path.iterdir()):
        return _parallel(_parallel_parts(path, source, target, test_name), source, target)
    if path.is_file() and table_suffix(path) not in (TMX, *SEPARATORS, *JSON_LINES):
        raise UserError(
            f"{path.name} is no table ({', '.join(TABLES)}), no translation memory ({TMX}), and none beside "
            f"it ends in .{source} or .{target}: name both endings, as in source=en target=de. "
            f"Received: {path}."
        )
    if path.is_dir():
        _require_tables(path, source, target)
    parts: dict[str, Examples] = {}
    notes: list[str] = []
    for part, each in part_paths(path, (*TABLES, TMX)).items():
        if table_suffix(each) == TMX:
            examples, left_out = read_tmx(each, source, target)
        else:
            examples, left_out = read_table(each, {"source": source, "target": target}, skip_bad=skip_bad)
        parts[part], blank = without_blanks(examples, each.name)
        notes += [*left_out, *blank]
    return parts, notes


def without_blanks(examples: Examples, name: str) -> tuple[Examples, list[str]]:
    """Return the pairs of two texts that are not blank, cleaned, and a note of how many are left out.

    Args:
        examples: With columns `source` and `target`.
        name: Of where they come from, for the note.

    Raises:
        UserError: None is left.
    """
    texts = {
        side: [cleaned(str(text)).strip() for text in examples[side].tolist()]
        for side in ("source", "target")
    }
    whole = [place for place, pair in enumerate(zip(*texts.values(), strict=True)) if all(pair)]
    if not whole:
        raise UserError(
            f"{name} has no pair of two texts that are not blank. Received: {counted(len(examples), 'pair')}."
        )
    left_out = len(examples) - len(whole)
    note = f"{counted(left_out, 'pair')} of {name} left out of which a side is empty"
    return examples.with_columns(**texts).take(whole), [note] if left_out else []


def _named(path: Path, source: str, target: str) -> tuple[Path, Path] | None:
    """Return the two files that a path without their endings names, or a path of either; else nothing."""
    whole = _stem(path, source) or _stem(path, target) or path.name
    sides = [_side(path.with_name(whole), ending) for ending in (source, target)]
    if sides[0] is None or sides[1] is None:
        return None
    return sides[0], sides[1]


def _side(path: Path, ending: str) -> Path | None:
    candidates = [path.with_name(f"{path.name}.{ending}{packed}") for packed in ("", ".gz")]
    return next((each for each in candidates if each.is_file()), None)


def _stem(path: Path, ending: str) -> str | None:
    """Return the name of a file without its ending; nothing where it has another."""
    name = path.name.removesuffix(".gz")
    return name.removesuffix(f".{ending}") if name.endswith(f".{ending}") else None


def _has_ending(path: Path, ending: str) -> bool:
    return path.is_file() and _stem(path, ending) is not None


def _parallel_parts(
    folder: Path, source: str, target: str, test_name: str | None
) -> dict[str, tuple[Path, Path]]:
    """Return the two files of each part of a folder."""
    stems = sorted({stem for entry in folder.iterdir() if (stem := _stem(entry, source)) is not None})
    parts = {}
    for part, names in PART_NAMES.items():
        several = [stem for stem in stems if any(_is_named(stem.lower(), name) for name in names)]
        if part == "test" and test_name is not None:
            several = [stem for stem in stems if stem == test_name]
            if not several:
                raise UserError(
                    f"{folder} has no file {test_name}.{source}. Received the names: {', '.join(stems)}."
                )
        if len(several) > 1:
            how = "name one by test_name" if part == "test" else "keep one of them"
            raise UserError(
                f"{folder} holds more than one source of its {part} part: {how}. "
                f"Received: {', '.join(several)}."
            )
        for stem in several:
            sides = [_side(folder / stem, ending) for ending in (source, target)]
            if sides[0] is None or sides[1] is None:
                raise UserError(
                    f"{folder} has {stem}.{source} and no {stem}.{target}. "
                    f"Received: {', '.join(sorted(entry.name for entry in folder.iterdir())[:8])}."
                )
            parts[part] = sides[0], sides[1]
    if "train" not in parts:
        raise UserError(
            f"{folder} holds no train.{source} with train.{target}. "
            f"Received: {', '.join(sorted(entry.name for entry in folder.iterdir())[:8])}."
        )
    return parts


def _is_named(stem: str, name: str) -> bool:
    return stem == name or (stem.startswith(name) and stem[len(name)] in PARTED)


def _parallel(paths: dict[str, tuple[Path, Path]], source: str, target: str) -> Read:
    parts, notes = {}, []
    for part, (first, second) in paths.items():
        sides = [_lines(each) for each in (first, second)]
        if len(sides[0]) != len(sides[1]):
            raise UserError(
                f"{first.name} and {second.name} must have a line for each line of the other. Received: "
                f"{counted(len(sides[0]), 'line')} of {source} and {len(sides[1]):,} of {target}."
            )
        examples = Examples(dict(zip(("source", "target"), sides, strict=True)), str(first.parent))
        name = first.name.removesuffix(".gz").removesuffix(f".{source}")
        parts[part], blank = without_blanks(examples, name)
        notes += blank
    return parts, notes


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; of all signs that part lines, the line feed alone does."""
    return cleaned(read_text(path)).removesuffix("\n").split("\n")


def _require_tables(folder: Path, source: str, target: str) -> None:
    """Refuse a folder of parallel files whose endings are not those that are asked for.

    Raises:
        UserError: It is one; the message says which endings there are.
    """
    names = [entry.name.removesuffix(".gz") for entry in folder.iterdir() if entry.is_file()]
    endings: Sequence[str] = sorted(
        {Path(name).suffix for name in names if name.lower().split(".")[0] in PART_NAMES["train"]}
    )
    if len(endings) > 1 and not set(endings) & {TMX, *TABLES}:
        raise UserError(
            f"{folder} holds parallel files: name the endings of both sides, as in source=en target=de. "
            f"Received: source={source} target={target}; there are {', '.join(endings)}."
        )
