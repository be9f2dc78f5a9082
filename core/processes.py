"""Starts modules of this project as processes of their own, which import what this one would import."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module, to be started with `import_environment()`.

    Unlike plain `python -m` it does not look for modules in the working directory first, where somebody may
    keep a folder `core` of their own.

    Args:
        module: Such as `core.search.trial`.
        arguments: Of its command line.

    Example:

    >>> python_module("core.search.trial")[1:]
    ['-P', '-m', 'core.search.trial']
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def import_environment() -> dict[str, str]:
    """Return the environment in which a process finds the modules that this one finds, in the same order.

    These are this project, wherever it runs from, and modules of the user that a YAML names: where this
    process looks in its working directory, so does the other. Only a folder that holds another `core` comes
    behind this project, as it may since the working directory was changed.
    """
    folders = [Path(folder or ".").absolute() for folder in sys.path]
    for place, folder in enumerate(folders):
        if folder == ROOT:
            break
        if (folder / "core").is_dir():
            folders.insert(place, ROOT)
            break
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
