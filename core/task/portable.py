"""What an export needs of a task and its trained model."""

from __future__ import annotations

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
Score = Callable[[Sequence[Any]], "np.ndarray"]
"""From raw inputs to outputs, float32, shape `(num_inputs, num_outputs)`."""


@dataclass(frozen=True, eq=False)
class TensorGraph:
    """A model as a function of tensors.

    Args:
        call: From tensors, in the order of the signature, to one tensor.
        signature: Shapes, dtypes and names of the inputs; the batch is free, and lengths where the task
            leaves them so.
        output: What the outcome is called.
        tracked: Variables, tables and layers that the function reads.
        requires: Packages that the loader needs beside NumPy to make these tensors.
    """

    call: Callable[..., tf.Tensor]
    signature: tuple[tf.TensorSpec, ...]
    output: str
    tracked: tuple[Any, ...]
    requires: tuple[str, ...] = ()

    def function(self, batch_size: int | None = None) -> Any:
        """Return it as a `tf.function` of one signature, of free batch unless a size is given."""
        import tensorflow as tf

        specs = [
            tf.TensorSpec([batch_size, *spec.shape[1:]], spec.dtype, spec.name) for spec in self.signature
        ]
        return tf.function(lambda *tensors: {self.output: self.call(*tensors)}, input_signature=specs)


@dataclass(frozen=True, eq=False)
class Portable:
    """What leaves with an export, and how it is checked.

    Args:
        graph: Of numbers, which every format can hold.
        loader: The module whose `Predictor` answers raw inputs by the graph; it is copied into the export,
            so neither it nor what it imports may need Keras or TensorFlow.
        settings: What the loader reads as `encoder.json`.
        raw: From examples to raw inputs for the loader's `outputs`.
        score: The outputs of the Keras model on such inputs.
        figures: From a function that scores raw inputs to the figures of these examples.
        exact: Names of layers that are computed too finely to be quantised.
        arrays: What the loader reads as NumPy archives: file name without `.npz`, to named arrays.
        only_tensorflow: Why no format but SavedModel can hold the graph, if so, as the start of a sentence.
        with_tensorflow: The graph with whatever only TensorFlow can do, such as reading text, for SavedModel.
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

    def graph_in(self, kind: Format) -> TensorGraph:
        """Return the graph that an export of a format holds."""
        return self.with_tensorflow if kind == "saved_model" and self.with_tensorflow else self.graph
