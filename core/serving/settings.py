"""What a server can be told: how it batches, what a request may ask for, and when it looks for newer runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from core.errors import UserError
from core.settings import Settings, parsed_override, unknown_key, validated, with_override


class Batching(Settings):
    """How the inputs of several requests are put together."""

    size: int = Field(64, ge=1, description="inputs in one call of the model, at most")
    wait: float = Field(0.005, ge=0, le=1, description="seconds that an input waits for company, at most")
    queue: int = Field(512, ge=1, description="inputs that may wait; more are refused with 503")


class Limits(Settings):
    """What one request may ask for; whatever is beyond is refused before it costs anything."""

    body_bytes: int = Field(10 * 2**20, ge=1024, description="bytes of a request's body")
    items: int = Field(64, ge=1, description="inputs in one request")
    characters: int = Field(100_000, ge=1, description="characters of one text")
    pixels: int = Field(20_000_000, ge=1, description="pixels of one picture, as its file says")
    sound_seconds: float = Field(
        60.0, gt=0, description="length of one sound; less where it has over 192,000 samples a second"
    )
    head_bytes: int = Field(32 * 2**10, ge=1024, description="bytes of a request's first line and headers")
    head_seconds: float = Field(10.0, gt=0, description="time in which a request's head must have arrived")
    upload_seconds: float = Field(20.0, gt=0, description="time in which a body must have arrived")
    answer_seconds: float = Field(30.0, gt=0, description="time in which an answer is given, or none")
    requests: int = Field(1024, ge=1, description="requests under way at once; more are refused with 503")
    connections: int = Field(1000, ge=1, description="connections at once; more are refused with 503")
    bodies_bytes: int = Field(
        256 * 2**20, ge=1024, description="bytes of all bodies under way; more are refused with 503"
    )


class ServerSettings(Settings):
    """How a server behaves."""

    batching: Batching = Batching()
    limits: Limits = Limits()
    reload_seconds: float = Field(2.0, ge=0, description="between looks for a newer run; 0: never")
    try_apart: bool = Field(
        True, description="load a newer run in a process of its own first, whose death costs nothing"
    )
    load_seconds: float = Field(600.0, gt=0, description="time that such a process may take")
    root_path: str = Field(
        "",
        max_length=200,
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="path under which a proxy shows the server, such as /models",
    )
    drain_seconds: float = Field(
        1.0, ge=0, description="of idleness after which connections are closed at the end"
    )

    @model_validator(mode="after")
    def _a_request_fits(self) -> ServerSettings:
        if self.limits.items > self.batching.queue:
            raise ValueError("limits.items must not be more than batching.queue")
        if self.limits.body_bytes > self.limits.bodies_bytes:
            raise ValueError("limits.body_bytes must not be more than limits.bodies_bytes")
        return self


PARTS: dict[str, type[Settings]] = {"batching": Batching, "limits": Limits}


def server_settings(overrides: Sequence[str]) -> ServerSettings:
    """Return the settings that overrides such as `batching.wait=0.01` make.

    Raises:
        UserError: One names no setting, or its value is out of range.

    Example:

    >>> server_settings(["batching.wait=0.01"]).batching.wait
    0.01
    """
    tree: dict[str, Any] = {}
    for override in overrides:
        tree = with_override(tree, *parsed_override(override))
    parts: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in ServerSettings.model_fields:
            raise UserError(unknown_key(name, ServerSettings.model_fields))
        parts[name] = validated(PARTS[name], value, name) if name in PARTS else value
    return validated(ServerSettings, parts, "")
