"""What this machine can do, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

OPTIONAL = {"jax": "pip install 'keras-quartet[jax]'"}


def findings() -> dict[str, str]:
    """Return one line a subject: versions, backend, devices, precision and optional packages."""
    import keras

    found = {
        name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "keras-hub", "keras-tuner")
    }
    found["backend"] = keras.backend.backend()
    found["devices"] = ", ".join(keras.distribution.list_devices()) or "cpu"
    found["cores"] = str(os.cpu_count())
    found["precision"] = _precision()
    for package, install in OPTIONAL.items():
        found[package] = (
            importlib.metadata.version(package)
            if importlib.util.find_spec(package)
            else f"missing: {install}"
        )
    return found


def _precision() -> str:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return "fit.precision=mixed_bfloat16 or mixed_float16 serves the GPU's matrix units"
    return "float32; on a CPU fit.precision=mixed_bfloat16 may be faster: fit.precision=auto tries it"
