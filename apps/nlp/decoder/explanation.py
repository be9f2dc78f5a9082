"""Which earlier words and tokens the next token rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from apps.nlp.decoder.drawing import NEVER
from apps.nlp.subwords.subwords import PADDING, UNKNOWN, Subwords
from core.errors import MethodError
from core.task.explanation import Anatomy, Explanation, Part, draw_bars, explained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("integrated_gradients", "occlusion")
MOST_SHOWN = 25


def explained_next(
    model: keras.Model,
    subwords: Subwords,
    prompt: Sequence[int],
    answer: dict[str, Any],
    method: str | None = None,
) -> Explanation:
    """Return what each word of a prompt, and each token of the last, adds to the likeliest next token.

    Args:
        model: What `language_model` returned.
        subwords: What cut the prompt.
        prompt: Ids, at least one, of which as many are read as the window takes.
        answer: What `predict` says.
        method: One of `METHODS`; integrated gradients by default.

    Raises:
        MethodError: The method explains nothing of the kind.
    """
    if method not in (None, *METHODS):
        raise MethodError(f"A language model is explained by {', '.join(METHODS)}. Received: {method!r}.")
    context = int(model.inputs[0].shape[1])
    read = list(prompt)[-context:]
    ids = np.full((1, context), PADDING, np.int32)
    ids[0, : len(read)] = read
    next_model = keras.Model(model.inputs[0], model.outputs[0][:, len(read) - 1])
    logits = ops.convert_to_numpy(next_model(ids))[0].copy()
    logits[[PADDING, UNKNOWN]] = NEVER
    target = int(logits.argmax())
    groups = parts_of(subwords, read)

    def parts(embedded: np.ndarray) -> tuple[list[str], np.ndarray]:
        masks = np.zeros((len(groups), *embedded.shape), bool)
        for mask, (_, places) in zip(masks, groups, strict=True):
            mask[places] = True
        return [name for name, _ in groups], masks

    anatomy = Anatomy("embedded", parts, lambda figure, values, adds, shown: draw_parts(figure, shown))
    return explained(next_model, ids, anatomy, (target, repr(subwords.name(target))), answer, method)


def parts_of(subwords: Subwords, ids: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Return the words of a prompt, of the last its tokens, each with the places of its ids.

    Example:

    >>> parts_of(Subwords("characters", list("abc ")), [3, 6, 4, 5])
    [('a', [0]), ("' '", [1]), ('b', [2]), ('c', [3])]
    """
    words: list[list[int]] = []
    begun = False  # whether a word goes on
    for place, id_ in enumerate(ids):
        name = subwords.name(int(id_))
        blank = not name.strip()
        if words and begun and not blank and name == name.lstrip():
            words[-1].append(place)
        else:
            words.append([place])
        begun = not blank and name == name.rstrip()
    last = next(
        (place for place in range(len(words) - 1, -1, -1) if _name(subwords, ids, words[place]).strip()), 0
    )
    parts = []
    for place, word in enumerate(words):
        pieces = [[each] for each in word] if place >= last else [word]
        parts += [(_shown(_name(subwords, ids, each)), each) for each in pieces]
    return parts


def _name(subwords: Subwords, ids: Sequence[int], places: Sequence[int]) -> str:
    if len(places) == 1:
        return subwords.name(int(ids[places[0]]))
    return subwords.text(ids[place] for place in places)


def _shown(name: str) -> str:
    return name if name.strip() and name == name.strip() else repr(name)


def draw_parts(figure: Figure, parts: Sequence[Part]) -> None:
    """Draw the parts that matter most as bars, in the order in which they are read."""
    strongest = sorted(range(len(parts)), key=lambda place: -abs(parts[place].adds))[:MOST_SHOWN]
    shown = [parts[place] for place in sorted(strongest)]
    figure.set_size_inches(6, 0.9 + 0.28 * len(shown))
    draw_bars(figure.subplots(), shown, "adds to the log-odds of the likeliest next token")
