"""One training at a time in a run folder: a lock that its process takes with it when it dies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core.errors import UserError

NAME = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder for the length of a block; the folder is made where there is none.

    The system lets the lock go when the process ends, however it ends. Where a file system knows no locks,
    nothing is held.

    Args:
        folder: Of a run.

    Raises:
        UserError: Another training holds it, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _opened(folder / NAME)
    except OSError as error:
        raise UserError(f"The run folder {folder} can't be written: {error.strerror or error}.") from None
    try:
        with file:
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
            try:
                yield
            finally:
                if os.name != "nt":  # where a file that is open can't be deleted
                    _deleted(folder)
    finally:
        if os.name == "nt":
            _deleted(folder)


def _opened(path: Path) -> BinaryIO:
    """Return the lock file, locked.

    Raises:
        UserError: It is locked by another.
    """
    if path.is_symlink():  # it would be written through
        path.unlink()
    while True:
        file = path.open("a+b")
        try:
            _lock(file)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).decode("ascii", errors="replace")
            file.close()
            raise UserError(
                f"Another training is under way in {path.parent}: wait for its end, stop it, or give another "
                f"folder. Received: a folder that is held by process {holder or 'unknown'}."
            ) from None
        except OSError:
            return file
        # Who held it before may have deleted the file between its opening and its locking here.
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _lock(file: BinaryIO) -> None:
    """Lock a file for this process.

    Raises:
        BlockingIOError: Another holds it.
        OSError: The file system knows no locks.
    """
    if os.name == "nt":
        import msvcrt

        # Bytes far behind the end, so that others can read who holds it.
        file.seek(2**20)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except PermissionError as error:
            raise BlockingIOError from error
        finally:
            file.seek(0)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _deleted(folder: Path) -> None:
    """Delete the lock, and a folder in which nothing else stands."""
    with contextlib.suppress(OSError):
        (folder / NAME).unlink()
        folder.rmdir()
