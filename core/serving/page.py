"""The page to try a run by hand, and what it loads: all from this package, nothing from elsewhere."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import pydantic
from fastapi import FastAPI, Query
from fastapi import Path as Path_
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from core.answers.kind import Answers
from core.answers.rankings import Rankings
from core.inputs import Input, Several
from core.serving.documents import offered, problem_responses
from core.serving.problems import Problem
from core.serving.rendering import STATIC, filled, rendered
from core.serving.requests import Schema, What

if TYPE_CHECKING:
    from core.serving.runs import Serving
    from core.serving.served import ServedRun


BUTTONS: tuple[What, ...] = ("stream", "predict", "explain")  # the first is for the Enter key


class Choice(pydantic.BaseModel):
    """A user or an item that an input may name."""

    id: str
    name: str


def add_pages(app: FastAPI, serving: Serving) -> None:
    """Add the page of each run, the first of which is also that of the server, and the scripts it loads."""
    add_scripts(app, serving)
    app.mount("/static", StaticFiles(directory=STATIC))

    def page_of(served: ServedRun, base: str) -> HTMLResponse:
        schema = served.current.schema if served.current else served.schema
        purpose = (inspect.getdoc(served.task) or "").partition("\n")[0]
        return rendered(
            "page.html",
            names=list(serving.runs),
            name=served.name,
            inputs=forms_of(schema, list(served.task.takes)),
            options=options_of(schema),
            offered=sorted(offered(served), key=BUTTONS.index),
            answers=script_of(served.task.gives),
            purpose=purpose,
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


def add_scripts(app: FastAPI, serving: Serving) -> None:
    """Add the scripts that lie beside the kinds of inputs and answers of the runs."""
    scripts: dict[str, Path] = {}
    for served in serving.runs.values():
        for part in parts_of(served.schema.input):
            scripts[f"inputs/{part.kind}"] = part.file(".js")
        kind = served.task.gives
        # The script of one kind may be made of that of another.
        for each in (kind, Rankings) if kind else ():
            if (path := each.file("page.js")) is not None:
                scripts[f"answers/{each.kind}"] = path

    @app.get("/static/{place}/{name}.js", include_in_schema=False)
    def script(place: str, name: str) -> FileResponse:
        path = scripts.get(f"{place}/{name}")
        if path is None:
            raise Problem(404, "There is nothing at this path.")
        return FileResponse(path, media_type="text/javascript")


def script_of(kind: type[Answers] | None) -> str:
    """Return the address of the script that shows answers of a kind, as `page.js` imports it."""
    has_one = kind is not None and kind.file("page.js") is not None
    return f"./answers/{kind.kind}.js" if kind and has_one else "./answer.js"


def parts_of(kind: Input) -> list[Input]:
    """Return the inputs that a form has fields for."""
    return list(kind.parts.values()) if isinstance(kind, Several) else [kind]


def forms_of(schema: Schema, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the fields of each input, as the page shows them.

    Args:
        schema: What requests may hold.
        names: Of the inputs, as the task says.
    """
    limits, forms = schema.limits, []
    for name, part in zip(names, parts_of(schema.input), strict=True):
        id_ = f"{name}-" if len(names) > 1 else ""
        bounds = {"seconds": limits.sound_seconds, "turns": limits.turns}
        label = name.replace("_", " ").capitalize()
        form = filled(part.file(".html"), id=id_, input=part, limits=limits, label=label)
        forms.append(
            {
                "name": name,
                "id": id_,
                "kind": part.kind,
                "settings": json.dumps({**part.settings(), **bounds}),
                "form": form,
                "label": label,
                "legend": "" if part.is_one_field or len(names) == 1 else label,
            }
        )
    return forms


def options_of(schema: Schema) -> list[dict[str, Any]]:
    """Return what may be asked of an answer, as fields of a form."""
    fields = []
    for name, field in schema.options.model_fields.items():
        choices = [each for each in get_args(field.annotation) if isinstance(each, str)]
        types = {field.annotation, *get_args(field.annotation)}
        kind = "checkbox" if bool in types else "number" if types & {int, float} else "text"
        fields.append(
            {
                "name": name,
                "description": field.description or "",
                "default": field.get_default(),
                "choices": choices,
                "type": kind,
                "step": "any" if float in types else 1,
            }
        )
    return fields


def add_choices(app: FastAPI, served: ServedRun) -> None:
    """Add the route that finds the users and items whose id or name holds some text."""

    def choices(
        field: Annotated[str, Path_(max_length=40, description="what is named, such as user or item")],
        search: Annotated[str, Query(max_length=100, description="part of an id or a name")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> list[Choice]:
        with served.using() as loaded:
            named = loaded.choices.get(field)
            if named is None:
                raise Problem(422, f"There are names of {', '.join(loaded.choices)}.", "path.field")
            wanted = search.casefold()
            fitting = (
                Choice(id=id, name=name)
                for id, name in named.items()
                if wanted in name.casefold() or wanted == id.casefold()
            )
            return list(islice(fitting, limit))

    app.add_api_route(
        f"/v1/{served.name}/choices/{{field}}",
        choices,
        methods=["GET"],
        operation_id=f"choices_{served.name}",
        summary="Find users, items and ratings by what people call them",
        tags=[served.name],
        responses=problem_responses((401, 403, 421, 422, 503)),
    )
