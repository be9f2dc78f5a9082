"""The intent and the slots of a request, from their scores; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.nlp.chain import Chain, answer_of
from apps.nlp.words import Word


def parted(scores: np.ndarray, num_tags: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of tags, and those of intents, the mean over the words that they stand at.

    Args:
        scores: Of one request, `(num_words, num_tags + num_intents)`; of none without words.
        num_tags: How many of them are of tags.

    Example:

    >>> parted(np.array([[1.0, 0.0, 5.0], [2.0, 0.0, 5.0]]), 1)[1].tolist()
    [0.0, 5.0]
    """
    return scores[:, :num_tags], scores[:, num_tags:].mean(axis=0) if scores.size else np.zeros(0)


def likeliest(logits: np.ndarray, intents: Sequence[str]) -> tuple[str, float]:
    """Return the likeliest intent, and how likely it is; of a request without words, the first, by chance.

    Args:
        logits: Of the intents; of none where there are no words.
        intents: Their names.

    Example:

    >>> likeliest(np.log([1.0, 3.0]), ["ask", "greet"])
    ('greet', 0.75)
    """
    if not logits.size:
        return intents[0], 1 / len(intents)
    shares = np.exp(logits.astype(np.float64) - logits.max())
    best = int(shares.argmax())
    return intents[best], round(float(shares[best] / shares.sum()), 7)


def request_answer(
    text: str, words: Sequence[Word], scores: np.ndarray, chain: Chain, intents: Sequence[str]
) -> dict[str, Any]:
    """Return a request with its intent and slots as an answer.

    Args:
        text: As it was written.
        words: Of the text.
        scores: Of tags and intents, `(num_words, num_tags + num_intents)`.
        chain: Chooses tags by their scores.
        intents: Their names.

    Returns:
        `text`, `label`, its `probability`, and `spans`, as of entities.
    """
    emissions, logits = parted(scores, len(chain.tags))
    label, probability = likeliest(logits, intents)
    answer = answer_of(text, words, chain.entities(emissions))
    return {"text": text, "label": label, "probability": probability, "spans": answer["spans"]}
