"""What this machine can do, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

OPTIONAL = {
    "jax": ("jax", "jax"),
    "onnxruntime": ("onnxruntime", "export"),
    "pydicom": ("pydicom", "dicom"),
    "fastapi": ("fastapi", "serve"),
}  # what is looked for: its module, and the extra that brings it


def findings() -> dict[str, str]:
    """Return one line a subject: versions, devices, what a training uses of them, and what is missing."""
    import keras

    lines = {
        name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "keras-hub", "keras-tuner")
    }
    devices = keras.distribution.list_devices()
    lines["backend"] = keras.backend.backend()
    lines["devices"] = ", ".join(devices) or "cpu"
    lines["cores"] = str(os.cpu_count())
    lines |= paths(lines["backend"], accelerated=any(not name.startswith("cpu") for name in devices))
    for package, (module, extra) in OPTIONAL.items():
        lines[package] = (
            importlib.metadata.version(package)
            if importlib.util.find_spec(module)
            else f"missing: pip install 'keras-quartet[{extra}]'"
        )
    return lines


def paths(backend: str, accelerated: bool) -> dict[str, str]:
    """Return which ways to make a training fast apply.

    Args:
        backend: Of Keras.
        accelerated: Whether there is a GPU or another accelerator.

    Example:

    >>> paths("tensorflow", accelerated=False)["memory growth"]
    'does not apply: there is no accelerator'
    """
    if not accelerated:
        absent = "does not apply: there is no accelerator"
        tried = "tried where a training is long" if backend == "tensorflow" else "always, as JAX does"
        return {
            "XLA": f"{tried} (fit.jit_compile=auto)",
            "precision": "float32; fit.precision=auto tries mixed_bfloat16, which may be faster",
            "loss scaling": "by Keras with fit.precision=mixed_float16, which a CPU gains nothing by",
            "memory growth": absent,
            "prefetch to the device": absent,
        }
    return {
        "XLA": "on (fit.jit_compile=auto)",
        "precision": "fit.precision=mixed_bfloat16 or mixed_float16 serves the matrix units; auto tries it",
        "loss scaling": "by Keras with fit.precision=mixed_float16; mixed_bfloat16 needs none",
        "memory growth": "on",
        "prefetch to the device": "on" if backend == "tensorflow" else "on, by Keras",
    }
