"""How words are pronounced: by a lexicon as CMUdict is written, or letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from core.data.tables import opened_text
from core.errors import UserError
from core.wording import counted

COMMENT = ";;;"
VARIANT = re.compile(r"\(\d+\)$")  # such as READ(1), another way to say the word
STRESS = re.compile(r"\d+$")  # of a vowel, such as AH0


def by_letters(words: Iterable[str]) -> dict[str, list[list[str]]]:
    """Return words as if each letter were a sound.

    Example:

    >>> by_letters(["go"])
    {'go': [['g', 'o']]}
    """
    return {word: [list(word)] for word in words}


def read_lexicon(path: Path, words: Iterable[str], plain: bool) -> dict[str, list[list[str]]]:
    """Return how some words are pronounced, from a lexicon; stress is left out.

    Args:
        path: A word and its sounds on each line, with blanks between them, as in CMUdict: `READ(1)  R EH1 D`;
            lines that begin with `;;;` are comments.
        words: Whose pronunciations are asked for.
        plain: Whether words are in lower case, as is then what the lexicon says.

    Raises:
        UserError: A line is no such, or a word is missing; the message says which.
    """
    wanted = dict.fromkeys(words)
    lexicon: dict[str, list[list[str]]] = {}
    try:
        with opened_text(path) as file:
            for number, line in enumerate(file, start=1):
                entry = _entry(path, number, line, plain)
                if entry and entry[0] in wanted and entry[1] not in lexicon.setdefault(entry[0], []):
                    lexicon[entry[0]].append(entry[1])
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8: {error.reason}. Save it as UTF-8.") from None
    missing = [word for word in wanted if word not in lexicon]
    if missing:
        raise UserError(
            f"{path} lacks {counted(len(missing), 'word')} of the training transcripts: "
            f"{', '.join(missing[:8])}. Add them, or leave lexicon open to spell all words. "
            f"Received: {counted(len(lexicon), 'word')} of {len(wanted)}."
        )
    return {word: lexicon[word] for word in wanted}


def _entry(path: Path, number: int, line: str, plain: bool) -> tuple[str, list[str]] | None:
    """Return the word of a line and its sounds, or nothing for a comment."""
    if not line.strip() or line.startswith(COMMENT):
        return None
    word, *sounds = line.split("#")[0].split()
    if not sounds:
        raise UserError(
            f"{path}, line {number}: a word and its sounds are expected, such as GO  G OW1. "
            f"Received: {line.strip()[:60]!r}."
        )
    word = VARIANT.sub("", word)
    return (word.lower() if plain else word), [STRESS.sub("", sound) or sound for sound in sounds]
