"""Quartet's shared core. `from core import Run, train, tune` is all that a notebook needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.notebook import Run, train, tune

__all__ = ["Run", "train", "tune"]


def __getattr__(name: str) -> Any:
    # Not at the head: whoever takes one loss out of `core` needs none of this.
    if name in __all__:
        return getattr(importlib.import_module("core.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
