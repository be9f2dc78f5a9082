"""Connections that hold nobody else up: small heads, whole requests in time, and a bounded number."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from core.inputs.limits import Limits

LINGER_SECONDS = 1.0  # in which what still comes is read and dropped, so that the refusal is not lost


class BoundedConnection(HttpToolsProtocol):
    """One connection of a client, which gets `limits` and no more.

    What is refused before there is a request gets a whole answer, as JSON like all others, and is closed.
    """

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stage = "idle"  # between requests; else "head" or "body"
        self._head_bytes = 0
        self._ended = 0  # requests that were read whole
        self._refused = False
        self._waiting_for = ""  # what the deadline is of
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it where there are too many."""
        if len(self.connections) >= self.limits.connections:
            self.transport = transport
            self._refuse(503, f"{self.limits.connections} connections are open.", b"retry-after: 5\r\n")
            return
        super().connection_made(transport)
        self._wait_for("head", self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, and see to it that the rest comes in time."""
        if self._refused:
            return
        ended = self._ended
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._stage == "head":
            self._head_bytes += len(data) if ended == self._ended else 0
            if self._head_bytes > self.limits.head_bytes:
                self._refuse_head()
            else:
                self._wait_for("head", self.limits.head_seconds)
        elif self._stage == "body":
            self._wait_for("body", self.limits.upload_seconds + self.limits.head_seconds)
        elif ended == self._ended and not self._answering:  # empty lines, which begin no request
            self._wait_for("head", self.limits.head_seconds)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._stage, self._head_bytes = "head", 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take a request whose head is small enough."""
        self._stage = "body"
        first_line = len(self.parser.get_method()) + len(self.url) + len("  HTTP/1.1\r\n")
        size = first_line + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers) + 2
        if size > self.limits.head_bytes:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._stage = "idle"
        self._ended += 1
        self._wait_no_more()
        if not self._refused:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for a client that does not read its answer, but not for ever."""
        super().pause_writing()
        self._wait_for("reader", self.limits.answer_seconds)

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        self._wait_no_more()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, even one whose client never read the end of its answer."""
        self.transport.close()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _wait_for(self, what: str, seconds: float) -> None:
        if self._waiting_for != what:
            self._wait_no_more()
            self._waiting_for = what
            self._deadline = self.loop.call_later(seconds, self._too_late)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline, self._waiting_for = None, ""

    def _too_late(self) -> None:
        what, self._waiting_for = self._waiting_for, ""
        if what == "head" and self._answering:  # the request before is; this one may wait as long
            self._wait_for("head", self.limits.head_seconds)
        elif what == "head" and self._stage == "head":
            self._refuse(408, f"The request did not arrive within {self.limits.head_seconds:g} s.")
        else:
            self.transport.abort()

    def _refuse_head(self) -> None:
        self._refuse(431, f"A request's head may have {self.limits.head_bytes:,} bytes at most.")

    def _refuse(self, status: int, error: str, header: bytes = b"") -> None:
        """Answer without a request, and close once the client has had time to read that."""
        self._refused = True
        self._wait_no_more()
        self._unset_keepalive_if_required()
        body = json.dumps({"error": error, "field": None}).encode()
        if not self._answering:  # else it would stand within another answer
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n" % len(
                body
            )
            self.transport.write(STATUS_LINE[status] + head + header + b"\r\n" + body)
            if self.transport.can_write_eof():
                self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def connections_within(limits: Limits) -> type[BoundedConnection]:
    """Return the connections of a server with these limits."""
    return type("Connection", (BoundedConnection,), {"limits": limits})
