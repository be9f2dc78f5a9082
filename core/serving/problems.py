"""Errors as JSON: what is wrong, in which field, and never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from core.inputs.kind import TAG

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

UNFORESEEN = "The server failed at this request; its log says why."


class ProblemDocument(pydantic.BaseModel):
    """What the body of every answer holds that is no success."""

    error: str = pydantic.Field(description="what is wrong and what to do, in a sentence or two")
    field: str | None = pydantic.Field(
        None, description="the part of the request that is wrong, such as inputs[2]"
    )


class Problem(Exception):  # noqa: N818 - it is an answer, which may be no error of anybody
    """An answer that is no success.

    Args:
        status: Of HTTP.
        error: What is wrong, and what to do.
        field: The part of the request that is wrong.
        retry_after: Seconds after which the same request may succeed.
    """

    def __init__(
        self, status: int, error: str, field: str | None = None, *, retry_after: int | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.document = ProblemDocument(error=error, field=field)
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"

    def response(self) -> JSONResponse:
        """Return the problem as a response."""
        return JSONResponse(self.document.model_dump(), self.status, headers=self.headers)


def invalid(error: pydantic.ValidationError) -> Problem:
    """Return the first thing that is wrong with a body, by the field that it stands in.

    Example:

    >>> class Body(pydantic.BaseModel):
    ...     inputs: list[int]
    >>> try:
    ...     Body.model_validate({"inputs": [1, "two"]})
    ... except pydantic.ValidationError as error:
    ...     print(invalid(error).document.field)
    inputs[1]
    """
    return _problem_of(error.errors(include_url=False, include_context=False, include_input=False)[0])


def _problem_of(first: Any) -> Problem:
    if first["type"] == "json_invalid":
        return Problem(400, f"The body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}.", "body")
    field = ""
    for part in first["loc"]:
        if isinstance(part, str) and part.startswith(TAG):
            continue
        field += f"[{part}]" if isinstance(part, int) else f".{part}"
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return Problem(422, f"{message}.", field.removeprefix(".") or "body")


def tell_problems(application: FastAPI) -> None:
    """Make an application answer what its routes refuse as a `ProblemDocument`."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known = {404: "There is nothing at this path.", 405: "This path has no such method."}
        answer = Problem(error.status_code, known.get(error.status_code, str(error.detail)))
        answer.headers |= dict(error.headers or {})
        return answer.response()

    async def parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _problem_of(error.errors()[0]).response()

    async def unforeseen(request: Request, error: Exception) -> Response:
        return Problem(500, UNFORESEEN).response()

    application.add_exception_handler(Exception, unforeseen)
    application.add_exception_handler(Problem, problem)
    application.add_exception_handler(HTTPException, http)
    application.add_exception_handler(RequestValidationError, parameters)
