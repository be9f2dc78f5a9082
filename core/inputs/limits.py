"""How large one input from outside may be."""

from __future__ import annotations

from pydantic import Field

from core.settings import Settings


class Limits(Settings):
    """What one request may ask for; whatever is beyond is refused before it costs anything."""

    body_bytes: int = Field(10 * 2**20, ge=1024, description="bytes of a request's body")
    items: int = Field(64, ge=1, description="inputs in one request")
    characters: int = Field(100_000, ge=1, description="characters of one text")
    turns: int = Field(200, ge=1, description="turns of one dialogue")
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
