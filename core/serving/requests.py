"""From a request to raw inputs: JSON or uploaded files, checked, and decoded in memory.

Nothing that a request holds is ever taken for a path: tasks that read pictures and sounds from files are only
handed arrays here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic

from core.errors import UserError
from core.inputs import Input
from core.inputs.limits import Limits
from core.serving.bodies import body_of, check_keys, form_of
from core.serving.problems import Problem, invalid
from core.task.contract import Options, Task

if TYPE_CHECKING:
    from starlette.requests import Request

JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data"
FILE_FIELD = "files"
What = Literal["predict", "explain", "stream"]


class Body(pydantic.BaseModel):
    """What requests have in common."""

    model_config = pydantic.ConfigDict(extra="forbid", val_json_bytes="base64")


Method = Annotated[
    str | None,
    pydantic.Field(max_length=40, pattern="^[a-z_]+$", description="of explanation; else the task's own"),
]
METHOD = pydantic.TypeAdapter(Method)


@dataclass(frozen=True, eq=False)
class Schema:
    """What requests to a run may hold.

    Args:
        input: What the run takes.
        options: What may be asked of one answer.
        limits: On one request.
    """

    input: Input
    options: type[Options]
    limits: Limits

    @classmethod
    def of(cls, task: Task, input_: Input, limits: Limits) -> Schema:
        """Return what requests to a run of a task may hold."""
        return cls(input_, task.options, limits)

    @property
    def has_options(self) -> bool:
        """Whether anything may be asked of an answer."""
        return bool(self.options.model_fields)

    @cached_property
    def predict(self) -> type[Body]:
        """The type of the body of a request to predict."""
        inputs: Any = pydantic.conlist(
            self.input.type(self.limits), min_length=1, max_length=self.limits.items
        )
        described = pydantic.Field(description=self.input.described, examples=[self.input.examples()])
        return pydantic.create_model(
            "PredictRequest", __base__=Body, inputs=(inputs, described), **self._options()
        )

    @cached_property
    def explain(self) -> type[Body]:
        """The type of the body of a request to explain."""
        return pydantic.create_model(
            "ExplainRequest", __base__=Body, input=self._one(), method=(Method, None)
        )

    @cached_property
    def stream(self) -> type[Body]:
        """The type of the body of a request for an answer that is sent as it grows."""
        return pydantic.create_model("StreamRequest", __base__=Body, input=self._one(), **self._options())

    def body(self, what: What) -> type[Body]:
        """Return the type of the body of a request."""
        return getattr(self, what)

    def _one(self) -> Any:
        one: Any = self.input.type(self.limits)
        return one, pydantic.Field(description=self.input.described, examples=self.input.examples()[:1])

    def _options(self) -> dict[str, Any]:
        if not self.has_options:
            return {}
        return {"options": (self.options, pydantic.Field(self.options(), description="of the answers"))}


@dataclass(frozen=True)
class Asked:
    """A request that has been checked.

    Args:
        values: The inputs, not decoded yet.
        method: Of explanation, if one was named.
        options: Of the answers, where the task has any.
    """

    values: list[Any]
    method: str | None = None
    options: Options | None = None


async def asked_of(request: Request, schema: Schema, what: What) -> Asked:
    """Return the inputs of a request, in JSON or as uploaded files.

    Raises:
        Problem: It is not what the documents say; the problem names the field.
    """
    kind, limits = schema.input, schema.limits
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == FORM_TYPE and kind.is_file:
        return await _uploaded(request, schema, what)
    if media_type != JSON_TYPE:
        wanted = f"{JSON_TYPE} or {FORM_TYPE}" if kind.is_file else JSON_TYPE
        raise Problem(415, f"Content-Type must be {wanted}. Received: {media_type[:80]!r}.", "content-type")
    body = await body_of(request, limits)
    try:
        read: Any = schema.body(what).model_validate_json(body)
    except pydantic.ValidationError as error:
        raise invalid(error) from None
    check_keys(body)
    values = read.inputs if what == "predict" else [read.input]
    options = read.options if schema.has_options and what != "explain" else None
    return Asked(values, read.method if what == "explain" else None, options)


async def _uploaded(request: Request, schema: Schema, what: What) -> Asked:
    most = schema.limits.items if what == "predict" else 1
    method, files = None, []
    # One more than is allowed, so too many are refused by name.
    for name, value in await form_of(request, schema.limits, max_files=most + 1):
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
    options = schema.options() if schema.has_options and what != "explain" else None
    return Asked(files, method, options)


def decoded(values: list[Any], kind: Input, limits: Limits, what: What) -> list[Any]:
    """Return what `Task.predict` takes, from inputs that have been checked.

    Raises:
        Problem: One can't be read; the problem names it.
    """
    ready = []
    for index, value in enumerate(values):
        try:
            ready.append(kind.raw(value, limits))
        except UserError as error:
            raise Problem(422, str(error), f"inputs[{index}]" if what == "predict" else "input") from None
    return ready
