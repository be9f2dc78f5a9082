"""Pictures of DICOM files as they are meant to be looked at; needs NumPy, Pillow and, for them, pydicom.

Source: DICOM PS3.3, C.7.6.3 (image pixel module), C.11.1 (modality) and C.11.2 (values of interest).
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from core.data.picture_levels import Levels

if TYPE_CHECKING:
    from PIL import Image

ENDINGS = (".dcm", ".dicom")
PREAMBLE, MAGIC = 128, b"DICM"
GREY = ("MONOCHROME1", "MONOCHROME2")


class NoDicomReaderError(Exception):
    """A DICOM file is asked for where nothing is installed that reads it."""


def opened_picture(
    file: Path | str | IO[bytes], levels: Levels | None = None, formats: tuple[str, ...] | None = None
) -> Image.Image:
    """Return a picture file as Pillow opens it; one of DICOM decoded, in 8 bits, at its window.

    Args:
        file: A path, or an open file at its start.
        levels: Of the run's pictures. Those that a person gave are the window of DICOM files as well.
        formats: That Pillow may read; by default all.

    Raises:
        NoDicomReaderError: It is a DICOM file and pydicom is not installed.
        ValueError: It is one of several frames, or without a picture.
    """
    from PIL import Image

    if is_dicom(file):
        given = levels if levels is not None and levels.fractions is None else None
        return dicom_picture(file, given)
    return Image.open(file, formats=formats)


def is_dicom(file: Path | str | IO[bytes]) -> bool:
    """Return whether a file says of itself that it is of DICOM, whatever its name."""
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return _says_dicom(opened)
    return _says_dicom(file)


def _says_dicom(file: IO[bytes]) -> bool:
    head = file.read(PREAMBLE + len(MAGIC))
    file.seek(0)
    return head[PREAMBLE:] == MAGIC


def dicom_picture(file: Path | str | IO[bytes], levels: Levels | None = None) -> Image.Image:
    """Return the picture of a DICOM file, grey or in colour, 8 bits.

    Args:
        file: A path, or an open file.
        levels: Values, in the units of the file such as Hounsfield's, that become black and white; by default
            those of its first window, or its lowest and highest.

    Raises:
        NoDicomReaderError: pydicom is not installed.
        ValueError: It holds several frames, or none.
    """
    from PIL import Image

    data = dicom_data(file)
    if "PixelData" not in data and "FloatPixelData" not in data and "DoubleFloatPixelData" not in data:
        raise ValueError("it is a DICOM file without a picture")
    frames = int(data.get("NumberOfFrames") or 1)
    if frames > 1:
        raise ValueError(f"it is a DICOM file of {frames} frames: save each as a file of its own")
    if data.PhotometricInterpretation in GREY:
        return Image.fromarray(_grey(data, levels))
    return Image.fromarray(_coloured(data))


def dicom_data(file: Path | str | IO[bytes], *, header_alone: bool = False) -> Any:
    """Return what pydicom reads of a DICOM file.

    Args:
        file: A path, or an open file.
        header_alone: Leave out the picture.

    Raises:
        NoDicomReaderError: pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise NoDicomReaderError(
            "DICOM files are read by pydicom, which is not installed: pip install 'keras-quartet[dicom]', or "
            "save the pictures as PNG."
        ) from None
    return pydicom.dcmread(file, stop_before_pixels=header_alone)


def _grey(data: Any, levels: Levels | None) -> np.ndarray:
    stored = np.asarray(data.pixel_array)
    values = _in_units(data, stored)
    padding = data.get("PixelPaddingValue")
    inside = np.ones(stored.shape, bool) if padding is None else stored != padding
    if levels is None and "VOILUTSequence" in data and "WindowCenter" not in data:
        from pydicom.pixels import apply_voi_lut

        values = np.asarray(apply_voi_lut(values.astype(stored.dtype), data), np.float64)
    shares = shares_of_white(values, window_of(data, values[inside], levels))
    if data.PhotometricInterpretation == "MONOCHROME1":
        shares = 1 - shares
    return np.where(inside, np.minimum(shares * 256, 255), 0).astype(np.uint8)


def _in_units(data: Any, stored: np.ndarray) -> np.ndarray:
    """Return stored values in the units that the file says, such as Hounsfield's."""
    if "ModalityLUTSequence" in data:
        from pydicom.pixels import apply_modality_lut

        return np.asarray(apply_modality_lut(stored, data), np.float64)
    slope, intercept = (
        float(data.get(name, usual)) for name, usual in (("RescaleSlope", 1), ("RescaleIntercept", 0))
    )
    return stored.astype(np.float64) * slope + intercept


def window_of(data: Any, values: np.ndarray, levels: Levels | None) -> tuple[str, float, float]:
    """Return the function, centre and width of the window that a DICOM file is looked at through.

    Args:
        data: Its attributes.
        values: In its units, without padding.
        levels: Black and white, where a person gave them.
    """
    if levels is not None:
        return "LINEAR_EXACT", (levels.black + levels.white) / 2, levels.white - levels.black
    if "WindowCenter" in data and "WindowWidth" in data and "VOILUTSequence" not in data:
        # A file may offer several windows; the first is the one it is shown with.
        centre, width = (float(np.ravel(data.get(name))[0]) for name in ("WindowCenter", "WindowWidth"))
        return str(data.get("VOILUTFunction") or "LINEAR"), centre, width
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return "LINEAR_EXACT", (lowest + highest) / 2, max(highest - lowest, 1e-9)


def shares_of_white(values: np.ndarray, window: tuple[str, float, float]) -> np.ndarray:
    """Return how white each value is, 0 to 1, through a window of DICOM.

    Args:
        values: Any shape.
        window: `LINEAR`, `LINEAR_EXACT` or `SIGMOID`; centre; width.

    Source: DICOM PS3.3, C.11.2.1.2.1 and C.11.2.1.3.

    Example:

    >>> shares_of_white(np.array([-160.0, 40.0, 240.0]), ("LINEAR_EXACT", 40, 400)).tolist()
    [0.0, 0.5, 1.0]
    """
    function, centre, width = window
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    return np.clip((values - centre) / max(width, 1e-9) + 0.5, 0, 1)


def _coloured(data: Any) -> np.ndarray:
    from pydicom.pixels import apply_color_lut, convert_color_space

    stored, colours = np.asarray(data.pixel_array), str(data.PhotometricInterpretation)
    if colours == "PALETTE COLOR":
        stored = np.asarray(apply_color_lut(stored, data))
        return (stored >> 8).astype(np.uint8) if stored.dtype == np.uint16 else stored
    if colours.startswith("YBR"):
        stored = convert_color_space(stored, colours, "RGB")
    if stored.dtype != np.uint8:
        raise ValueError(f"it is a DICOM picture in colour of {stored.dtype}, where 8 bits are expected")
    return stored
