"""What an export needs of a task and its trained model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from core.answers.rows import Figures
    from core.data.examples import Examples

Format = Literal["saved_model", "onnx", "litert"]
FORMATS: tuple[Format, ...] = ("saved_model", "onnx", "litert")
MAIN = "model"
"""The name of the graph that every export has."""
Score = Callable[[Sequence[Any]], Any]
"""From raw inputs to outputs.

One array with a row an input, such as float32 of shape `(num_inputs, num_outputs)`; a list with an array an
input, each of a shape of its own, such as boxes or tokens; or a mapping of these by name. What is measured,
such as logits, is compared within a tolerance; whole numbers and texts must be equal.
"""


@dataclass(frozen=True, eq=False)
class TensorGraph:
    """A model, or a part of one, as a function of tensors.

    Args:
        call: From tensors, in the order of the signature, to one tensor, or to a tuple of a tensor for each
            name of `output`.
        signature: Shapes, dtypes and names of the inputs; the batch is free, and lengths where the task
            leaves them so.
        output: What the outcome is called; a tuple of names where there are several.
        tracked: Variables, tables and layers that the function reads.
        requires: Packages that the loader needs beside NumPy to make these tensors.

    Raises:
        ValueError: Two of its inputs and outputs have the same name, which ONNX can't hold.
    """

    call: Callable[..., tf.Tensor]
    signature: tuple[tf.TensorSpec, ...]
    output: str | tuple[str, ...]
    tracked: tuple[Any, ...]
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [spec.name for spec in self.signature] + list(self.outputs)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                "Inputs and outputs of a graph have names of their own, such as state and next_state. "
                f"Received twice: {', '.join(twice)}."
            )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what it returns."""
        return (self.output,) if isinstance(self.output, str) else self.output

    def function(self, batch_size: int | None = None) -> Any:
        """Return it as a `tf.function` of one signature, of free batch unless a size is given."""
        import tensorflow as tf

        specs = [
            tf.TensorSpec([batch_size, *spec.shape[1:]], spec.dtype, spec.name) for spec in self.signature
        ]
        return tf.function(self._named, input_signature=specs)

    def _named(self, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        outcome = self.call(*tensors)
        return dict(zip(self.outputs, [outcome] if isinstance(self.output, str) else outcome, strict=True))


@dataclass(frozen=True, eq=False)
class Portable:
    """What leaves with an export, and how it is checked.

    Args:
        graph: Of numbers, which every format can hold; the loader opens it as `Graph(folder)`.
        loader: The module whose `Predictor` answers raw inputs by the graph; it is copied into the export,
            so neither it nor what it imports may need Keras or TensorFlow.
        settings: What the loader reads as `encoder.json`.
        raw: From examples to raw inputs for the loader's `outputs`.
        score: The outputs of the Keras model on such inputs, in the form of the loader's. Where a near tie
            would change what comes after it, as in decoding, prefer logits of given tokens.
        figures: From a function that scores raw inputs to the figures of these examples.
        exact: Names of layers that are computed too finely to be quantised.
        arrays: What the loader reads as NumPy archives: file name without `.npz`, to named arrays.
        only_tensorflow: Why no format but SavedModel can hold the graph, if so, as the start of a sentence.
        with_tensorflow: The graph with whatever only TensorFlow can do, such as reading text, for SavedModel.
        graphs: More graphs by name, such as `decoder_step`, which the loader opens as
            `Graph(folder, "decoder_step")`; each is a file of its own.
    """

    graph: TensorGraph
    loader: str
    settings: Mapping[str, Any]
    raw: Callable[[Examples], Sequence[Any]]
    score: Score
    figures: Callable[[Score, Examples], Figures]
    exact: tuple[str, ...] = ()
    arrays: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    only_tensorflow: str = ""
    with_tensorflow: TensorGraph | None = None
    graphs: Mapping[str, TensorGraph] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.graphs:
            if not re.fullmatch("[a-z][a-z0-9_]*", name) or name == MAIN:
                raise ValueError(
                    f"A graph beside the main one is named by small letters, digits and _, and not {MAIN!r}. "
                    f"Received: {name!r}."
                )

    def graphs_in(self, kind: Format) -> dict[str, TensorGraph]:
        """Return the graphs that an export of a format holds, by name; the main one is first."""
        main = self.with_tensorflow if kind == "saved_model" and self.with_tensorflow else self.graph
        return {MAIN: main, **self.graphs}
