"""Archives of several files, unpacked for as long as they are read."""

from __future__ import annotations

import contextlib
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.data.folders import hidden
from core.errors import UserError

TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield a folder with the files of an archive, or the path itself where it is none of several files.

    A zip archive of one file is left packed, as a table is read from it. Of folders that hold one folder and
    nothing else, the innermost is yielded.

    Args:
        path: That exists.

    Raises:
        UserError: It can't be unpacked.
    """
    if not is_archive(path):
        yield _innermost(path) if path.is_dir() else path
        return
    with tempfile.TemporaryDirectory(prefix="quartet-") as folder:
        try:
            _unpack(path, folder)
        except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, OSError, EOFError) as error:
            raise UserError(f"{path} can't be unpacked: {error}.") from None
        except (RuntimeError, NotImplementedError) as error:  # a password, or a packing that is not known
            raise UserError(f"{path} can't be unpacked: {error}.") from None
        yield _innermost(Path(folder))


def is_archive(path: Path) -> bool:
    """Return whether a path is a tar archive, or a zip archive of several files.

    Example:

    >>> is_archive(Path("nowhere/reviews.csv"))
    False
    """
    if not path.is_file():
        return False
    if path.name.lower().endswith(TAR):
        return True
    if path.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False  # whoever reads it as a table says so
    return sum(not any(map(hidden, PurePosixPath(name).parts)) for name in names) > 1


def _unpack(path: Path, folder: str) -> None:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        return
    with tarfile.open(path) as archive:
        # Nothing that lies, links or is written elsewhere.
        archive.extractall(folder, filter="data")


def _innermost(folder: Path) -> Path:
    while True:
        entries = [entry for entry in folder.iterdir() if not hidden(entry.name)]
        inner = entries[0] if len(entries) == 1 else None
        if inner is None or not inner.is_dir() or not any(each.is_dir() for each in inner.iterdir()):
            return folder
        folder = inner
