"""Greedy decoding in plain NumPy, which the miniature encoder-decoder and its exports share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

END = 0  # fills up questions, and begins and ends answers
Step = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


def greedy(
    texts: Sequence[str], length: int, encoder: Step, decoder_step: Step
) -> dict[str, list[np.ndarray]]:
    """Return answers that differ in length.

    Args:
        texts: Numbers apart by blanks; other words, and numbers beyond the length, are passed over.
        length: The most numbers of a question, and of an answer.
        encoder: From `numbers` to `memory` and `state`.
        decoder_step: From `memory`, `state` and `token` to `logits` and `next_state`.

    Returns:
        `tokens`, and the `logits` that they were chosen by, those of the end included: an array a text.
    """
    numbers = np.zeros((len(texts), length), np.int32)
    for row, text in zip(numbers, texts, strict=True):
        parsed = [int(word) for word in text.split() if word.isdecimal()][:length]
        row[: len(parsed)] = parsed
    encoded = encoder({"numbers": numbers})
    state, token = encoded["state"], np.full(len(texts), END, np.int32)
    chosen, scored = [], []
    for _ in range(length + 1):
        stepped = decoder_step({"memory": encoded["memory"], "state": state, "token": token})
        state = stepped["next_state"]
        token = stepped["logits"].argmax(axis=-1).astype(np.int32)
        chosen.append(token)
        scored.append(stepped["logits"])
    tokens, logits = np.stack(chosen, axis=1), np.stack(scored, axis=1)
    ended = np.concatenate([tokens == END, np.ones((len(texts), 1), bool)], axis=1).argmax(axis=1)
    rows = list(enumerate(ended.tolist()))
    return {
        "tokens": [tokens[row, :end] for row, end in rows],
        "logits": [logits[row, : end + 1] for row, end in rows],
    }
