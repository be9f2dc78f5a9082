"""From a request to raw inputs: JSON or uploaded files, checked, and decoded in memory.

Nothing that a request holds is ever taken for a path: tasks that read pictures and sounds from files are only
handed arrays here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic

from core.errors import UserError
from core.serving.bodies import body_of, check_keys, form_of
from core.serving.kinds import KINDS, InputKind
from core.serving.problems import Problem, invalid
from core.serving.settings import Limits

if TYPE_CHECKING:
    from starlette.requests import Request

    from core.run import Run

JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data"
FILE_FIELD = "files"
What = Literal["predict", "explain"]


class Body(pydantic.BaseModel):
    """What requests have in common."""

    model_config = pydantic.ConfigDict(extra="forbid", val_json_bytes="base64")


Method = Annotated[
    str | None,
    pydantic.Field(max_length=40, pattern="^[a-z_]+$", description="of explanation; else the task's own"),
]
METHOD = pydantic.TypeAdapter(Method)


@functools.lru_cache
def predict_body(kind: str, limits: Limits) -> type[Body]:
    """Return the type of the body of a request to predict."""
    inputs: Any = pydantic.conlist(KINDS[kind].type(limits), min_length=1, max_length=limits.items)
    told = pydantic.Field(description=KINDS[kind].described, examples=[KINDS[kind].examples({})])
    return pydantic.create_model("PredictRequest", __base__=Body, inputs=(inputs, told))


@functools.lru_cache
def explain_body(kind: str, limits: Limits) -> type[Body]:
    """Return the type of the body of a request to explain."""
    told = pydantic.Field(description=KINDS[kind].described, examples=KINDS[kind].examples({})[:1])
    one: Any = KINDS[kind].type(limits)
    return pydantic.create_model("ExplainRequest", __base__=Body, input=(one, told), method=(Method, None))


@dataclass(frozen=True)
class Asked:
    """A request that has been checked.

    Args:
        values: The inputs, not decoded yet.
        method: Of explanation, if one was named.
    """

    values: list[Any]
    method: str | None = None


async def asked_of(request: Request, kind: InputKind, limits: Limits, what: What) -> Asked:
    """Return the inputs of a request, in JSON or as uploaded files.

    Raises:
        Problem: It is not what the documents say; the problem names the field.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == FORM_TYPE and kind.is_file:
        return await _uploaded(request, limits, what)
    if media_type != JSON_TYPE:
        wanted = f"{JSON_TYPE} or {FORM_TYPE}" if kind.is_file else JSON_TYPE
        raise Problem(415, f"Content-Type must be {wanted}. Received: {media_type[:80]!r}.", "content-type")
    body = await body_of(request, limits)
    model = predict_body(kind.name, limits) if what == "predict" else explain_body(kind.name, limits)
    try:
        read: Any = model.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise invalid(error) from None
    check_keys(body)
    return Asked(read.inputs) if what == "predict" else Asked([read.input], read.method)


async def _uploaded(request: Request, limits: Limits, what: What) -> Asked:
    most = limits.items if what == "predict" else 1
    method, files = None, []
    # One more than may be, so that too many are told by name.
    for name, value in await form_of(request, limits, max_files=most + 1):
        if name == FILE_FIELD and isinstance(value, bytes):
            files.append(value)
        elif name == "method" and what == "explain" and isinstance(value, str):
            method = value
        else:
            raise Problem(422, f"A form has files, each named {FILE_FIELD!r}.", name[:80] or "body")
    if not 1 <= len(files) <= most:
        raise Problem(422, f"Send 1 to {most} files. Received: {len(files)}.", FILE_FIELD)
    try:
        METHOD.validate_python(method)
    except pydantic.ValidationError:
        raise Problem(422, "A method is a name in lower case.", "method") from None
    return Asked(files, method)


def decoded(values: list[Any], kind: InputKind, run: Run, limits: Limits, what: What) -> list[Any]:
    """Return what `Task.predict` takes, from inputs that have been checked.

    Raises:
        Problem: One can't be read; the problem names it.
    """
    ready = []
    for index, value in enumerate(values):
        try:
            ready.append(kind.raw(value, run, limits))
        except UserError as error:
            raise Problem(422, str(error), f"inputs[{index}]" if what == "predict" else "input") from None
    return ready
