"""From the scores of frames to a transcript: best path, prefix beam search, alignment; NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

NEVER = -np.inf
LEAST = -10.0  # natural logarithm of a probability below which a search leaves a unit out


class LanguageModel(Protocol):
    """What a beam search asks of a model of transcripts, unit by unit."""

    def start(self) -> Any:
        """Return the state before the first unit."""

    def next(self, state: Any, unit: int) -> tuple[float, Any]:
        """Return the logarithm of a unit's probability after a state, and the state after it."""

    def end(self, state: Any) -> float:
        """Return the logarithm of the probability that a transcript ends after a state."""


@dataclass(frozen=True)
class Hypothesis:
    """A transcript, and how likely it is.

    Args:
        units: By number.
        score: The logarithm of its probability, that of the language model by its weight included.
    """

    units: tuple[int, ...]
    score: float


def best_path(log_p: np.ndarray, blank: int) -> tuple[int, ...]:
    """Return the units of the likeliest path: its repeats as one, its blanks left out.

    Args:
        log_p: Logarithms of probabilities, shape `(num_frames, num_units + 1)`.
        blank: The number that stands for no unit.

    Example:

    >>> best_path(np.log([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.7, 0.3]]), blank=1)
    (0, 0)
    """
    path = log_p.argmax(axis=-1) if len(log_p) else np.zeros(0, np.int64)
    first = np.concatenate([[True], path[1:] != path[:-1]])[: len(path)]
    return tuple(path[first & (path != blank)].tolist())


def beam_search(
    log_p: np.ndarray,
    blank: int,
    beams: int,
    *,
    language: LanguageModel | None = None,
    weight: float = 0.0,
    bonus: float = 0.0,
) -> list[Hypothesis]:
    """Return the likeliest transcripts, best first, each by the sum over all of its paths.

    Source: Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
    Recurrent DNNs (2014), algorithm 1.

    Args:
        log_p: Logarithms of probabilities, shape `(num_frames, num_units + 1)`.
        blank: The number that stands for no unit.
        beams: Transcripts that are weighed at once.
        language: A model of transcripts, if there is one.
        weight: Of its logarithms.
        bonus: For each unit, against the taste of language models for short texts.

    Example:

    >>> likely = beam_search(np.log([[0.4, 0.6], [0.4, 0.6]]), blank=1, beams=2)
    >>> [(each.units, round(float(np.exp(each.score)), 2)) for each in likely]
    [((0,), 0.64), ((), 0.36)]
    """
    spoken: dict[tuple[int, ...], tuple[float, Any]] = {(): (0.0, language.start() if language else None)}
    # Prefix to the logarithms of the probabilities of its paths that end in the blank, and in its last unit.
    ends: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NEVER)}
    for row in log_p.astype(np.float64):
        likely = [int(unit) for unit in np.flatnonzero(row > LEAST) if unit != blank]
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (in_blank, in_unit) in ends.items():
            either = np.logaddexp(in_blank, in_unit)
            stay = grown.setdefault(prefix, [NEVER, NEVER])
            stay[0] = np.logaddexp(stay[0], either + row[blank])
            if prefix:
                stay[1] = np.logaddexp(stay[1], in_unit + row[prefix[-1]])
            for unit in likely:
                longer = (*prefix, unit)
                before = in_blank if prefix and unit == prefix[-1] else either
                go = grown.setdefault(longer, [NEVER, NEVER])
                go[1] = np.logaddexp(go[1], before + row[unit])
        for prefix in grown:
            if prefix not in spoken:
                told, state = spoken[prefix[:-1]]
                more, state = language.next(state, prefix[-1]) if language else (0.0, None)
                spoken[prefix] = told + weight * more + bonus, state
        total = {each: np.logaddexp(paths[0], paths[1]) + spoken[each][0] for each, paths in grown.items()}
        ranked = sorted(grown, key=lambda each: -total[each])[:beams]
        ends = {prefix: (grown[prefix][0], grown[prefix][1]) for prefix in ranked}
        spoken = {each: told for each, told in spoken.items() if each in ends}
    finished = []
    for prefix, paths in ends.items():
        told, state = spoken[prefix]
        end = weight * language.end(state) if language else 0.0
        finished.append(Hypothesis(prefix, float(np.logaddexp(*paths) + told + end)))
    return sorted(finished, key=lambda each: -each.score)


def alignment(log_p: np.ndarray, units: Sequence[int], blank: int) -> np.ndarray:
    """Return the likeliest frames of each unit of a transcript (Viterbi).

    Args:
        log_p: Logarithms of probabilities, shape `(num_frames, num_units + 1)`.
        units: By number, at least one; there must be frames enough for them.
        blank: The number that stands for no unit.

    Returns:
        The first frame of each unit and the one after its last, int64, shape `(len(units), 2)`.

    Example:

    >>> alignment(np.log([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]]), [0, 0], blank=1).tolist()
    [[0, 1], [3, 4]]
    """
    states = np.full(2 * len(units) + 1, blank)
    states[1::2] = units
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), NEVER)
    score[:2] = log_p[0, states[:2]]
    came = np.zeros((len(log_p), len(states)), np.int64)
    for frame in range(1, len(log_p)):
        ways = np.full((3, len(states)), NEVER)
        ways[0], ways[1, 1:] = score, score[:-1]
        ways[2, 2:] = np.where(skips[2:], score[:-2], NEVER)
        came[frame] = ways.argmax(axis=0)
        score = ways.max(axis=0) + log_p[frame, states]
    state = len(states) - 1 - int(score[-2] >= score[-1])
    path = np.zeros(len(log_p), np.int64)
    for frame in range(len(log_p) - 1, -1, -1):
        path[frame] = state
        state -= came[frame, state]
    places = np.arange(1, len(states), 2)
    return np.stack([np.searchsorted(path, places), np.searchsorted(path, places, side="right")], axis=1)
