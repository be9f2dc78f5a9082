"""The routes: predictions and explanations of each run, health, measurements, documents and the page."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute

from core.errors import MethodError, UserError
from core.serving import documents, page
from core.serving.answering import answered, in_json, predicted, ready
from core.serving.explainer import Explainer
from core.serving.measurements import CONTENT_TYPE, Measurements
from core.serving.problems import Problem, tell_problems
from core.serving.protection import Gate, Protection
from core.serving.requests import What, asked_of
from core.serving.served import ServedRun, Source
from core.serving.settings import ServerSettings
from core.serving.shortcut import Shortcut
from core.serving.under_path import UnderPath

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)


class Serving:
    """The runs of one server and what they share.

    Args:
        sources: Where runs are found, each under a name of its own.
        settings: How the server behaves.
        protection: Who may ask.

    Raises:
        UserError: A name stands there twice, or a run can't be served.
    """

    def __init__(self, sources: Sequence[Source], settings: ServerSettings, protection: Protection) -> None:
        names = [source.name for source in sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(
                f"Each run needs a name of its own: give NAME=FOLDER. Received twice: {twice[0]}."
            )
        self.settings, self.protection = settings, protection
        self.measurements = Measurements()
        self.explainer = Explainer()
        self.runs = {
            source.name: ServedRun(
                source,
                settings.batching,
                settings.limits,
                self.measurements.observer(source.name),
                settings.load_seconds if settings.try_apart else 0.0,
            )
            for source in sources
        }
        self.failed: Exception | None = None
        """Why a run could not be loaded at the start."""
        self.stopping = False
        """Whether the server was told to stop."""
        self.closing = False
        """Whether it does not listen any more, and closes its connections."""

    @property
    def ready(self) -> bool:
        """Whether every run is loaded and warmed up, and the server is not about to stop."""
        return not self.stopping and all(served.current is not None for served in self.runs.values())

    async def load(self) -> None:
        """Load all runs, then look for newer ones for ever."""
        try:
            for served in self.runs.values():
                await served.load()
            log.info("Ready")
        except Exception as error:
            self.failed = error
            return
        while self.settings.reload_seconds:
            await asyncio.sleep(self.settings.reload_seconds)
            for name, served in self.runs.items():
                if await served.reload_if_newer():
                    self.measurements.reloaded(name)

    async def close(self) -> None:
        """Answer what was accepted, then let go of all runs."""
        for served in self.runs.values():
            await served.close()
        self.explainer.close()

    async def predictions(self, served: ServedRun, request: Request) -> Response:
        """Answer a request to predict."""
        limits = self.settings.limits
        with served.using() as loaded:
            asked = await asked_of(request, served.kind, limits, "predict")
            values = await ready(asked.values, served.kind, loaded, limits, "predict")
            answers = await answered(request, limits, predicted(loaded, values))
            answer = {"run": loaded.run.folder.name, "predictions": answers}
            return in_json(answer)

    async def explanation(self, served: ServedRun, request: Request) -> Response:
        """Answer a request to explain."""
        limits = self.settings.limits
        with served.using() as loaded:
            asked = await asked_of(request, served.kind, limits, "explain")
            [value] = await ready(asked.values, served.kind, loaded, limits, "explain")
            explaining = self.explainer.explained(loaded, value, asked.method)
            try:
                found = await answered(request, limits, explaining)
            except UserError as error:
                field = "method" if isinstance(error, MethodError) else "input"
                raise Problem(422, str(error), field) from None
            if "image/png" in request.headers.get("accept", ""):
                return Response(found.picture, media_type="image/png")
            answer = {
                "run": loaded.run.folder.name,
                "explanation": found.numbers,
                "picture": f"data:image/png;base64,{base64.b64encode(found.picture).decode()}",
            }
            return in_json(answer)


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

    answers: dict[What, Handler] = {"predict": serving.predictions, "explain": serving.explanation}
    for what, answer in answers.items():
        app.add_api_route(
            f"/v1/{served.name}/{what}",
            route(answer),
            methods=["POST"],
            name=f"{what}_{served.name}",
            tags=[served.name],
            response_class=Response,
            **documents.of_route(served, what),
        )
    if served.kind.name == "ratings":
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
