"""Which column of a table is meant: by its name, another spelling of it, or what it is usually called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.errors import UserError

TEXT_NAMES = ("text", "review", "sentence", "content")
LABEL_NAMES = ("label", "class", "sentiment", "stars")
FILE_NAMES = ("file", "filename", "file_name", "path", "filepath", "file_path", "image", "image_path")
AUDIO_NAMES = (
    *("audio_filepath", "audio", "path", "file", "filename", "file_name", "filepath", "file_path"),
    *("audio_path", "wav", "wav_path"),
)
SPOKEN_NAMES = ("label", "text", "command", "word", "class", "category", "emotion")
PART_COLUMNS = ("split", "part", "set", "subset", "partition")


def spelt(name: object) -> str:
    """Return the name of a column without regard to case and the blanks around it.

    Example:

    >>> spelt(" Review Text ")
    'review text'
    """
    return str(name).strip().casefold()


def column_called(name: str, columns: Iterable[str]) -> str | None:
    """Return the column of a name: of this spelling, or the only one of another; nothing where there is none.

    Example:

    >>> column_called("label", ["Text", " Label"])
    ' Label'
    """
    known = list(columns)
    if name in known:
        return name
    alike = [column for column in known if spelt(column) == spelt(name)]
    return alike[0] if len(alike) == 1 else None


def guessed_columns(
    wanted: Mapping[str, str], columns: Sequence[str], usual: Mapping[str, Sequence[str]], source: object
) -> tuple[dict[str, str], list[str]]:
    """Return the columns that are meant, and notes of those that were guessed.

    Args:
        wanted: What a column is for to the name that was asked for.
        columns: Of the table.
        usual: What a column is for to what people call it; the first is the default, which alone is ever
            guessed for.
        source: For messages.

    Returns:
        `wanted` with the table's own spelling where there is such a column.

    Raises:
        UserError: Several fit a default.

    Example:

    >>> guessed_columns({"text": "text"}, ["Review", "stars"], {"text": ("text", "review")}, "a.csv")
    ({'text': 'Review'}, ["column 'Review' of a.csv is read as the text"])
    """
    meant, notes = dict(wanted), []
    for purpose, name in wanted.items():
        called = column_called(name, columns)
        names = usual.get(purpose, ())
        if called is not None or not names or name != names[0]:
            meant[purpose] = called or name
            continue
        fitting = [column for column in columns if spelt(column) in names]
        if len(fitting) > 1:
            raise UserError(
                f"{source} has no column {name!r}, and several that it may be: name one by {purpose}_column. "
                f"Received: {', '.join(fitting)}."
            )
        if fitting:
            meant[purpose] = fitting[0]
            notes.append(f"column {fitting[0]!r} of {source} is read as the {purpose}")
    return meant, notes
