"""What every request passes on its way to a route and back: who may ask, how many at once."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from core.serving.problems import UNFORESEEN, Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from core.serving.measurements import Measurements

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = ("/healthz", "/readyz", "/static/")
SECURITY_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        b"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True)
class Protection:
    """Who may ask a server, and from where.

    Args:
        token: That every request but those for health must bear, if there is one.
        hosts: Names that the server may be called by, against pages that point a name of their own at it;
            empty: any.
        origins: Of the pages of others that may call it from a browser.
        requests: That may be under way at once.
    """

    token: str | None = None
    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()
    requests: int = 1024

    def check(self, path: str, method: str, headers: Headers) -> None:
        """Let a request pass.

        Raises:
            Problem: It may not.
        """
        host = headers.get("host", "")
        if self.hosts and (urlsplit(f"//{host}").hostname or "") not in self.hosts:
            raise Problem(421, "This server is not called by that name; --allow-host adds one.", "host")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host and origin not in self.origins:
            raise Problem(403, "Pages of other origins may not call this server.", "origin")
        if self.token is None or method == "OPTIONS" or path.startswith(OPEN_PATHS) or _is_page(path):
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Problem(401, "This server wants `Authorization: Bearer TOKEN`.", "authorization")


def _is_page(path: str) -> bool:
    """Whether a path is that of a page, which holds nothing of a run and asks for the token itself."""
    return path == "/" or path.startswith("/try/")


class Gate:
    """The middleware in front of all routes.

    Args:
        app: What is behind it.
        protection: Who may ask.
        measurements: What counts.
        closing: Whether connections are to be closed after their next answer.
    """

    def __init__(
        self, app: ASGIApp, protection: Protection, measurements: Measurements, closing: Callable[[], bool]
    ) -> None:
        self.app, self.protection, self.measurements, self.closing = app, protection, measurements, closing
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status, begun = time.perf_counter(), 500, False

        async def sending(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                given = {name for name, _ in message["headers"]}
                message["headers"] += [header for header in SECURITY_HEADERS if header[0] not in given]
                if self.closing():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        self._under_way += 1
        self.measurements.request_begins()
        try:
            self.protection.check(scope["path"], scope["method"], Headers(scope=scope))
            if scope["path"].startswith("/v1/") and self._under_way > self.protection.requests:
                raise Problem(503, f"{self.protection.requests} requests are under way.", retry_after=1)
            await self.app(scope, receive, sending)
        except Problem as problem:
            await problem.response()(scope, receive, sending)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if not begun:
                await Problem(500, UNFORESEEN).response()(scope, receive, sending)
        finally:
            self._under_way -= 1
            route = getattr(scope.get("route"), "path", "other")
            self.measurements.request_ends(route, status, time.perf_counter() - start)


def hosts_for(host: str, allowed: Iterable[str]) -> frozenset[str]:
    """Return the names that a server may be called by.

    Args:
        host: That it binds to.
        allowed: What the user named; with these, those of loopback are always fine.

    Example:

    >>> sorted(hosts_for("127.0.0.1", ["models.example.org"]))
    ['127.0.0.1', '::1', 'localhost', 'models.example.org']
    >>> hosts_for("0.0.0.0", [])
    frozenset()
    """
    named = frozenset(name.lower() for name in allowed)
    return LOOPBACK | named if named or host in LOOPBACK else frozenset()
