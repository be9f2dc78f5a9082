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

    The others are named by their whole dotted path, such as `core_answers_decisions.py`, so that none takes
    the place of another. Imports are rewritten, so that the files run wherever the folder is put. What else
    stands in the top package of the module is of this project too.

    Args:
        module: Such as `apps.nlp.loader`.
        folder: Takes the files.
    """
    names = {module: ENTRY}
    house = (*HOUSE, f"{module.partition('.')[0]}.")
    waiting = [module]
    while waiting:
        current = waiting.pop()
        source = _path(current).read_text(encoding="utf-8")
        for imported in _imported(source, house):
            if imported not in names:
                names[imported] = _name(imported, set(names.values()))
                waiting.append(imported)
            source = re.sub(rf"^from {re.escape(imported)} ", f"from {names[imported]} ", source, flags=re.M)
        (folder / f"{names[current]}.py").write_text(source, encoding="utf-8")


def _imported(source: str, house: tuple[str, ...]) -> list[str]:
    """Return the modules of this project that a source imports at its head."""
    return [
        node.module
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(house)
    ]


def _name(module: str, taken: set[str]) -> str:
    name = module.replace(".", "_")
    while name in taken:  # `a.b_c` beside `a_b.c`
        name += "_"
    return name


def _path(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    return Path(str(spec.origin))
