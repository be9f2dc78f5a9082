"""What a figure was measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any


def surroundings() -> dict[str, Any]:
    """Return the versions and the devices that a figure was measured with."""
    import keras

    packages = ("keras-quartet", "keras", "tensorflow", "jax", "numpy")
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "backend": keras.backend.backend(),
        "devices": keras.distribution.list_devices(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "platform": platform.platform(terse=True),
    }
