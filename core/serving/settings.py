"""The settings of a server: how it batches, what a request may ask for, and when it looks for newer runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from core.errors import UserError
from core.inputs.limits import Limits
from core.settings import Settings, parsed_override, unknown_key, validated, with_override


class Batching(Settings):
    """How the inputs of several requests are put together."""

    size: int = Field(64, ge=1, description="inputs in one call of the model, at most")
    wait: float = Field(0.005, ge=0, le=1, description="seconds that an input waits for company, at most")
    queue: int = Field(512, ge=1, description="inputs that may wait; more are refused with 503")


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
        tree = with_override(tree, *parsed_override(override), ServerSettings)
    parts: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in ServerSettings.model_fields:
            raise UserError(unknown_key(name, ServerSettings.model_fields))
        parts[name] = validated(PARTS[name], value, name) if name in PARTS else value
    return validated(ServerSettings, parts, "")
