"""Keeps native libraries from writing to standard error, which no setting of theirs does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_silence() -> Iterator[None]:
    """Throw away what the process writes to its standard error while the block runs."""
    sys.stderr.flush()
    standard_error = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(silence)


def import_quietly() -> None:
    """Import Keras without the lines that the native part of TensorFlow prints."""
    import logging

    from core.devices import let_memory_grow

    let_memory_grow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_silence():
        import keras  # noqa: F401
    # It warns of the models that predict one after another, which is what a demo and a search do.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
