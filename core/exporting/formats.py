"""Writes a graph as SavedModel, ONNX or LiteRT."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.exporting.runtime import file_names
from core.silence import native_silence
from core.task.portable import FORMATS, Format, TensorGraph

if TYPE_CHECKING:
    import keras
    import numpy as np
    import onnx


PACKAGES: Mapping[Format, tuple[str, ...]] = {
    "saved_model": ("tensorflow",),
    "onnx": ("onnxruntime", "tf2onnx"),
    "litert": ("ai_edge_litert",),
}
OPSET = 18


def path_of(folder: Path, kind: Format, graph: str) -> Path:
    """Return where an export keeps one of its graphs."""
    return folder / file_names(graph)[FORMATS.index(kind)]


def write_graph(kind: Format, graph: TensorGraph, path: Path) -> None:
    """Write a graph in a format, its weights as they are."""
    {"saved_model": write_saved_model, "onnx": write_onnx, "litert": write_litert}[kind](graph, path)


def write_saved_model(graph: TensorGraph, path: Path, batch_size: int | None = None) -> None:
    """Write a SavedModel with the signature `serving_default`."""
    import tensorflow as tf

    module = tf.Module()
    module.tracked = list(graph.tracked)
    function = graph.function(batch_size)
    with _silent("tensorflow", "absl"):
        tf.saved_model.save(module, str(path), signatures=function.get_concrete_function())


def write_onnx(graph: TensorGraph, path: Path) -> None:
    """Write an ONNX file whose inputs and outputs keep their names."""
    import onnx
    import tf2onnx.convert

    with _silent("tf2onnx"):
        model, _ = tf2onnx.convert.from_function(
            graph.function(), input_signature=list(graph.signature), opset=OPSET
        )
    onnx.save(model, str(path))


def write_litert(graph: TensorGraph, path: Path, *, int8: bool = False) -> None:
    """Write a LiteRT file with a signature; its batch is one example where a free one can't be converted.

    Args:
        graph: What to write.
        path: Ends in `.tflite`.
        int8: Keep the weights as whole numbers of 8 bits, by the converter's dynamic range quantisation.
    """
    import tensorflow as tf

    last: Exception | None = None
    for batch_size in (None, 1):
        with tempfile.TemporaryDirectory() as folder:
            write_saved_model(graph, Path(folder), batch_size)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            try:
                with native_silence(), _silent("tensorflow", "absl"):
                    path.write_bytes(converter.convert())
                return
            except Exception as error:  # the converter raises what its passes raise
                last = error
    reason = str(last).strip().splitlines()[0]
    raise UserError(f"LiteRT can't hold this model: {reason}")


def quantised_by_keras(model: keras.Model) -> float:
    """Turn the weights of a model's dense and embedding layers into whole numbers of 8 bits, in place.

    Returns:
        The share of the model's weights that Keras could turn, 0 to 1.
    """
    sizes = {id(layer): layer.count_params() for layer in _leaves(model)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*`quantize` method")  # of every layer without weights
        model.quantize("int8")
    turned = sum(sizes[id(layer)] for layer in _leaves(model) if _is_quantised(layer))
    return turned / max(sum(sizes.values()), 1)


def _leaves(model: keras.Model) -> Iterable[keras.layers.Layer]:
    return [layer for layer in model._flatten_layers(include_self=False) if not list(layer._layers)]


def _is_quantised(layer: keras.layers.Layer) -> bool:
    return getattr(layer, "quantization_mode", None) == "int8"


def quantise_onnx(path: Path, batches: Iterable[Mapping[str, np.ndarray]], exact: Sequence[str] = ()) -> None:
    """Turn weights and activations of an ONNX file into whole numbers of 8 bits, in place.

    Args:
        path: The file.
        batches: Inputs from which the ranges of the activations are taken.
        exact: Names of layers that stay as they are, with all that stands before them.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    reader = _Reader(batches)
    with tempfile.TemporaryDirectory() as folder, _silent("root"):
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        kept = _up_to(onnx.load(str(prepared)).graph.node, exact)
        quantize_static(prepared, path, reader, QuantFormat.QDQ, per_channel=True, nodes_to_exclude=kept)


def _up_to(nodes: Sequence[onnx.NodeProto], layers: Sequence[str]) -> list[str]:
    """Return the names of the nodes of layers, and of all that they are computed from."""
    names, read = [], set[str]()
    for node in reversed(nodes):  # each stands behind what it reads
        if any(layer in node.name for layer in layers) or not read.isdisjoint(node.output):
            names.append(node.name)
            read.update(node.input)
    return names


class _Reader:
    """Gives ONNX Runtime one batch a call."""

    def __init__(self, batches: Iterable[Mapping[str, np.ndarray]]) -> None:
        self.batches = iter(batches)

    def get_next(self) -> Mapping[str, np.ndarray] | None:
        return next(self.batches, None)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """Keep converters from reporting each of their passes."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
