"""A task in miniature whose settings are nested, in mappings and lists too."""

from __future__ import annotations

from pydantic import Field

from core.settings import Settings
from tests.core.hard_tasks import Regression


class Noise(Settings):
    """Noise that is added to gradients."""

    scale: float = Field(1.0, ge=0, description="standard deviation")
    seed: int = Field(0, ge=0, description="of its draws")


class Privacy(Settings):
    """What keeps single examples private."""

    clip: float = Field(1.0, gt=0, description="largest norm of the gradient of an example")
    noise: Noise = Noise()


class Block(Settings):
    """Layers of the same width."""

    width: int = Field(8, ge=1, description="units")
    name: str = Field("block", description="how it is called")


class Nested(Regression):
    """Has settings of every nesting."""

    privacy: Privacy = Field(Privacy(clip=0.5, noise=Noise(seed=7)), description="on by default")
    rehearsal: Privacy | None = Field(None, description="off by default")
    blocks: list[Block] = Field([Block(), Block(width=16)], description="one after another")
    sizes: tuple[int, int] = Field((3, 4), description="height and width")
    named: dict[str, Block] = Field({"first": Block()}, description="blocks by name")
