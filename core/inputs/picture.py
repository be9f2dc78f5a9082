"""A picture."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from core.inputs.encoded import EncodedFile
from core.inputs.kind import Input
from core.inputs.limits import Limits

if TYPE_CHECKING:
    import numpy as np

    from core.data.picture_levels import Levels


@dataclass(frozen=True, eq=False)
class Picture(Input):
    """A picture: the path of a file on this machine, or the content of one that was sent.

    Args:
        size: Height and width that one is brought to when it is sent; by default its own.
        channels: 1 for grey, 3 for colour; by default as the file is.
        levels: Which values of pictures of more than 8 bits are black and white.
    """

    kind: ClassVar[str] = "picture"
    noun: ClassVar[str] = "picture"
    described: ClassVar[str] = "A picture file (PNG, JPEG, WebP, GIF, BMP, DICOM) in base64."
    is_file: ClassVar[bool] = True

    size: tuple[int, int] | None = None
    channels: int | None = None
    levels: Levels | None = None

    def type(self, limits: Limits) -> Any:
        """Return a file in base64."""
        return EncodedFile

    def examples(self) -> list[Any]:
        """Return a small picture as PNG in base64."""
        import numpy as np
        from PIL import Image

        picture = Image.linear_gradient("L").resize((8, 8))
        if self.levels is not None and self.levels.black >= 0 and not self.levels.fractions:
            # Of integers of more than 8 bits, which tell by their number how light they are.
            values = np.linspace(self.levels.black, min(self.levels.white, 2**16 - 1), 64)
            picture = Image.fromarray(values.astype(np.uint16).reshape(8, 8))
        file = io.BytesIO()
        picture.save(file, "PNG")
        return [base64.b64encode(file.getvalue()).decode()]

    def raw(self, value: bytes, limits: Limits) -> np.ndarray:
        """Return the picture of a file, uint8, shape `(height, width, channels)`."""
        from core.data.images import decoded_upload

        return decoded_upload(value, self.size, self.channels, limits.pixels, self.levels)
