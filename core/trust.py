"""Whose code may run: the task that a run folder names is looked at before anything of it is imported."""

from __future__ import annotations

import os
import re
import sys
import traceback
from importlib.metadata import entry_points
from typing import Any

from core.errors import UserError

VARIABLE = "QUARTET_TRUST"
PLUGINS = "quartet.tasks"  # the group of entry points by which a package offers tasks
HOUSE = "apps"
PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def check_trusted(path: str, where: object, kind: type[object]) -> None:
    """Let a task that a run folder names be imported.

    Its module must be one of Quartet's own, of an installed plugin, in QUARTET_TRUST, or already at work in
    this process, as after `quartet train` with a configuration that names it.

    Args:
        path: Such as `apps.nlp.sentiment.Sentiment`.
        where: The run, for the message.
        kind: What all tasks are subclasses of.

    Raises:
        UserError: It is none of these.

    Example:

    >>> check_trusted("antigravity.Task", "runs/found", object)
    Traceback (most recent call last):
    core.errors.UserError: runs/found names a task of the module antigravity, ...
    """
    module = path.rpartition(".")[0]
    if _below(module, HOUSE) or loaded_class(path, kind) is not None:
        return
    if any(_below(module, prefix) for prefix in (*_named(), *_plugins())):
        return
    raise UserError(
        f"{where} names a task of the module {module}, which is neither Quartet's own nor of an installed "
        f"plugin: to open the run is to run that code. If you trust it, set {VARIABLE}={module} (several are "
        f"parted by commas) and give the command again. Received: {path!r}."
    )


def check_spelling(path: object) -> str:
    """Return a dotted path that can be one of a class.

    Raises:
        UserError: It can't.
    """
    if not isinstance(path, str) or not PATH.fullmatch(path) or len(path) > 200:
        raise UserError(
            "task.type must be a module and a class, such as apps.nlp.sentiment.Sentiment. "
            f"Received: {repr(path)[:80]}."
        )
    return path


def loaded_class(path: str, kind: type[Any]) -> type[Any] | None:
    """Return a subclass that this process has imported already, by no more than a look; else nothing.

    Args:
        path: Such as `apps.nlp.sentiment.Sentiment`.
        kind: What it must be a subclass of. What `core` itself holds is none: it is no task yet.
    """
    module, _, name = path.rpartition(".")
    known = vars(sys.modules[module]).get(name) if module in sys.modules else None
    is_one = isinstance(known, type) and issubclass(known, kind) and not _below(module, "core")
    return known if is_one else None


def import_failure(error: BaseException) -> str:
    """Return in a line why a module can't be imported, and where in it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith("<frozen")][-1:]
    is_its_own = isinstance(error, ImportError | AttributeError | SyntaxError)
    place = "" if is_its_own or not own else f" ({own[0].filename}, line {own[0].lineno})"
    said = (str(error).strip().splitlines() or [""])[0]
    kind = "" if is_its_own and said else f"{type(error).__name__}: "
    return f"{kind}{said}".rstrip(": .") + place


def _below(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")


def _named() -> list[str]:
    named = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return [name for name in named if name]


def _plugins() -> list[str]:
    return [plugin.module for plugin in entry_points(group=PLUGINS)]
