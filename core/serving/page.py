"""The page to try a run by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.serving.application import Serving
    from core.serving.served import ServedRun

FOLDER = Path(__file__).parent


def add_pages(app: FastAPI, serving: Serving) -> None:
    """Add the pages and what they load."""


def add_choices(app: FastAPI, served: ServedRun) -> None:
    """Add the route that lists users and items."""
