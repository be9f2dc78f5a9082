"""The runs of one server, and what they answer."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from core.answers.files import content_of
from core.errors import MethodError, UserError
from core.serving.answering import answered, in_json, predicted, ready
from core.serving.explainer import Explainer
from core.serving.measurements import Measurements
from core.serving.problems import Problem
from core.serving.protection import Protection
from core.serving.requests import asked_of
from core.serving.served import ServedRun, Source
from core.serving.settings import ServerSettings
from core.serving.streaming import Streamer

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
        self.streamer = Streamer()
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
        if self.settings.reload_seconds:
            await asyncio.gather(*(self._keep_newest(served) for served in self.runs.values()))

    async def _keep_newest(self, served: ServedRun) -> None:
        while True:
            await asyncio.sleep(self.settings.reload_seconds)
            if await served.reload_if_newer():
                self.measurements.reloaded(served.name)

    async def close(self) -> None:
        """Answer what was accepted, then let go of all runs."""
        for served in self.runs.values():
            await served.close()
        self.explainer.close()
        self.streamer.close()

    async def predictions(self, served: ServedRun, request: Request) -> Response:
        """Answer a request to predict."""
        with served.using() as loaded:
            asked = await asked_of(request, loaded.schema, "predict")
            values = await ready(asked.values, loaded.schema, "predict")
            answers = await answered(request, self.settings.limits, predicted(loaded, values, asked.options))
            if len(answers) == 1 and (file := _asked_file(request, answers[0])) is not None:
                return file
            return in_json({"run": loaded.run.folder.name, "predictions": answers})

    async def explanation(self, served: ServedRun, request: Request) -> Response:
        """Answer a request to explain."""
        with served.using() as loaded:
            asked = await asked_of(request, loaded.schema, "explain")
            [value] = await ready(asked.values, loaded.schema, "explain")
            explaining = self.explainer.explained(loaded, value, asked.method)
            try:
                explained = await answered(request, self.settings.limits, explaining)
            except UserError as error:
                field = "method" if isinstance(error, MethodError) else "input"
                raise Problem(422, str(error), field) from None
            if "image/png" in request.headers.get("accept", ""):
                return Response(explained.picture, media_type="image/png")
            answer = {
                "run": loaded.run.folder.name,
                "explanation": explained.numbers,
                "picture": f"data:image/png;base64,{base64.b64encode(explained.picture).decode()}",
            }
            return in_json(answer)

    async def streamed(self, served: ServedRun, request: Request) -> Response:
        """Answer a request for an answer that is sent as it grows."""
        with served.using() as loaded:
            asked = await asked_of(request, loaded.schema, "stream")
            [value] = await ready(asked.values, loaded.schema, "stream")
            return self.streamer.response(loaded, value, asked.options, self.settings.limits.answer_seconds)


def _asked_file(request: Request, answer: dict[str, Any]) -> Response | None:
    """Return the file of an answer where a client asks for its type alone, such as `Accept: audio/wav`."""
    accept = request.headers.get("accept", "")
    if not accept.startswith(("image/", "audio/")):
        return None
    contents = (content_of(value) for value in answer.values())
    fitting = (content for content in contents if content is not None and content.media_type in accept)
    content = next(fitting, None)
    return None if content is None else Response(content.bytes, media_type=content.media_type)
