"""The sample of enhancement: photographs that scikit-image, which is installed, brings along."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from apps.vision.any_size.reading import decoded_file, examples_of
from core.data.examples import Examples
from core.errors import UserError

# Those without marks of compression; of the two of a motorcycle, which are nearly twins, one.
PARTS = {
    "train": ("astronaut", "brick", "grass", "gravel", "ihc", "moon", "motorcycle_left"),
    "validation": ("coins",),
    "test": ("camera", "chelsea", "coffee"),
}


def photographs(channels: int | None) -> dict[str, Examples]:
    """Return eleven photographs in three parts, grey ones brought to colour unless all are to be grey.

    Args:
        channels: 1 for grey; by default 3, for colour.

    Raises:
        UserError: The installed scikit-image lacks one.
    """
    spec = importlib.util.find_spec("skimage")
    folder = Path(str(spec.origin)).parent / "data" if spec else Path("skimage/data")
    parts = {}
    for part, names in PARTS.items():
        files = [folder / f"{name}.png" for name in names]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise UserError(
                "The sample is made of photographs of scikit-image, and the installed one lacks some: give "
                f"data=FOLDER, or install scikit-image again. Missing: {', '.join(missing)}."
            )
        pictures = [decoded_file(file, channels or 3) for file in files]
        parts[part] = examples_of(pictures, names, "the photographs of scikit-image")
    return parts
