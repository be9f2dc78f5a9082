"""Prompts that a language model writes on, for longer than its window if need be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from apps.nlp.decoder.drawing import Drawing
from apps.nlp.decoder.writing import AT_A_CALL, Writer
from apps.nlp.subwords.subwords import END, PADDING

SHORTEST = 16  # to which prompts are padded; longer ones to a power of two


def continued(
    writer: Writer,
    prompts: Sequence[Sequence[int]],
    drawing: Drawing,
    seeds: Sequence[int],
    *,
    count: int,
    size: int,
    at_a_call: int = AT_A_CALL,
) -> Iterator[list[list[int]]]:
    """Yield what was written after each prompt so far, as it grows.

    Where the window is full, its later half is read anew, and the text goes on.

    Args:
        writer: Of a language model.
        prompts: Ids, at least one each.
        drawing: How tokens are drawn.
        seeds: Of the draws, one a prompt.
        count: New tokens of each, at most.
        size: How many ids there are.
        at_a_call: New tokens between two yields.

    Yields:
        The new ids of each prompt, without the end.
    """
    written: list[list[int]] = [[] for _ in prompts]
    going, longest = list(range(len(prompts))), writer.steps.length - 1
    done = 0
    while going and done < count:
        texts = [[*prompts[place], *written[place]] for place in going]
        ids, lengths = padded_prompts(texts, longest, writer.steps.length)
        seen = _seen(texts, len(ids), size) if drawing.penalises else None
        of_rows = [seeds[place] for place in going] + [0] * (len(ids) - len(going))
        ended: set[int] = set()
        for tokens in writer.written(
            (ids, lengths),
            lengths,
            drawing,
            of_rows,
            count=count - done,
            start=done,
            seen=seen,
            at_a_call=at_a_call,
        ):
            for place, row in zip(going, tokens.tolist(), strict=False):
                new = row[: row.index(END)] if END in row else row
                written[place] += [] if place in ended else new
                ended |= {place} if END in row else set()
            done += tokens.shape[1]
            yield [list(each) for each in written]
            if len(ended) == len(going):
                break
        going = [place for place in going if place not in ended]
        longest = max(writer.steps.length // 2, 1)


def _seen(texts: Sequence[Sequence[int]], num_rows: int, size: int) -> np.ndarray:
    seen = np.zeros((num_rows, size), bool)
    for row, text in zip(seen, texts, strict=False):
        row[np.asarray(text)] = True
    return seen


def padded_prompts(
    prompts: Sequence[Sequence[int]], longest: int, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of prompts as one array of few shapes, and their lengths.

    Args:
        prompts: Ids, at least one each; at least one prompt.
        longest: Ids that are read of each, from its end; at most the window.
        window: Length of the longest array.

    Returns:
        Int32, shape `(batch_size, length)`, padded at the right and below to powers of two; and int32, shape
        `(batch_size,)`, of which those of no prompt are 1.

    Example:

    >>> ids, lengths = padded_prompts([[5], [6, 7], [8]], longest=64, window=64)
    >>> ids.shape, lengths.tolist()
    ((4, 16), [1, 2, 1, 1])
    """
    cut = [list(prompt)[-longest:] for prompt in prompts]
    length = min(max(SHORTEST, _power_of_two(max(map(len, cut)))), window)
    ids = np.full((_power_of_two(len(cut)), length), PADDING, np.int32)
    ids[len(cut) :, 0] = END
    for row, prompt in zip(ids, cut, strict=False):
        row[: len(prompt)] = prompt
    lengths = np.ones(len(ids), np.int32)
    lengths[: len(cut)] = [len(prompt) for prompt in cut]
    return ids, lengths


def _power_of_two(number: int) -> int:
    return 1 << max(number - 1, 0).bit_length()
