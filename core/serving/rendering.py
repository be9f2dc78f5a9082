"""Pages from templates, which lie in `templates/`; what they load lies in `static/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse
from markupsafe import Markup

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


def filled(path: Path, **context: Any) -> Markup:
    """Return what a template at any path makes of a context, which is escaped, for a part of a page."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    return Markup(environment.from_string(path.read_text(encoding="utf-8")).render(context))


def rendered(template: str, **context: Any) -> HTMLResponse:
    """Return the page that a template makes of a context, which is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True
    )
    return HTMLResponse(environment.get_template(template).render(context))
