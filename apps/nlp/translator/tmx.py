"""Translation memories in TMX, the format in which translators exchange theirs."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from core.data.examples import Examples
from core.errors import UserError
from core.wording import counted

TMX = ".tmx"
LANGUAGES = ("{http://www.w3.org/XML/1998/namespace}lang", "lang")  # of TMX 1.4, and of those before it


def read_tmx(path: Path, source: str, target: str) -> tuple[Examples, tuple[str, ...]]:
    """Return the units of a translation memory that are in both languages, and a note of the others.

    Args:
        path: The file, which may end in `.gz`.
        source: Language of the texts, such as `en`, which is that of `en-GB` too.
        target: Language of their translations.

    Returns:
        Columns `source` and `target`; marks within a segment are left out, their text is not.

    Raises:
        UserError: It is no such file, or no unit is in both languages.

    Reference:
        TMX 1.4b specification, LISA OSCAR (2005)
    """
    sides: dict[str, list[str]] = {"source": [], "target": []}
    languages, others = Counter[str](), 0
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            for _, unit in ElementTree.iterparse(file):
                if _name(unit) != "tu":
                    continue
                texts = _variants(unit)
                languages.update(list(texts))
                pair = [_of(texts, language) for language in (source, target)]
                if None in pair:
                    others += 1
                else:
                    for side, text in zip(sides.values(), pair, strict=True):
                        side.append(text or "")
                unit.clear()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise UserError(
            f"{path}, line {line}: no translation memory in TMX: {str(error).split(':')[0]}, column {column}."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    if not sides["source"]:
        known = ", ".join(f"{name} ({count})" for name, count in languages.most_common(8)) or "none"
        raise UserError(
            f"{path} has no unit in both {source} and {target}: name two of its languages by source and "
            f"target. Received the languages: {known}."
        )
    note = f"{counted(others, 'unit')} of {path.name} left out that lack {source} or {target}"
    return Examples(sides, str(path)), ((note,) if others else ())


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _variants(unit: ElementTree.Element) -> dict[str, str]:
    """Return the texts of a unit by their languages, in small letters."""
    texts = {}
    for variant in unit:
        if _name(variant) != "tuv":
            continue
        language = next((variant.get(name) for name in LANGUAGES if variant.get(name)), "") or ""
        segment = next((each for each in variant if _name(each) == "seg"), None)
        if segment is not None:
            texts[language.lower()] = "".join(segment.itertext())
    return texts


def _of(texts: dict[str, str], language: str) -> str | None:
    """Return the text in a language, or in the first of its regions."""
    wanted = language.lower()
    if wanted in texts:
        return texts[wanted]
    return next((text for name, text in texts.items() if name.split("-")[0].split("_")[0] == wanted), None)
