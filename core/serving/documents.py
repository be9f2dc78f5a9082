"""The OpenAPI documents: enough to write a client from, in any language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.serving.kinds import InputKind
from core.serving.problems import ProblemDocument
from core.serving.requests import FILE_FIELD, FORM_TYPE, JSON_TYPE, What, explain_body, predict_body
from core.serving.settings import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.serving.application import Serving
    from core.serving.served import ServedRun

SUMMARIES = {"predict": "Predict from each", "explain": "Explain the prediction of one"}
PROBLEMS = {
    400: "The body is no JSON, or no form.",
    401: "The token is missing or wrong, where the server wants one.",
    403: "A page of another origin called.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is of another type.",
    421: "The server is not called by that name.",
    422: "A field is not what it should be, or a file can't be read.",
    503: "Too much waits already, the model is not loaded yet, or the answer took too long. Try again.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what routes answer when they do not succeed; by default, all of it."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": PROBLEMS[status], "model": ProblemDocument} for status in statuses or PROBLEMS
    }
    if 503 in told:
        told[503]["headers"] = {
            "Retry-After": {
                "description": "Seconds after which to try again.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return told


def of_route(served: ServedRun, what: What) -> dict[str, Any]:
    """Return what the documents say of a route of a run, as arguments of `add_api_route`."""
    kind, limits = served.kind, served.limits
    answer = PREDICTED if what == "predict" else EXPLAINED
    return {
        "operation_id": f"{what}_{served.name}",
        "summary": f"{SUMMARIES[what]} {kind.noun}",
        "responses": {
            200: {"description": "The answer.", "content": {JSON_TYPE: {"schema": answer}}},
            **problem_responses(),
        },
        "openapi_extra": {"requestBody": {"required": True, "content": _bodies(kind, limits, what)}},
    }


def _bodies(kind: InputKind, limits: Limits, what: What) -> dict[str, Any]:
    model = predict_body(kind.name, limits) if what == "predict" else explain_body(kind.name, limits)
    bodies = {JSON_TYPE: {"schema": _inlined(model.model_json_schema())}}
    if kind.is_file:
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
    text = json.dumps(schema)
    for name, definition in definitions.items():
        text = text.replace(json.dumps({"$ref": f"#/$defs/{name}"}), json.dumps(definition))
    return json.loads(text)


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


def add_documents(app: FastAPI, serving: Serving) -> None:
    """Add the page that shows the documents."""
