"""Markdown files taken apart: blocks of code with the comment before each, inline code, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMENT = re.compile(r"<!-- (.+) -->")
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Args:
        path: The file.
        line: On which its first line stands, from 1.
        language: After the fence; may be empty.
        comment: What an HTML comment in the line before the fence says; may be empty.
        text: Without the fences.
    """

    path: Path
    line: int
    language: str
    comment: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """Return the fenced blocks of a file, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    assert len(fences) % 2 == 0, f"{path}: a block of code is not ended"
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        comment = COMMENT.fullmatch(lines[start - 1]) if start else None
        text = "\n".join(lines[start + 1 : end]) + "\n"
        yield Block(path, start + 2, lines[start][3:], comment[1] if comment else "", text)


def prose(path: Path) -> str:
    """Return a file without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def inline_code(path: Path) -> list[str]:
    """Return what stands between single backticks outside of blocks; cells of tables included."""
    return [code.replace("&#124;", "|") for code in INLINE.findall(prose(path))]


def links(path: Path) -> list[str]:
    """Return the targets of links and pictures outside of code."""
    return LINK.findall(INLINE.sub("", prose(path)))


def anchors(path: Path) -> set[str]:
    """Return the anchors that the headings of a file get, as GitHub and most site generators make them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
