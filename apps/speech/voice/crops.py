"""Stretches of recordings that a voice learns from, as a function of seed, epoch and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.speech.voice.coding import Coding


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings as a voice learns them, end to end, with room behind each.

    Args:
        words: The word of each, int32.
        starts: Its first frame in the arrays that follow.
        lengths: Its frames.
        levels: Of samples, int32, `(num_frames * hop,)`.
        places: Of frames in their word, float32.
        frames: Normalised, float32, `(num_frames, num_features)`.
        lags: The period of the pitch at each frame, in samples, int32.
        hop: Samples of a frame.
        coding: Of samples.
    """

    words: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    levels: np.ndarray
    places: np.ndarray
    frames: np.ndarray
    lags: np.ndarray
    hop: int
    coding: Coding

    @classmethod
    def joined(
        cls,
        words: np.ndarray,
        waves: Sequence[np.ndarray],
        places: Sequence[np.ndarray],
        frames: Sequence[np.ndarray],
        lags: Sequence[np.ndarray],
        silence: np.ndarray,
        room: int,
        hop: int,
        coding: Coding,
    ) -> Recordings:
        """Return recordings with so many frames of silence behind each.

        Args:
            words: Of each.
            waves: int16 samples of each.
            places: Of its frames in the word.
            frames: Normalised.
            lags: The period of the pitch at each frame.
            silence: A normalised frame.
            room: Frames of silence.
            hop: Samples of a frame.
            coding: Of samples.
        """
        lengths = np.array([len(each) for each in frames])
        starts = np.concatenate([[0], np.cumsum(lengths + room)[:-1]])
        levels = np.full((lengths + room).sum() * hop, coding.zero, np.int32)
        for start, wave in zip(starts * hop, waves, strict=True):
            levels[start : start + len(wave)] = coding.levels(wave)
        padded = [np.concatenate([each, np.tile(silence, (room, 1))]) for each in frames]
        ends = [np.pad(each, (0, room), constant_values=1.0) for each in places]
        return cls(
            words.astype(np.int32),
            starts,
            lengths,
            levels,
            np.concatenate(ends).astype(np.float32),
            np.concatenate(padded).astype(np.float32),
            np.concatenate([np.pad(each, (0, room), mode="edge") for each in lags]),
            hop,
            coding,
        )

    def crops(self, rows: np.ndarray, shares: np.ndarray, size: int) -> list[np.ndarray]:
        """Return crops: words, places, frames, periods, samples before each, and levels.

        Args:
            rows: Which recordings, int.
            shares: How far into them, 0 to 1.
            size: Frames of a crop.
        """
        over = np.maximum(self.lengths[rows] - size, 0)
        first = self.starts[rows] + np.round(shares * over).astype(np.int64)
        at = first[:, None] + np.arange(size)
        samples = first[:, None] * self.hop + np.arange(-1, size * self.hop)
        levels = self.levels[np.maximum(samples, 0)]
        # What lies before a recording is silence, and no other recording.
        levels[samples < (self.starts[rows] * self.hop)[:, None]] = self.coding.zero
        before = self.coding.values[levels[:, :-1]]
        return [self.words[rows], self.places[at], self.frames[at], self.lags[at], before, levels[:, 1:]]


def cut(recordings: Recordings, size: int) -> Any:
    """Return the function that makes `(x, y)` of a batch of rows, shares and whether frames are predicted."""
    import tensorflow as tf

    num_features = recordings.frames.shape[1]

    def crops(rows: np.ndarray, shares: np.ndarray) -> list[np.ndarray]:
        return recordings.crops(rows, shares, size)

    def call(batch: Any) -> Any:
        types = [tf.int32, tf.float32, tf.float32, tf.int32, tf.float32, tf.int32]
        made = tf.numpy_function(crops, [batch["row"], batch["share"]], types, stateful=False)
        shapes = [
            (None,),
            (None, size),
            (None, size, num_features),
            (None, size),
            *[(None, size * recordings.hop)] * 2,
        ]
        word, place, frames, lags, before, levels = (
            tf.ensure_shape(each, shape) for each, shape in zip(made, shapes, strict=True)
        )
        x = {"word": word, "place": place, "frames": frames, "lags": lags, "before": before}
        x["predicts"] = batch["predicts"]
        return x, {"levels": levels, "frames": frames}

    return call


def drawn_anew(share_predicted: float) -> Any:
    """Return the transform that draws, for each crop of a batch, where it lies and what it is made from.

    Args:
        share_predicted: Of crops that are made from predicted frames.
    """
    import tensorflow as tf

    def call(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        draws = tf.random.stateless_uniform((2, tf.shape(x["row"])[0]), seed)
        predicts = tf.cast(draws[1] < share_predicted, tf.float32)
        return {"row": x["row"], "share": draws[0], "predicts": predicts}, y

    return call
