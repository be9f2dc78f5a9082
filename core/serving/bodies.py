"""The body of a request, whole and within its limits: bytes, or the parts of a form."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from core.inputs.limits import Limits
from core.serving.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

MAX_FIELDS, MAX_FIELD_BYTES = 4, 1024


async def body_of(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises:
        Problem: It is too large (413) or too slow (408).
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limits.body_bytes:
        raise _too_large(limits)
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(limits.upload_seconds):
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Problem(499, "The client hung up.")
                body += message.get("body", b"")
                if len(body) > limits.body_bytes:
                    raise _too_large(limits)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Problem(408, f"The body did not arrive within {limits.upload_seconds:g} s.", "body") from None
    return bytes(body)


def check_keys(body: bytes) -> None:
    """Let JSON pass that names no key twice: its readers differ in which of the values they take.

    Args:
        body: JSON that has been checked, so it is not nested deeply.

    Raises:
        Problem: A key stands there twice.

    Example:

    >>> check_keys(b'{"inputs": ["a"], "inputs": ["b"]}')
    Traceback (most recent call last):
    core.serving.problems.Problem: The key 'inputs' stands there twice.
    """
    if body.count(b":") > 1:  # else there is one key, and the body is not read again
        try:
            json.loads(body, object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            raise Problem(400, "The body is no JSON that every reader takes.", "body") from None


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Problem(422, f"The key {twice[:80]!r} stands there twice.", "body")


def _too_large(limits: Limits) -> Problem:
    return Problem(413, f"A request may have {limits.body_bytes:,} bytes at most.", "body")


class InMemoryParser(MultiPartParser):
    """Parses a form without the temporary files that larger parts would be spooled to."""

    spool_max_size = 2**62


async def form_of(request: Request, limits: Limits, max_files: int) -> list[tuple[str, str | bytes]]:
    """Return the parts of a form: names with text, or with the content of files.

    Args:
        request: Whose body is `multipart/form-data`.
        limits: On its size and time.
        max_files: That it may hold.

    Raises:
        Problem: It is no whole form (400), too large, or too slow.
    """
    stream = _once(await body_of(request, limits))
    parser = InMemoryParser(
        request.headers,
        stream,
        max_files=max_files,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(400, f"The form can't be read: {error.message.rstrip('.')}.", "body") from None
    except (KeyError, ValueError, LookupError):
        raise Problem(400, "The form can't be read: its Content-Type names no boundary.", "body") from None
    parts: list[tuple[str, str | bytes]] = []
    for name, value in form.multi_items():
        parts.append((name, await value.read() if isinstance(value, UploadFile) else value))
    await form.close()
    return parts


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
    yield b""
