"""Which stretches of sound made the words of a transcript, by silencing each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.speech.transcription.decoder import Heard
from core.errors import MethodError
from core.task.attribution import deletion_gain
from core.task.explanation import Explanation, Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHOD = "occlusion"
STRETCH_SECONDS = 0.1
MOST_STRETCHES = 120
AT_ONCE = 16

Scores = Callable[[np.ndarray], np.ndarray]
"""From spectrograms, shape `(num_points, num_frames, num_mels)`, to logarithms of probabilities."""


def explained_words(
    answer: dict[str, Any],
    spectrogram: np.ndarray,
    scores: Scores,
    words: Sequence[Heard],
    hop_seconds: float,
    method: str | None,
) -> Explanation:
    """Return how much likelier each stretch of sound makes each word.

    A word is judged where it was heard: by the logarithms of the probabilities of its units in their frames.

    Args:
        answer: What `predict` says.
        spectrogram: Shape `(num_frames, num_mels)`.
        scores: The model behind the spectrogram.
        words: Each with the frames of the answer that it was heard in, and its units there.
        hop_seconds: From one frame of the spectrogram to the next.
        method: `occlusion` or nothing.

    Raises:
        MethodError: Another method is asked for.
    """
    if method not in (None, METHOD):
        raise MethodError(f"A transcript is explained by {METHOD}. Received: {method!r}.")
    stretches = _stretches(len(spectrogram), hop_seconds)
    masks = np.zeros((len(stretches), *spectrogram.shape), bool)
    for mask, stretch in zip(masks, stretches, strict=True):
        mask[stretch] = True
    score = partial(_scores_of_words, scores, words)
    silence = np.zeros_like(spectrogram)
    whole = score(spectrogram[None])[0]
    falls = (whole - score(np.where(masks, silence, spectrogram))).T  # (num_words, num_stretches)
    named = [
        f"{stretch.start * hop_seconds:.2f} to {stretch.stop * hop_seconds:.2f} s" for stretch in stretches
    ]
    adds = falls.sum(axis=0)
    made = [words[int(column.argmax())][0] if column.max() > 0 else "" for column in falls.T]
    parts = [
        Part(name, float(each), {"word": word}) for name, each, word in zip(named, adds, made, strict=True)
    ]
    return Explanation(
        answer=answer,
        target=answer["text"],
        score=float(whole.sum()),
        method=METHOD,
        parts=parts,
        checks={
            "deletion": deletion_gain(
                lambda points: score(np.asarray(points)).sum(axis=1),
                spectrogram,
                silence,
                masks,
                adds,
                num_random=4,
                num_steps=10,
            )
        },
        draw=partial(_draw, spectrogram, falls, [word for word, _, _ in words], hop_seconds),
        more={"words": _told(words, falls, named)},
    )


def _stretches(num_frames: int, hop_seconds: float) -> list[slice]:
    count = int(np.clip(num_frames * hop_seconds / STRETCH_SECONDS, 1, MOST_STRETCHES))
    edges = np.linspace(0, num_frames, count + 1).astype(int)
    return [slice(int(start), int(stop)) for start, stop in pairwise(edges)]


def _scores_of_words(scores: Scores, words: Sequence[Heard], points: np.ndarray) -> np.ndarray:
    """Return the score of each word at each point, shape `(num_points, num_words)`."""
    parts = []
    for start in range(0, len(points), AT_ONCE):
        log_p = scores(points[start : start + AT_ONCE])
        parts.append(np.stack([log_p[:, frames, units].mean(axis=1) for _, frames, units in words], axis=1))
    return np.concatenate(parts).astype(np.float64)


def _told(words: Sequence[Heard], falls: np.ndarray, named: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each word the stretches that add most to it, most first."""
    words_by_time = []
    for (word, _, _), row in zip(words, falls, strict=True):
        most = [int(place) for place in np.argsort(-row)[:3] if row[place] > 0]
        by = [{"stretch": named[place], "adds": round(float(row[place]), 4)} for place in most]
        words_by_time.append({"word": word, "by": by})
    return words_by_time


def _draw(
    spectrogram: np.ndarray, falls: np.ndarray, words: Sequence[str], hop_seconds: float, figure: Figure
) -> None:
    figure.set_size_inches(8, 3 + 0.3 * len(words))
    heard, made = figure.subplots(2, 1, sharex=True, height_ratios=[2, 0.3 * len(words) + 1])
    seconds = len(spectrogram) * hop_seconds
    place = {"aspect": "auto", "extent": (0, seconds, 0, spectrogram.shape[1]), "origin": "lower"}
    heard.imshow(spectrogram.T, cmap="gray_r", **place)
    heard.set_title("what it heard")
    heard.set_ylabel("mel band")
    most = np.abs(falls).max() or 1.0
    drawn = made.imshow(
        falls, cmap="PuOr_r", vmin=-most, vmax=most, aspect="auto", extent=(0, seconds, len(words), 0)
    )
    made.set_yticks(np.arange(len(words)) + 0.5, [word[:20] for word in words])
    made.set_title("how much likelier each stretch makes each word")
    made.set_xlabel("seconds")
    figure.colorbar(drawn, ax=made, label="nats a frame")
