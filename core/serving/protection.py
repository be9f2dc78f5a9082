"""What every request passes on its way to a route and back: who may ask, how many at once."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from core.serving.problems import UNFORESEEN, Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from core.serving.measurements import Measurements

log = logging.getLogger(__name__)

HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
EVERYWHERE = ("0.0.0.0", "::", "")  # to bind to these is to bind to every address of the machine
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
        hosts: Names that the server may be called by, against pages that point a name of their own at it.
        origins: Of the pages of others that may call it from a browser.
        requests: That may be under way at once.
        bodies_bytes: That the bodies of all requests under way may have together.
        addresses: Whether it may be called by any address too, which is no name that could be pointed at it.
        public_page: Whether the page needs no token, where requests do; it then asks for the token itself.
    """

    token: str | None = None
    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()
    requests: int = 1024
    bodies_bytes: int = 2**28
    addresses: bool = False
    public_page: bool = False

    def check(self, path: str, method: str, headers: Headers) -> None:
        """Let a request pass.

        Raises:
            Problem: It may not.
        """
        host = self._checked_host(headers)
        self._check_origin(headers, host)
        is_page = _is_page(path)
        if self.token is None or method == "OPTIONS" or path.startswith(OPEN_PATHS):
            return
        if (is_page and self.public_page) or self._is_borne(headers):
            return
        problem = Problem(401, "This server wants `Authorization: Bearer TOKEN`.", "authorization")
        if is_page or path == "/docs":  # a browser asks for a name, which is not looked at, and a password
            problem.headers["WWW-Authenticate"] = 'Basic realm="Quartet: the token", charset="UTF-8"'
        raise problem

    def _checked_host(self, headers: Headers) -> str:
        given = headers.getlist("host")
        parts = HOST.fullmatch(given[0]) if len(given) == 1 else None
        if parts is None:
            if given in ([], [""]):
                raise Problem(421, "This server is called by a name: a request has one Host.", "host")
            raise Problem(400, "A request has one Host, which is a name and maybe a port.", "host")
        name = parts[1].lower().strip("[]")
        if name not in self.hosts and not (self.addresses and _is_address(name)):
            raise Problem(421, "This server is not called by that name; --allow-host adds one.", "host")
        return given[0].lower()

    def _check_origin(self, headers: Headers, host: str) -> None:
        given = headers.getlist("origin")
        own = [f"http://{host}", f"https://{host}"]
        if given and (len(given) > 1 or (given[0].lower() not in own and given[0] not in self.origins)):
            raise Problem(403, "Pages of other origins may not call this server.", "origin")

    def _is_borne(self, headers: Headers) -> bool:
        """Whether a request bears the token: as a bearer, or as the password that a browser asked for."""
        given = headers.getlist("authorization")
        if len(given) != 1:
            return False
        scheme, _, borne = given[0].partition(" ")
        if scheme.lower() == "basic":
            try:
                borne = base64.b64decode(borne.strip(), validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(borne.encode(), str(self.token).encode())


def _is_address(host: str) -> bool:
    """Whether a host is an address, which nobody can point at another machine as they can a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_page(path: str) -> bool:
    """Whether a path is that of a page to try a run."""
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
        self._body_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status, begun, held = time.perf_counter(), 500, False, 0

        async def receiving() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            held += size
            self._body_bytes += size
            if self._body_bytes > self.protection.bodies_bytes:
                raise Problem(503, "The bodies under way are too large together.", retry_after=1)
            return message

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
            await self.app(scope, receiving, sending)
        except Problem as problem:
            await problem.response()(scope, receive, sending)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if not begun:
                await Problem(500, UNFORESEEN).response()(scope, receive, sending)
        finally:
            self._under_way -= 1
            self._body_bytes -= held
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
    >>> sorted(hosts_for("0.0.0.0", []))
    ['0.0.0.0', '127.0.0.1', '::1', 'localhost']
    """
    return LOOPBACK | {name.lower() for name in (host, *allowed)}


def takes_addresses(host: str) -> bool:
    """Return whether a server that binds to this host may be called by any address.

    Example:

    >>> takes_addresses("0.0.0.0"), takes_addresses("127.0.0.1"), takes_addresses("models.example.org")
    (True, False, False)
    """
    return host in EVERYWHERE
