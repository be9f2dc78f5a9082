"""The OpenAPI documents: enough to write a client from, in any language."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from core.serving.answering import in_json
from core.serving.problems import ProblemDocument
from core.serving.rendering import rendered
from core.serving.requests import FILE_FIELD, FORM_TYPE, JSON_TYPE, Schema, What

if TYPE_CHECKING:
    from core.serving.runs import Serving
    from core.serving.served import LoadedRun, ServedRun

SUMMARIES: dict[What, str] = {
    "predict": "Predict from each",
    "explain": "Explain the prediction of one",
    "stream": "Predict from one, with the answer sent as it grows, from each",
}
PROBLEMS = {
    400: "The body is no JSON, or no form.",
    401: "The token is missing or wrong, where the server wants one.",
    403: "A page of another origin called.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is of another type.",
    421: "The server is not called by that name.",
    431: "The first line and the headers are too large together.",
    422: "A field is not what it should be, or a file can't be read.",
    503: "Too much waits already, the model is not loaded yet, or the answer took too long. Try again.",
}

POST_PROBLEMS = (400, 401, 403, 408, 413, 415, 421, 422, 431, 503)


def problem_responses(statuses: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    """Return what a route answers when it does not succeed."""
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": PROBLEMS[status], "model": ProblemDocument} for status in statuses
    }
    if 503 in responses:
        responses[503]["headers"] = {
            "Retry-After": {
                "description": "Seconds after which to try again.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return responses


def of_route(served: ServedRun, what: What) -> dict[str, Any]:
    """Return what the documents say of a route of a run, as arguments of `add_api_route`."""
    answer = copy.deepcopy(ANSWERED[what])
    return {
        "operation_id": f"{what}_{served.name}",
        "summary": f"{SUMMARIES[what]} {served.schema.input.noun}",
        "responses": {
            200: {"description": "The answer.", "content": answer},
            **problem_responses(POST_PROBLEMS),
        },
        "openapi_extra": {"requestBody": {"required": True, "content": _bodies(served.schema, what)}},
    }


def offered(served: ServedRun) -> list[What]:
    """Return what may be asked of a run: to predict, and what else its task is able to do over HTTP."""
    abilities = served.task.abilities
    return [what for what in SUMMARIES if what == "predict" or what in abilities]


def _bodies(schema: Schema, what: What) -> dict[str, Any]:
    kind, limits = schema.input, schema.limits
    model = schema.body(what)
    examples = kind.examples()
    example = {"inputs": examples} if what == "predict" else {"input": examples[0]}
    bodies = {JSON_TYPE: {"schema": _inlined(model.model_json_schema()), "example": example}}
    if kind.is_file and what != "stream":
        file = {"type": "string", "format": "binary"}
        files = {"type": "array", "items": file, "minItems": 1, "maxItems": limits.items}
        fields: dict[str, Any] = {FILE_FIELD: files if what == "predict" else file}
        if what == "explain":
            fields["method"] = {"type": "string", "pattern": "^[a-z_]+$", "maxLength": 40}
        bodies[FORM_TYPE] = {
            "schema": {
                "type": "object",
                "properties": fields,
                "required": [FILE_FIELD],
                "additionalProperties": False,
            }
        }
    return bodies


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema without definitions to refer to."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(each) for each in part]
        if not isinstance(part, dict):
            return part
        beside = {name: resolved(value) for name, value in part.items() if name != "$ref"}
        if not isinstance(part.get("$ref"), str):
            return {**beside, **({"$ref": resolved(part["$ref"])} if "$ref" in part else {})}
        # What stands beside a reference, such as a description, says more of it than its definition.
        return {**resolved(definitions[part["$ref"].rpartition("/")[2]]), **beside}

    return resolved(schema)


RUN = {"type": "string", "description": "The run folder that answered; it changes with a newer run."}
PREDICTED: dict[str, Any] = {
    "type": "object",
    "required": ["run", "predictions"],
    "properties": {
        "run": RUN,
        "predictions": {
            "type": "array",
            "description": "One answer an input, in their order.",
            "items": {"type": "object"},
        },
    },
}
EXPLAINED: dict[str, Any] = {
    "type": "object",
    "required": ["run", "explanation", "picture"],
    "properties": {
        "run": RUN,
        "explanation": {"type": "object", "description": "The prediction and what each part adds to it."},
        "picture": {"type": "string", "description": "The same as a picture: a data URL of a PNG."},
    },
}

BINARY = {"schema": {"type": "string", "format": "binary"}}
ANSWERED: dict[What, dict[str, Any]] = {
    "predict": {JSON_TYPE: {"schema": PREDICTED}},
    "explain": {JSON_TYPE: {"schema": EXPLAINED}, "image/png": BINARY},
    "stream": {"text/event-stream": {"schema": {"type": "string"}}},
}


def add_documents(app: FastAPI, serving: Serving) -> None:
    """Complete the OpenAPI document with true answers, and add the page that shows it to people."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = copy.deepcopy(plain())
        for name, served in serving.runs.items():
            if served.current is not None:
                routes = {what: document["paths"][f"/v1/{name}/{what}"]["post"] for what in offered(served)}
                _tell_examples(routes, served.current)
        return document

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        return rendered(
            "documents.html",
            names=list(serving.runs),
            operations=list(operations(app.openapi())),
            url=str(request.base_url).rstrip("/") + serving.settings.root_path,
            base=serving.settings.root_path or ".",
            needs_token=serving.protection.token is not None,
        )


def _tell_examples(routes: Mapping[What, dict[str, Any]], loaded: LoadedRun) -> None:
    """Ask in the documents of a run's routes about what it knows, and say what it answers."""
    given = [value for value, _ in loaded.examples]
    # Pictures and sounds as they are sent; an example of one is no use to a reader, so it is cut short.
    answers = [json.loads(bytes(in_json(answer).body)) for _, answer in loaded.examples]
    for what, route in routes.items():
        body = route["requestBody"]["content"][JSON_TYPE]
        body["schema"] = _inlined(loaded.schema.body(what).model_json_schema())
        body["example"] = {"inputs": given} if what == "predict" else {"input": given[0]}
    content = routes["predict"]["responses"]["200"]["content"][JSON_TYPE]
    content["schema"]["properties"]["predictions"]["items"] = schema_of(answers)
    content["example"] = {"run": loaded.run.folder.name, "predictions": answers}


def schema_of(values: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON schema that values have in common.

    Example:

    >>> schema_of([{"label": "good", "probability": 1}, {"label": "bad", "note": "short"}])["required"]
    ['label']
    """
    if values and all(isinstance(value, Mapping) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return {
            "type": "object",
            "properties": {
                name: schema_of([value[name] for value in values if name in value]) for name in names
            },
            "required": [name for name in names if all(name in value for value in values)],
        }
    if values and all(isinstance(value, list | tuple) for value in values):
        return {"type": "array", "items": schema_of([item for value in values for item in value])}
    for kind, name in ((str, "string"), (bool, "boolean"), (int | float, "number")):
        if values and all(isinstance(value, kind) for value in values):
            return {"type": name}
    return {}


def operations(openapi: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what people want to know of each operation of an OpenAPI document."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            contents = operation.get("requestBody", {}).get("content", {})
            answers = operation["responses"]
            answer = answers.get("200", {}).get("content", {}).get(JSON_TYPE, {})
            yield {
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "parameters": operation.get("parameters", []),
                "bodies": {
                    name: json.dumps(content["schema"], indent=2) for name, content in contents.items()
                },
                "example": json.dumps(contents.get(JSON_TYPE, {}).get("example")),
                "answer": json.dumps(answer.get("example", answer.get("schema", {})), indent=2),
                "problems": {
                    code: response["description"] for code, response in answers.items() if code != "200"
                },
            }
