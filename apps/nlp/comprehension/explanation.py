"""Which words of a question and of its context speak for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.nlp.comprehension.windows import PARTS, Found, Pair, starts_of
from apps.nlp.word_ids import UNKNOWN
from core.task.attribution import deletion_gain, occlusion, scored
from core.task.explanation import Explanation, Part, draw_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SHOWN = 24


def words_left_out(
    batch: Mapping[str, np.ndarray],
    pair: Pair,
    cell: int,
    score: Callable[[dict[str, np.ndarray]], np.ndarray],
    answer: dict[str, Any],
) -> Explanation:
    """Return how much less likely an answer is where each word can't be read.

    Args:
        batch: Of one question and one window, as the net takes it.
        pair: The words of both.
        cell: Place of what was answered among the scores.
        score: The net.
        answer: What `predict` says.
    """
    sizes = [len(words) for words in pair]

    def chances(kept: Any) -> np.ndarray:
        rows = np.asarray(kept) > 0
        logits = score(covered(batch, rows[:, : sizes[0]], rows[:, sizes[0] :])).astype(np.float64)
        own, others = logits[:, cell], np.delete(logits, cell, axis=1)
        highest = others.max(axis=1)
        return own - highest - np.log(np.exp(others - highest[:, None]).sum(axis=1))

    whole, none = np.ones(sum(sizes), np.float32), np.zeros(sum(sizes), np.float32)
    masks = np.eye(sum(sizes), dtype=bool)
    adds = occlusion(chances, whole, none, masks)
    names = [(part, word) for part, words in zip(PARTS, pair, strict=True) for word in words]
    parts = [Part(word, float(share), {"of": part}) for (part, word), share in zip(names, adds, strict=True)]
    return Explanation(
        answer,
        answer["answer"] or "no answer",
        float(scored(chances, whole[None])[0]),
        "occlusion",
        parts,
        {"deletion": deletion_gain(chances, whole, none, masks, adds)},
        lambda figure: draw(figure, parts),
    )


def window_around(found: Found, num_words: int, window: int) -> int:
    """Return where the window begins whose middle is nearest to an answer; 0 where there is none.

    Args:
        found: The answer.
        num_words: Of the context.
        window: Words of a window.

    Example:

    >>> window_around(Found(5, 6, 0.9), 12, 4)
    4
    """
    if found.first < 0:
        return 0
    middle = (found.first + found.last) / 2
    holding = [
        each for each in starts_of(num_words, window) if each <= found.first and found.last < each + window
    ]
    return min(holding, key=lambda each: abs(each + (window - 1) / 2 - middle))


def covered(batch: Mapping[str, np.ndarray], *kept: np.ndarray) -> dict[str, np.ndarray]:
    """Return a batch with a copy for each row of what is kept, whose other words can't be read.

    Args:
        batch: Of one question and one window.
        *kept: Which words stay, of the question and of the window, bool, `(num_copies, num_words)`.
    """
    copies = {}
    for part, rows in zip(PARTS, kept, strict=True):
        for name, unread in (("words", UNKNOWN), ("characters", 0), ("pieces", UNKNOWN), ("forms", 0)):
            column = batch[f"{part}_{name}"]
            copied = np.repeat(column, len(rows), axis=0)
            copied[:, : rows.shape[1]][~rows] = unread
            copies[f"{part}_{name}"] = copied
    return copies


def draw(figure: Figure, parts: Sequence[Part]) -> None:
    """Draw the words that matter most as bars, those of the question above those of the context."""
    strongest = sorted(range(len(parts)), key=lambda place: -abs(parts[place].adds))[:MOST_SHOWN]
    shown = [
        [parts[place] for place in sorted(strongest) if parts[place].details["of"] == part] for part in PARTS
    ]
    heights = [max(len(each), 1) + 1 for each in shown]
    figure.set_size_inches(6, 1 + 0.28 * sum(heights))
    panels = figure.subplots(2, 1, height_ratios=heights, sharex=True)
    for panel, part, own in zip(panels, PARTS, shown, strict=True):
        draw_bars(panel, own, "adds to the log-odds of the answer" if part == PARTS[-1] else "")
        panel.set_title(part, loc="left")
