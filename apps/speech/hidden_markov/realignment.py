"""Which state each training frame is in: all alike at first, then ever again as the net itself finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from apps.speech.hidden_markov.nets import ALIGNMENT
from apps.speech.hidden_markov.states import Pronunciations
from core.language.viterbi import best_paths

LEAST_FRAMES = 1.0  # that each state counts as having had, so no prior is 0


@dataclass(frozen=True, eq=False)
class Spoken:
    """The recordings of a part.

    Args:
        transcripts: Words by number.
        lengths: Frames of each, int, `(num_recordings,)`.
        score: From a model to the logarithms of the probabilities of states in each.
    """

    transcripts: Sequence[Sequence[int]]
    lengths: np.ndarray
    score: Callable[[keras.Model], Sequence[np.ndarray]]


class Realignment(keras.callbacks.Callback):
    """Aligns the training frames with the states of their transcripts, every few epochs.

    Before the first epoch all states of a transcript take equally long (flat start). The validation loss is
    that of the best alignment of the validation part at the end of each epoch.

    Args:
        pronunciations: Of the vocabulary.
        train: The training part.
        validation: The validation part, which may be empty.
        every: Epochs from one alignment to the next.
    """

    def __init__(self, pronunciations: Pronunciations, train: Spoken, validation: Spoken, every: int) -> None:
        super().__init__()
        self.pronunciations = pronunciations
        self.train = train
        self.validation = validation
        self.every = every

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Align, where it is time to; of a resumed epoch the checkpoint then brings back its alignment."""
        if epoch == 0:
            pairs = zip(self.train.transcripts, self.train.lengths, strict=True)
            self._assign([self.pronunciations.flat(words, length) for words, length in pairs])
        elif epoch % self.every == 0:
            self._assign(self._realigned())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the loss of the validation part."""
        if not len(self.validation.lengths) or logs is None:
            return
        scores = self.validation.score(self.model)
        aligned = self._aligned(self.validation.transcripts, scores)
        nats = [
            -float(log_p[np.arange(len(states)), states].sum())
            for log_p, states in zip(scores, aligned, strict=True)
            if states is not None
        ]
        num_frames = sum(len(log_p) for log_p in scores)
        if nats:
            logs["val_loss"] = sum(nats) / max(num_frames, 1)

    def _aligned(
        self, transcripts: Sequence[Sequence[int]], scores: Sequence[np.ndarray]
    ) -> list[np.ndarray | None]:
        prior = np.array(keras.ops.convert_to_numpy(self.model.get_layer(ALIGNMENT).log_prior))
        graphs = [self.pronunciations.graph(words)[0] for words in transcripts]
        paths = best_paths([log_p - prior for log_p in scores], graphs)
        return [
            None if path is None else graph.states[path] for graph, path in zip(graphs, paths, strict=True)
        ]

    def _realigned(self) -> list[np.ndarray]:
        """Return the states of the frames of each recording; as before where no path is found."""
        layer = self.model.get_layer(ALIGNMENT)
        before = np.split(
            np.array(keras.ops.convert_to_numpy(layer.states)), np.cumsum(self.train.lengths)[:-1]
        )
        aligned = self._aligned(self.train.transcripts, self.train.score(self.model))
        return [old if new is None else new for old, new in zip(before, aligned, strict=True)]

    def _assign(self, states: Sequence[np.ndarray]) -> None:
        layer = self.model.get_layer(ALIGNMENT)
        joined = np.concatenate(states).astype(np.int32)
        counts = np.maximum(np.bincount(joined, minlength=layer.num_states), LEAST_FRAMES)
        layer.states.assign(joined)
        layer.log_prior.assign(np.log(counts / counts.sum()).astype(np.float32))
