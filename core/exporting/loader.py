"""Copies the code that answers by an exported graph: a module, and what it imports of this project."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

HOUSE = ("core.", "apps.")
ENTRY = "predict"


def copy_loader(module: str, folder: Path) -> None:
    """Write a module as `predict.py`, and beside it each module of this project that it imports at its head.

    Imports are rewritten, so that the files run wherever the folder is put.

    Args:
        module: Such as `apps.nlp.loader`.
        folder: Takes the files.
    """
    waiting, copied = [module], {module}
    while waiting:
        current = waiting.pop()
        source = _path(current).read_text(encoding="utf-8")
        for imported in _imported(source):
            source = re.sub(rf"^from {re.escape(imported)} ", f"from {_name(imported)} ", source, flags=re.M)
            if imported not in copied:
                copied.add(imported)
                waiting.append(imported)
        name = ENTRY if current == module else _name(current)
        (folder / f"{name}.py").write_text(source, encoding="utf-8")


def _imported(source: str) -> list[str]:
    """Return the modules of this project that a source imports at its head."""
    return [
        node.module
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(HOUSE)
    ]


def _name(module: str) -> str:
    return module.rsplit(".", 1)[-1]


def _path(module: str) -> Path:
    found = importlib.util.find_spec(module)
    assert found is not None
    return Path(str(found.origin))
