"""What is known of pictures with boxes before any weight."""

from __future__ import annotations

from pydantic import Field

from core.task.contract import Encoder


class DetectionEncoder(Encoder):
    """The classes of boxes, and the shape of the pictures that the net sees."""

    labels: list[str] = Field(min_length=1, description="sorted names of the classes")
    shape: tuple[int, int, int] = Field(description="height, width and channels that all are brought to")
