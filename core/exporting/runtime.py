"""Runs an exported graph; needs NumPy and ONNX Runtime, LiteRT or TensorFlow, and nothing of Keras."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.errors import UserError

Call = Callable[[Mapping[str, np.ndarray]], np.ndarray]


class Graph:
    """The graph of an export, in whichever format its folder holds.

    Args:
        folder: Holds `model.onnx`, `model.tflite` or `saved_model`.

    Attributes:
        inputs: The names of the arrays that a call takes.

    Raises:
        UserError: The folder holds none of them.

    Example:

    >>> graph = Graph("runs/reviews/exports/onnx")  # doctest: +SKIP
    >>> graph({"ids": np.array([[5, 2, 9]], np.int32)})  # doctest: +SKIP
    array([[0.02, 0.98]], dtype=float32)
    """

    def __init__(self, folder: Path | str) -> None:
        opened_by = {"model.onnx": _onnx, "model.tflite": _litert, "saved_model": _saved_model}
        path = next((Path(folder) / name for name in opened_by if (Path(folder) / name).exists()), None)
        if path is None:
            raise UserError(f"{folder} is no export: it has none of {', '.join(opened_by)}.")
        self.inputs: list[str]
        self.inputs, self._call = opened_by[path.name](path)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the output for a batch."""
        return self._call(inputs)


def _onnx(path: Path) -> tuple[list[str], Call]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=onnxruntime.get_available_providers())
    return [each.name for each in session.get_inputs()], lambda inputs: session.run(None, dict(inputs))[0]


def _litert(path: Path) -> tuple[list[str], Call]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    run = interpreter.get_signature_runner()
    # A net whose steps hang on the length of its input converts for one example at a time.
    alone = all(detail["shape_signature"][0] == 1 for detail in run.get_input_details().values())

    def call(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return next(iter(run(**inputs).values()))

    def call_each(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        num_rows = len(next(iter(inputs.values())))
        rows = [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(num_rows)]
        return np.concatenate([call(row) for row in rows])

    return list(run.get_input_details()), call_each if alone else call


def _saved_model(path: Path) -> tuple[list[str], Call]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    run = loaded.signatures["serving_default"]

    def call(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        # `loaded` must be held: it owns the variables of its signatures.
        assert loaded is not None
        return next(
            iter(run(**{name: tf.constant(array) for name, array in inputs.items()}).values())
        ).numpy()

    return list(run.structured_input_signature[1]), call


class Predicts(Protocol):
    """What every loader is."""

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return one answer for each raw input."""


def main(predictor: Callable[[Path], Predicts]) -> None:
    """Print the answer to each argument of the command line as a line of JSON."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: python {sys.argv[0]} INPUT [INPUT]...")
    try:
        for answer in predictor(Path(sys.argv[0]).parent).predict(sys.argv[1:]):
            print(json.dumps(answer, ensure_ascii=False))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
