"""Runs an exported graph; needs NumPy and ONNX Runtime, LiteRT or TensorFlow, and nothing of Keras."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from core.errors import UserError

Arrays = Mapping[str, np.ndarray]
Call = Callable[[Arrays], dict[str, np.ndarray]]


def file_names(graph: str) -> tuple[str, str, str]:
    """Return what a graph is called in an export: as SavedModel, as ONNX, and as LiteRT."""
    return "saved_model" if graph == "model" else f"{graph}_saved_model", f"{graph}.onnx", f"{graph}.tflite"


class Graph:
    """A graph of an export, in whichever format its folder holds.

    Args:
        folder: Holds `model.onnx`, `model.tflite` or `saved_model`, and the like of further graphs.
        name: Which graph, such as `decoder_step`; the main one by default.

    Attributes:
        inputs: The names of the arrays that a call takes.
        listener: Called with the name of a graph and what it takes, before each call of any graph.

    Raises:
        UserError: The folder holds no such graph.

    Example:

    >>> graph = Graph("runs/reviews/exports/onnx")  # doctest: +SKIP
    >>> graph({"ids": np.array([[5, 2, 9]], np.int32)})  # doctest: +SKIP
    array([[0.02, 0.98]], dtype=float32)
    """

    listener: ClassVar[Callable[[str, Arrays], None] | None] = None

    def __init__(self, folder: Path | str, name: str = "model") -> None:
        opened_by = dict(zip(file_names(name), (_saved_model, _onnx, _litert), strict=True))
        path = next((Path(folder) / file for file in opened_by if (Path(folder) / file).exists()), None)
        if path is None:
            raise UserError(f"{folder} is no export with a {name}: it has none of {', '.join(opened_by)}.")
        self.name = name
        self.inputs: list[str]
        self.inputs, self._call = opened_by[path.name](path)

    def __call__(self, inputs: Arrays) -> np.ndarray:
        """Return the output for a batch, of a graph that has one.

        Raises:
            ValueError: It has several.
        """
        outputs = self.named(inputs)
        if len(outputs) != 1:
            raise ValueError(
                f"{self.name} has several outputs: call named(). Received: {', '.join(outputs)}."
            )
        return next(iter(outputs.values()))

    def named(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return all outputs for a batch, by name."""
        if Graph.listener is not None:
            Graph.listener(self.name, inputs)
        return self._call(inputs)


def _onnx(path: Path) -> tuple[list[str], Call]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=onnxruntime.get_available_providers())
    outputs = [each.name for each in session.get_outputs()]

    def call(inputs: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(outputs, session.run(None, dict(inputs)), strict=True))

    return [each.name for each in session.get_inputs()], call


def _litert(path: Path) -> tuple[list[str], Call]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    run = interpreter.get_signature_runner()
    # A net whose steps depend on the length of its input converts for one example at a time.
    alone = all(detail["shape_signature"][0] == 1 for detail in run.get_input_details().values())

    def call(inputs: Arrays) -> dict[str, np.ndarray]:
        return dict(run(**inputs))

    def call_each(inputs: Arrays) -> dict[str, np.ndarray]:
        num_rows = len(next(iter(inputs.values())))
        rows = [
            call({name: array[row : row + 1] for name, array in inputs.items()}) for row in range(num_rows)
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return list(run.get_input_details()), call_each if alone else call


def _saved_model(path: Path) -> tuple[list[str], Call]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    run = loaded.signatures["serving_default"]

    def call(inputs: Arrays) -> dict[str, np.ndarray]:
        # `loaded` must be held: it owns the variables of its signatures.
        assert loaded is not None
        outputs = run(**{name: tf.constant(array) for name, array in inputs.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return list(run.structured_input_signature[1]), call


class Predicts(Protocol):
    """What every loader is."""

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return one answer for each raw input."""


def main(predictor: Callable[[Path], Predicts]) -> None:
    """Print the answer to each argument of the command line as a line of JSON.

    Pictures and other arrays of an answer are written as files into the working folder.
    """
    if len(sys.argv) < 2:
        sys.exit(f"usage: python {sys.argv[0]} INPUT [INPUT]...")
    try:
        answers = predictor(Path(sys.argv[0]).parent).predict(sys.argv[1:])
        for number, answer in enumerate(answers, start=1):
            print(json.dumps(with_files(answer, number), ensure_ascii=False))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def with_files(answer: Mapping[str, Any], number: int, folder: Path = Path()) -> dict[str, Any]:
    """Return an answer whose arrays have given way to the paths of files that hold them.

    Args:
        answer: From names to values; pictures are uint8 of shape `(height, width[, channels])`.
        number: Of the answer, which stands in the names of its files.
        folder: Where the files go.
    """
    written = dict(answer)
    for name, value in answer.items():
        if not isinstance(value, np.ndarray):
            continue
        path = folder / f"answer-{number}-{name}"
        if value.dtype == np.uint8 and value.ndim in (2, 3):
            from PIL import Image

            path = path.with_suffix(".png")
            Image.fromarray(value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value).save(path)
        else:
            path = path.with_suffix(".npy")
            np.save(path, value, allow_pickle=False)
        written[name] = str(path)
    return written
