"""Serving under a path of somebody else's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class UnderPath:
    """The middleware that takes requests with and without the path under which a proxy shows the server.

    Some proxies take the path off before they pass a request on, and some do not.

    Args:
        app: What answers, by paths without it.
        root: Such as `/models`.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if path == self.root or path.startswith(f"{self.root}/"):
            scope = {**scope, "path": path.removeprefix(self.root) or "/"}
            scope.pop("raw_path", None)
        await self.app(scope, receive, send)
