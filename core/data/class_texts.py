"""Texts with their classes that stand in no table: a file or folder for each class, or labels before them."""

from __future__ import annotations

from pathlib import Path

from core.data.examples import Examples
from core.data.folders import hidden, labelled_files, names_of_parts, part_folders
from core.data.packed import not_unicode, opened_text, table_suffix
from core.data.tables import TABLES, Form, part_paths, part_word, passed_over
from core.errors import UserError
from core.wording import counted

TEXTS = (".txt", ".text", "")  # endings of files that each hold a text; those of news groups have none
NO_TEXTS = ("readme", "license", "licence", "copying", "changelog", "notice")  # what such files are called
LINES_LOOKED_AT = 200
MOST_LABELS = 4  # lines, at the least, to each word that begins them, where these words are labels
MARK = "__label__"  # of labels in files for fastText
Read = tuple[Examples, tuple[str, ...]]


def text_parts(path: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the files or folders of the parts that a source of labelled texts names, and notes.

    Args:
        path: A file, or a folder with files or folders named after the parts, or with one table, or with a
            folder or file of texts for each class.

    Raises:
        UserError: There is no training part, or it can't be known which is.
    """
    if path.is_file():
        return {"train": path}, []
    entries = [entry for entry in sorted(path.iterdir()) if not hidden(entry.name)]
    files = [entry for entry in entries if entry.is_file()]
    if any(part_word(entry) in names_of_parts([])["train"] for entry in files):
        parts = part_paths(path, (*TABLES, ".label", ".ft"))
        return parts, passed_over(path, parts.values())
    if any(entry.is_dir() and _holds_texts(entry) for entry in entries):
        return dict(part_folders(path, TEXTS)), []
    tables = [entry for entry in files if table_suffix(entry) in set(TABLES) - set(TEXTS)]
    if len(tables) == 1:
        return {"train": tables[0]}, [f"{tables[0].name} is read, the only table of {path.name}"]
    if len(_class_files(path)) > 1:
        return {"train": path}, []
    return part_paths(path), []


def read_class_texts(folder: Path, form: Form) -> Read:
    """Read a folder of texts for each class, each file of which is a text; or a file for each, of lines.

    Args:
        folder: Of the classes.
        form: Of which the encoding counts.

    Returns:
        Columns `text` and `label`, and notes.

    Raises:
        UserError: There are none, or one is not in the encoding.
    """
    if any(entry.is_dir() and _holds_texts(entry) for entry in folder.iterdir()):
        files, labels, notes = labelled_files(folder, TEXTS, "texts")
        texts = [_content(file, form).strip() for file in files]
    else:
        texts, labels, notes = _lines_of_classes(folder, form)
    blank = sum(not text for text in texts)
    kept = [row for row, text in enumerate(texts) if text]
    if blank:
        notes = (*notes, f"{counted(blank, 'blank text')} of {folder.name} left out")
    columns = {"text": [texts[row] for row in kept], "label": [labels[row] for row in kept]}
    return Examples({name: values or [""] for name, values in columns.items()}, str(folder)), notes


def labels_lead(path: Path, form: Form) -> bool:
    """Return whether lines of a file begin with their labels, a blank apart from their texts.

    So they do where there are no tabs, and few different words begin many lines.
    """
    if table_suffix(path) in TABLES and table_suffix(path) != ".txt":
        return False
    lines = [line for line in _content(path, form).splitlines()[:LINES_LOOKED_AT] if line.strip()]
    led = [line.split(None, 1) for line in lines]
    labels = {words[0] for words in led}
    if not lines or any("\t" in line for line in lines) or any(len(words) < 2 for words in led[:3]):
        return False
    return all(label.startswith(MARK) for label in labels) or (
        form.separator in (None, " ") and 1 < len(labels) <= max(len(lines) // MOST_LABELS, 2)
    )


def read_labelled_lines(path: Path, form: Form, *, skip_bad: bool = False) -> Read:
    """Read lines of a label, a blank and a text.

    Raises:
        UserError: A line has one word alone, or several labels.
    """
    texts, labels, bad = [], [], []
    for number, line in enumerate(_content(path, form).split("\n"), start=1):
        words = line.split(None, 1)
        if words[1:] and words[1].startswith(MARK):
            raise UserError(
                f"{path}, line {number}: a text has one label here, and no list of them. "
                f"Received: {line[:60]!r}."
            )
        if len(words) == 2:
            labels.append(words[0].removeprefix(MARK))
            texts.append(words[1].strip())
        elif words:
            bad.append(number)
    if bad and not skip_bad:
        raise UserError(
            f"{path}, line {bad[0]}: a label, a blank and a text are expected. Mend the file, or leave such "
            f"lines out with skip_bad=true. Received: {len(bad)} lines of one word."
        )
    notes = [f"the first word of each line of {path.name} is read as its label"]
    notes += [f"{counted(len(bad), 'bad line')} of {path.name} left out"] if bad else []
    return Examples({"text": texts, "label": labels}, str(path)), tuple(notes)


def _lines_of_classes(folder: Path, form: Form) -> tuple[list[str], list[str], tuple[str, ...]]:
    texts: list[str] = []
    labels: list[str] = []
    files = _class_files(folder)
    for label, file in files.items():
        lines = [line.strip() for line in _content(file, form).split("\n")]
        texts += [line for line in lines if line]
        labels += [label] * sum(bool(line) for line in lines)
    if not texts:
        raise UserError(
            f"{folder} holds no texts: a folder or a file of lines for each class is expected. "
            f"Received: {', '.join(sorted(entry.name for entry in folder.iterdir())[:8])}."
        )
    names = ", ".join(f"{label} from {file.name}" for label, file in list(files.items())[:8])
    return texts, labels, (f"each line of a file is a text of its class: {names}",)


def _class_files(folder: Path) -> dict[str, Path]:
    """Return the files of lines by their classes: by their names, or endings where the names are one."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not hidden(file.name)]
    named = {_plain(file): file for file in files if _is_class_file(file)}
    if len(named) > 1:
        return named
    alike = [file for file in files if file.suffix and not file.name.lower().startswith(NO_TEXTS)]
    one_stem = len({file.stem for file in alike}) == 1
    if len(alike) < 2 or not one_stem or any(table_suffix(file) in TABLES for file in alike):
        return {}
    return {file.suffix.lstrip("."): file for file in alike}


def _is_class_file(file: Path) -> bool:
    return table_suffix(file) in (".txt", ".text") and not file.name.lower().startswith(NO_TEXTS)


def _plain(file: Path) -> str:
    name = file.name
    while (ending := Path(name).suffix) and ending.lower() in (".gz", ".xz", ".bz2", ".zip", ".txt", ".text"):
        name = name.removesuffix(ending)
    return name


def _holds_texts(folder: Path) -> bool:
    return any(
        entry.is_dir() or (entry.is_file() and table_suffix(entry) in TEXTS and not hidden(entry.name))
        for entry in folder.iterdir()
    )


def _content(path: Path, form: Form) -> str:
    try:
        with opened_text(path, form.encoding) as file:
            return file.read().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise not_unicode(path, error) from None
    except (OSError, EOFError, UnicodeError) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
