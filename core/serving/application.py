"""The routes: predictions and explanations of each run, health, measurements, documents and the page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute

from core.serving import documents, page
from core.serving.documents import offered
from core.serving.measurements import CONTENT_TYPE
from core.serving.problems import Problem, tell_problems
from core.serving.protection import Gate
from core.serving.requests import What
from core.serving.runs import Serving
from core.serving.served import ServedRun
from core.serving.shortcut import Shortcut
from core.serving.under_path import UnderPath

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)


def application(serving: Serving) -> ASGIApp:
    """Return the application, which loads its runs when it starts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(serving.load())
        yield
        loading.cancel()
        await serving.close()

    root = serving.settings.root_path
    app = FastAPI(
        title="Quartet",
        summary="Predictions of trained models.",
        version="1",
        servers=[{"url": root}] if root else None,
        docs_url=None,  # these pages load their scripts from elsewhere; /docs is our own
        redoc_url=None,
        lifespan=lifespan,
    )
    tell_problems(app)
    for served in serving.runs.values():
        _add_run(app, serving, served)
    posts = [each for each in app.routes if isinstance(each, APIRoute) and each.methods == {"POST"}]
    _add_health(app, serving)
    documents.add_documents(app, serving)
    page.add_pages(app, serving)
    # Around the application and not among its own middleware, of which each costs every request something.
    answering: ASGIApp = Shortcut(app, {each.path: each for each in posts})
    if serving.protection.origins:
        answering = CORSMiddleware(
            answering,
            allow_origins=sorted(serving.protection.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    gate = Gate(answering, serving.protection, serving.measurements, closing=lambda: serving.closing)
    return UnderPath(gate, root) if root else gate


Handler = Callable[[ServedRun, Request], Awaitable[Response]]


def _add_run(app: FastAPI, serving: Serving, served: ServedRun) -> None:
    def route(answer: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return await answer(served, request)

        return handle

    answers: dict[What, Handler] = {
        "predict": serving.predictions,
        "explain": serving.explanation,
        "stream": serving.streamed,
    }
    for what in offered(served):
        app.add_api_route(
            f"/v1/{served.name}/{what}",
            route(answers[what]),
            methods=["POST"],
            name=f"{what}_{served.name}",
            tags=[served.name],
            response_class=Response,
            **documents.of_route(served, what),
        )
    if served.schema.input.choices():
        page.add_choices(app, served)


def _add_health(app: FastAPI, serving: Serving) -> None:
    @app.get("/healthz", tags=["health"], summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], summary="Whether every run is loaded and warmed up")
    async def readyz() -> dict[str, str]:
        if not serving.ready:
            raise Problem(503, "Stopping." if serving.stopping else "Loading.", retry_after=5)
        return {"status": "ready"}

    @app.get(
        "/metrics",
        tags=["health"],
        summary="Counters and histograms in the text format of Prometheus",
        response_class=PlainTextResponse,
    )
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(serving.measurements.text(serving.runs), media_type=CONTENT_TYPE)
