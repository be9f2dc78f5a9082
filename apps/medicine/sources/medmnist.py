"""Files of MedMNIST: pictures and labels of three official parts in one NumPy archive.

Source: Yang et al., MedMNIST v2 (2023), https://medmnist.com.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from core.data.examples import Examples
from core.errors import UserError

PARTS = {"train": "train", "validation": "val", "test": "test"}


def read_medmnist(path: Path, channels: int | None = None) -> dict[str, Examples]:
    """Read an archive of MedMNIST, in its official parts.

    Args:
        path: Of a file that ends in `.npz`.
        channels: 1 or 3, to which pictures are brought; by default as they are.

    Returns:
        The parts, with columns `image` (uint8, `(num_examples, height, width, channels)`) and `label` (text).

    Raises:
        UserError: It is no such file, or one of volumes or of several labels a picture.
    """
    parts = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for part, name in PARTS.items():
                if part != "train" and f"{name}_images" not in archive:
                    continue
                images, labels = (_array(archive, f"{name}_{kind}", path) for kind in ("images", "labels"))
                parts[part] = _examples(images, labels, f"{path}, {name}", channels)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} can't be read as a NumPy archive: {error}. Copy it anew.") from None
    return parts


def _array(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    if name not in archive:
        raise UserError(
            f"A file of MedMNIST holds train_images, train_labels and so on; {path} has no {name}. "
            f"Received: {', '.join(archive.files[:8]) or 'nothing'}."
        )
    return archive[name]


def _examples(images: np.ndarray, labels: np.ndarray, source: str, channels: int | None) -> Examples:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (1,), (3,)):
        raise UserError(
            f"{source} must hold pictures of 8 bits, grey or in colour, and no volumes. "
            f"Received: {images.dtype} of shape {images.shape}."
        )
    if labels.shape not in ((len(images),), (len(images), 1)):
        raise UserError(
            f"{source} must hold one label a picture. Received: labels of shape {labels.shape} for "
            f"{len(images)} pictures."
        )
    pictures = images if images.ndim == 4 else images[..., None]
    if channels == 3 and pictures.shape[-1] == 1:
        pictures = np.repeat(pictures, 3, axis=-1)
    if channels == 1 and pictures.shape[-1] == 3:
        raise UserError(f"{source} holds pictures in colour: leave channels=1 out. Received: channels=1.")
    return Examples({"image": pictures, "label": labels.reshape(-1).astype(str)}, source)
