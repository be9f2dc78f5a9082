"""The page to try a run by hand, and what it loads: all from this package, nothing from elsewhere."""

from __future__ import annotations

import inspect
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

import pydantic
from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from core.serving.documents import problem_responses
from core.serving.problems import Problem
from core.serving.rendering import STATIC, rendered

if TYPE_CHECKING:
    from core.serving.application import Serving
    from core.serving.served import ServedRun


class Choice(pydantic.BaseModel):
    """A user or an item that an input may name."""

    id: str
    name: str


def add_pages(app: FastAPI, serving: Serving) -> None:
    """Add the page of each run, the first of which is also that of the server."""
    app.mount("/static", StaticFiles(directory=STATIC))

    def page_of(served: ServedRun, base: str) -> HTMLResponse:
        task = served.shown.experiment.task
        purpose = (inspect.getdoc(type(task)) or "").partition("\n")[0]
        return rendered(
            "page.html",
            names=list(serving.runs),
            name=served.name,
            kind=served.kind,
            purpose=purpose,
            limits=served.limits,
            needs_token=serving.protection.token is not None and serving.protection.public_page,
            base=serving.settings.root_path or base,
        )

    @app.get("/", include_in_schema=False)
    def first() -> HTMLResponse:
        return page_of(next(iter(serving.runs.values())), ".")

    @app.get("/try/{name}", include_in_schema=False)
    def try_run(name: str) -> HTMLResponse:
        if name not in serving.runs:
            raise Problem(404, f"No run is served by that name; there are {', '.join(serving.runs)}.")
        return page_of(serving.runs[name], "..")


def add_choices(app: FastAPI, served: ServedRun) -> None:
    """Add the route that finds the users and items whose id or name holds some text."""

    def choices(
        field: Literal["user", "item", "rating"],
        search: Annotated[str, Query(max_length=100, description="part of an id or a name")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> list[Choice]:
        with served.using() as loaded:
            named = loaded.choices.get(field, {})
            wanted = search.casefold()
            found = (
                Choice(id=id, name=name)
                for id, name in named.items()
                if wanted in name.casefold() or wanted == id.casefold()
            )
            return list(islice(found, limit))

    app.add_api_route(
        f"/v1/{served.name}/choices/{{field}}",
        choices,
        methods=["GET"],
        operation_id=f"choices_{served.name}",
        summary="Find users, items and ratings by what people call them",
        tags=[served.name],
        responses=problem_responses((401, 403, 421, 422, 503)),
    )
