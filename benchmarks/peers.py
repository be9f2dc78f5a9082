"""Other people's software, each in an environment of its own for as long as it is measured."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def environment(*packages: str) -> Iterator[Path]:
    """Give the interpreter of a new environment that has these packages; it is removed at the end.

    Args:
        packages: As pip takes them, versions pinned.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        yield python
