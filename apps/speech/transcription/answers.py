"""A transcript with its words and their times, from the scores of frames; NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from apps.speech.transcription.decoding import Hypothesis, LanguageModel, alignment, beam_search, best_path
from apps.speech.transcription.units import Units

ALTERNATIVES = 4


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of probabilities over the last axis, float32."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def hypotheses(
    log_p: np.ndarray,
    units: Units,
    beams: int,
    language: LanguageModel | None = None,
    weight: float = 0.0,
    bonus: float = 0.0,
) -> list[Hypothesis]:
    """Return the likeliest transcripts, best first; of the best path alone where there is one beam.

    Args:
        log_p: Shape `(num_frames, num_units + 1)`.
        units: Whose blank is the last.
        beams: Transcripts that are weighed at once.
        language: A model of transcripts, with its weight and a bonus for each unit.
        weight: Of the language model.
        bonus: For each unit.
    """
    if beams == 1:
        path = float(log_p.max(axis=-1).sum()) if len(log_p) else 0.0
        return [Hypothesis(best_path(log_p, units.blank), path)]
    return beam_search(log_p, units.blank, beams, language=language, weight=weight, bonus=bonus)


def answer_of(units: Units, likely: Sequence[Hypothesis], words: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a transcript, its words with times and probabilities, and others that were weighed.

    Args:
        units: Of the transcripts.
        likely: Transcripts, best first.
        words: Of the best.
    """
    answer: dict[str, Any] = {"text": units.text(likely[0].units), "words": list(words)}
    others: dict[str, float] = {}
    for each in likely[1:]:
        text = units.text(each.units)
        if text != answer["text"]:
            others.setdefault(text, round(each.score, 4))
    if others:
        answer["alternatives"] = [
            {"text": text, "score": score} for text, score in list(others.items())[:ALTERNATIVES]
        ]
    return answer


def timed_words(
    log_p: np.ndarray, units: Units, ids: Sequence[int], frame_seconds: float
) -> list[dict[str, Any]]:
    """Return the words of a transcript with the seconds that they begin and end at, and their probabilities.

    That of a word is the geometric mean over its frames of the probability of its units there.

    Args:
        log_p: Shape `(num_frames, num_units + 1)`.
        units: Of the transcript.
        ids: Its units by number.
        frame_seconds: From one frame to the next.
    """
    if not ids:
        return []
    frames = alignment(log_p, ids, units.blank)
    words = []
    for word, first, last in units.words(ids):
        scores = [
            log_p[start:end, number]
            for (start, end), number in zip(frames[first:last], ids[first:last], strict=True)
        ]
        words.append(
            {
                "word": word,
                "start": round(float(frames[first, 0]) * frame_seconds, 3),
                "end": round(float(frames[last - 1, 1]) * frame_seconds, 3),
                "probability": round(float(np.exp(np.concatenate(scores).mean())), 6),
            }
        )
    return words


def in_batches(
    waves: Sequence[np.ndarray],
    least: int,
    multiple: int,
    batch_size: int,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    num_frames: Callable[[np.ndarray], np.ndarray],
) -> list[np.ndarray]:
    """Return the scores of the frames of each wave; those of like length are scored together.

    Args:
        waves: int16, each of shape `(num_samples,)`.
        least: Samples that a wave is padded to at the least.
        multiple: Of which the samples of a batch are, so that there are few shapes.
        batch_size: Waves at once, at most.
        score: From waves, int16, shape `(batch_size, num_samples)`, and their lengths to scores, shape
            `(batch_size, num_frames, num_units + 1)`.
        num_frames: From lengths in samples to lengths in frames.
    """
    lengths = np.array([len(wave) for wave in waves], np.int32)
    frames = num_frames(lengths)
    scores: list[Any] = [None] * len(waves)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        longest = -(-max(int(lengths[rows].max()), least) // multiple) * multiple
        padded = np.zeros((len(rows), longest), np.int16)
        for place, row in enumerate(rows):
            padded[place, : lengths[row]] = waves[row]
        for row, scored in zip(rows, score(padded, lengths[rows]), strict=True):
            scores[row] = scored[: frames[row]]
    return scores
