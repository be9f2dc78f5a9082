"""How a text is written on by a whole pass for each token, as exports do; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from apps.nlp.decoder.drawing import NEVER, Drawing, cut_at, draws, next_tokens
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN, Subwords
from core.errors import UserError

Pass = Callable[[np.ndarray], np.ndarray]
"""From ids, int32 `(1, context)`, to the logits of the next, float32 `(1, context, size)`."""


def prompt_of(
    text: str, subwords: Subwords, *, context: int, several: bool, refuse: bool = False
) -> list[int]:
    """Return the ids of a prompt.

    Args:
        text: What is to be written on; may be empty.
        subwords: What cuts it.
        context: Tokens of the window.
        several: Whether the model knows how texts begin; else it begins in the midst of one.
        refuse: Whether a prompt that is longer than the window is refused.

    Raises:
        UserError: It is.
    """
    ids = [*([END] if several else []), *subwords.ids(text).tolist()]
    if len(ids) >= context and refuse:
        raise UserError(
            f"The prompt has {len(ids)} tokens, and the model's window takes {context - 1}: shorten it, or "
            f"read its end alone with long_prompts=cut. Received: {text[:40]!r}."
        )
    return ids or subwords.ids("\n").tolist()


def written_on(
    whole_pass: Pass,
    prompt: Sequence[int],
    drawing: Drawing,
    seed: int,
    *,
    context: int,
    count: int,
    stops: Callable[[Sequence[int]], bool] = lambda ids: False,
) -> list[int]:
    """Return the ids that are written after a prompt, without the end.

    The window is read as `prompts.continued` reads it, and the draws are its: the text is the same.

    Args:
        whole_pass: From ids to logits.
        prompt: Ids, at least one.
        drawing: How tokens are drawn.
        seed: Of the draws.
        context: Tokens of the window.
        count: New tokens, at most.
        stops: From the new ids to whether that is all.
    """
    text, at = list(prompt), draws(seed, 0, count)
    start = max(len(text) - (context - 1), 0)
    for place in range(count):
        if len(text) - start == context:
            start = len(text) - max(context // 2, 1)
        ids = np.full((1, context), PADDING, np.int32)
        ids[0, : len(text) - start] = text[start:]
        logits = whole_pass(ids)[:, len(text) - start - 1]
        logits[:, [PADDING, UNKNOWN]] = NEVER
        seen = np.isin(np.arange(logits.shape[1]), text)[None] if drawing.penalises else None
        (token,) = next_tokens(np, logits, at[place : place + 1], drawing.numbers, seen, sorts=drawing.sorts)
        if token == END:
            break
        text.append(int(token))
        if stops(text[len(prompt) :]):
            break
    return text[len(prompt) :]


def whole_answer(
    text: str, subwords: Subwords, ids: Sequence[int], stop: Sequence[str], length: int
) -> dict[str, Any]:
    """Return an answer, and what ended it: a stop word, the end of the text, or the length.

    Args:
        text: The prompt.
        subwords: What made it ids.
        ids: That were written.
        stop: Texts before which it ends.
        length: Tokens that were to be written at most.
    """
    written, stopped = cut_at(subwords.text(ids), stop)
    ended = "stop" if stopped else "end" if len(ids) < length else "length"
    return {"text": text + written, "written": written, "tokens": len(ids), "ended": ended}
