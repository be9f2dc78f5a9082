"""From checked inputs to answers: decoded, put in the queue, and waited for as long as somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic_core
from starlette.responses import Response

from core.answers.files import embedded
from core.errors import UserError
from core.inputs.limits import Limits
from core.serving.batching import InputError, QueueFullError
from core.serving.problems import Problem
from core.serving.requests import JSON_TYPE, Schema, What, decoded
from core.serving.served import LoadedRun, Optioned
from core.task.contract import Options

if TYPE_CHECKING:
    from starlette.requests import Request

Answer = TypeVar("Answer")
# Of a file that is decoded at once: most take less than a turn of a thread, the worst some milliseconds.
QUICK_BYTES, QUICK_PIXELS, QUICK_SECONDS = 2**16, 2**16, 2.0
LISTENING_SECONDS = 0.25  # that a client is trusted to wait; after them it is watched, which costs a task


async def ready(values: list[Any], schema: Schema, what: What) -> list[Any]:
    """Return raw inputs; files that take long are decoded in another thread, while others are served."""
    kind, limits = schema.input, schema.limits
    if not kind.is_file:
        return decoded(values, kind, limits, what)
    if len(values) == 1 and len(values[0]) <= QUICK_BYTES:
        # What takes long, whatever its size, or can't be read, goes the other way, which tells why.
        with contextlib.suppress(Problem):
            return decoded(values, kind, quick(limits), what)
    return await asyncio.to_thread(decoded, values, kind, limits, what)


@functools.lru_cache
def quick(limits: Limits) -> Limits:
    """Return limits within which decoding a file holds up nobody."""
    within = {
        "pixels": min(limits.pixels, QUICK_PIXELS),
        "sound_seconds": min(limits.sound_seconds, QUICK_SECONDS),
    }
    return limits.model_copy(update=within)


async def predicted(loaded: LoadedRun, values: list[Any], options: Options | None = None) -> list[Any]:
    """Return the answers of the model.

    Args:
        loaded: The run that answers.
        values: Raw inputs.
        options: Of these answers, where the task has any.

    Raises:
        Problem: The queue is full (503), or the task refuses one of the inputs (422).
    """
    try:
        return await loaded.batcher.answers(
            values if options is None else [Optioned(each, options) for each in values]
        )
    except QueueFullError as error:
        wait = max(math.ceil(error.seconds), 1)
        raise Problem(
            503, "Too many inputs are waiting already; none of these was taken.", retry_after=wait
        ) from None
    except InputError as error:
        if isinstance(error.__cause__, UserError):
            raise Problem(422, str(error.__cause__), f"inputs[{error.index}]") from None
        raise error.__cause__ or error from None


async def answered(request: Request, limits: Limits, answer: Awaitable[Answer]) -> Answer:
    """Return an answer, unless it takes too long or the client hangs up: then it is given up.

    Raises:
        Problem: It took too long (503), or nobody listens any more (499, which nobody sees).
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    watching: asyncio.Task[None] | None = None

    def watch() -> None:
        nonlocal watching
        limit.reschedule(begun + limits.answer_seconds)
        if limits.answer_seconds > LISTENING_SECONDS:
            watching = loop.create_task(_until_hung_up(request, limit))

    # One timer for both, since most answers are there long before it.
    timer = loop.call_later(min(LISTENING_SECONDS, limits.answer_seconds), watch)
    try:
        async with asyncio.timeout(None) as limit:
            return await answer
    except TimeoutError:
        if not limit.expired():
            raise
        if watching is not None and watching.done():
            raise Problem(499, "The client hung up.") from None
        seconds = limits.answer_seconds
        raise Problem(503, f"There was no answer within {seconds:g} s.", retry_after=1) from None
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()


async def _until_hung_up(request: Request, limit: asyncio.Timeout) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    limit.reschedule(asyncio.get_running_loop().time())


def in_json(answer: dict[str, Any]) -> Response:
    """Return an answer as a response: pictures and sounds as data URLs, what is not finite as null.

    Example:

    >>> in_json({"share": float("nan")}).body
    b'{"share":null}'
    """
    # It takes a fifth of the time of `core.writing.to_json`, which writes for people too.
    body = pydantic_core.to_json(answer, inf_nan_mode="null", fallback=embedded)
    return Response(body, media_type=JSON_TYPE)
