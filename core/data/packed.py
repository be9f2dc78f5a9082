"""Text files as they are published: packed or not, in UTF-8, UTF-16 or another encoding."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, TextIO, cast

from core.data.folders import hidden
from core.errors import UserError

PACKINGS = (".gz", ".xz", ".bz2", ".zip")
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Of 32 bits first, whose mark begins with that of 16.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LOOKED_AT = 4096  # bytes, by which UTF-16 without a mark is known
ZEROS = 0.3  # of the bytes in one place of each pair are 0 in UTF-16, as long as some letters are Latin
LIKELIEST = "cp1252"  # of files that are not in Unicode: what Windows writes in Western languages


def table_suffix(path: Path) -> str:
    """Return the ending that tells the format, without that of a packing such as `.gz`.

    Example:

    >>> table_suffix(Path("reviews.CSV.gz"))
    '.csv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if not suffixes or suffixes[-1] not in PACKINGS:
        return (suffixes or [""])[-1]
    if suffixes[-1] == ".zip" and path.is_file():
        try:
            return PurePosixPath(_only_member(path)).suffix.lower()
        except (UserError, OSError):
            return ".zip"
    return suffixes[-2] if len(suffixes) > 1 else suffixes[-1]


def opened_bytes(path: Path) -> BinaryIO:
    """Open a file, unpacked where its ending says that it is packed.

    Raises:
        UserError: A zip archive holds no file, or several.
        OSError: It can't be read, then or later.
    """
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        return path.open("rb")
    return cast(BinaryIO, io.BufferedReader(_Unpacked(opener(path)), 2**16))


def opened_text(path: Path, encoding: str | None = None) -> TextIO:
    """Open a text file, unpacked, in its encoding: UTF-8 or UTF-16, with a mark or without, or as named.

    Args:
        path: The file.
        encoding: A name that Python knows, such as `cp1252`; by default UTF-8, unless the file begins as
            UTF-16 does.

    Raises:
        UserError: There is no such encoding.
    """
    file = opened_bytes(path)
    try:
        if encoding is None:
            encoding = encoding_of(cast(io.BufferedReader, file).peek(LOOKED_AT))
        elif _is_utf8(encoding):
            encoding = "utf-8-sig"
        return io.TextIOWrapper(file, encoding=encoding, newline="")
    except BaseException:
        file.close()
        raise


def encoding_of(start: bytes) -> str:
    """Return how a text in Unicode is encoded, by its first bytes.

    Example:

    >>> encoding_of(b"text,label"), encoding_of("text".encode("utf-16")), encoding_of(b"t\\0e\\0x\\0t\\0")
    ('utf-8-sig', 'utf-16', 'utf-16-le')
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    pairs = len(start[:LOOKED_AT]) // 2
    first, second = (start[place : 2 * pairs : 2].count(0) for place in (0, 1))
    if pairs and second > ZEROS * pairs and not first:
        return "utf-16-le"
    return "utf-16-be" if pairs and first > ZEROS * pairs and not second else "utf-8-sig"


def not_unicode(path: Path, error: UnicodeDecodeError) -> UserError:
    """Return the refusal of a file that is not in the encoding it is read in, with what it may be.

    Args:
        path: The file.
        error: What reading it raised.
    """
    where = f"{error.reason} at byte {error.start}"
    if not error.encoding.startswith("utf"):
        return UserError(
            f"{path} is not text in {error.encoding}: {where}. Name the encoding that it was saved in."
        )
    begin = max(error.object.rfind(b"\n", 0, error.start) + 1, error.start - 16)
    near = error.object[begin : error.end + 16].split(b"\n")[0].decode(LIKELIEST, errors="replace")
    return UserError(
        f"{path} is not text in {'UTF-8' if error.encoding == 'utf-8' else error.encoding}: {where}. Save it "
        f"as UTF-8, or name its encoding, such as encoding={LIKELIEST}, in which that place reads {near!r}."
    )


def known_encoding(name: str) -> str:
    """Return an encoding as Python names it.

    Raises:
        ValueError: It is not known.

    Example:

    >>> known_encoding("Latin1")
    'iso8859-1'
    """
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"must be an encoding such as cp1252 or shift_jis, got {name!r}") from None


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _only_member(path: Path) -> str:
    """Return the one file of a zip archive, apart from what a Mac or Windows adds.

    Raises:
        UserError: There is none, or there are several, or it is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    members = [name for name in names if not any(map(hidden, PurePosixPath(name).parts))]
    if len(members) != 1:
        raise UserError(
            f"A packed table is a zip archive with one file. Unpack {path} into a folder and name that. "
            f"Received: {len(members)} files{': ' if members else ''}{', '.join(members[:4])}."
        )
    return members[0]


def _member(path: Path) -> IO[bytes]:
    name = _only_member(path)
    try:
        return zipfile.ZipFile(path).open(name)
    except (RuntimeError, NotImplementedError) as error:  # a password, or a packing that is not known
        raise OSError(str(error)) from None


_OPENERS: Mapping[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".bz2": bz2.open,
    ".zip": _member,
}


class _Unpacked(io.RawIOBase):
    """A packed file whose damage is an `OSError`, whatever packs it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            content = self.file.read(len(view))
        except (lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise OSError(str(error) or "it ends too early") from None
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self.file.close()
        super().close()
