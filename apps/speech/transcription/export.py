"""What leaves with a recogniser: the graph from waves to scores of frames; its loader searches by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from apps.speech.front_end import SPECTROGRAM
from apps.speech.transcription.nets import LOGITS
from core.answers.rows import Figures
from core.data.examples import Examples
from core.layers import LogMelSpectrogram
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras


def portable_recogniser(
    model: keras.Model,
    loader: str,
    settings: Mapping[str, Any],
    *,
    raw: Callable[[Examples], Sequence[Any]],
    score: Score,
    figures: Callable[[Score, Examples], Figures],
    requires: tuple[str, ...],
) -> Portable:
    """Return what leaves with a recogniser.

    Args:
        model: From waves and their lengths to logits.
        loader: The module that answers by the graph.
        settings: What the loader knows of waves, units and the search.
        raw: From examples to raw inputs.
        score: From raw inputs to the logarithms of the probabilities of each, by the model.
        figures: From a function that scores raw inputs to the figures of examples.
        requires: The packages that the loader needs.
    """
    import keras

    heard = model.get_layer(SPECTROGRAM)
    # Neither ONNX nor LiteRT has a Fourier transform; a convolution gives the same spectrogram.
    listen = LogMelSpectrogram.from_config({**heard.get_config(), "transform": "convolution"})
    # What only training asks of a model, such as an alignment, stands after its logits.
    logits = model.get_layer(LOGITS).output
    understand = keras.Model([heard.output, model.input["num_samples"]], logits)

    def scores(waves: tf.Tensor, num_samples: tf.Tensor) -> tf.Tensor:
        spectrogram = listen(tf.cast(waves, tf.float32) / 32768.0)
        return tf.nn.log_softmax(understand([spectrogram, num_samples], training=False))

    signature = (
        tf.TensorSpec([None, None], tf.int16, name="waves"),
        tf.TensorSpec([None], tf.int32, name="num_samples"),
    )
    variables = tuple(variable.value for variable in understand.variables)
    return Portable(
        graph=TensorGraph(scores, signature, "log_probabilities", variables, requires),
        loader=loader,
        settings=settings,
        raw=raw,
        score=score,
        figures=figures,
        exact=(SPECTROGRAM,),
    )
