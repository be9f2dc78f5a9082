"""Which words of a text gave it its label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.text import Pieces
from core.task.attribution import deletion_gain, occlusion, scored
from core.task.explanation import Anatomy, Explanation, Part, draw_bars

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

MOST_SHOWN = 25


def word_anatomy(model: keras.Model, pieces: Pieces, text: str) -> Anatomy:
    """Return the words of a text as parts of what the model's embedding says of its pieces.

    Args:
        model: With an embedding of pieces.
        pieces: How the model cuts texts.
        text: What is explained.
    """
    import keras

    layer = next(each for each in model.layers if isinstance(each, keras.layers.Embedding))

    def parts(embedded: np.ndarray) -> tuple[list[str], np.ndarray]:
        words, owned = pieces.owners(text)
        masks = np.zeros((len(words), *embedded.shape), bool)
        masks[:, : owned.shape[1]] = owned[..., None]
        return words, masks

    return Anatomy(layer.name, parts, lambda figure, values, adds, words: draw_words(figure, words))


def words_left_out(
    probability: Callable[[list[str]], np.ndarray], pieces: Pieces, text: str, answer: dict[str, Any]
) -> Explanation:
    """Return how much less likely the label is without each word.

    Args:
        probability: From texts to the probability of the label, shape `(num_texts,)`.
        pieces: How the text is cut into words.
        text: What is explained.
        answer: What `predict` says of it.
    """
    words, _ = Pieces(pieces.split, pieces.max_length, reading=pieces.reading).owners(text)
    blank = " " if pieces.split == "words" else ""

    def score(kept: Any) -> np.ndarray:
        rows = np.asarray(kept) > 0
        chances = probability([blank.join(np.array(words)[row]) for row in rows])
        return np.log(np.maximum(chances, 1e-12)) - np.log(np.maximum(1 - chances, 1e-12))

    whole, none = np.ones(len(words), np.float32), np.zeros(len(words), np.float32)
    masks = np.eye(len(words), dtype=bool)
    adds = occlusion(score, whole, none, masks)
    shown = [Part(word, float(share)) for word, share in zip(words, adds, strict=True)]
    return Explanation(
        answer,
        answer["label"],
        float(scored(score, whole[None])[0]),
        "occlusion",
        shown,
        {"deletion": deletion_gain(score, whole, none, masks, adds)},
        lambda figure: draw_words(figure, shown),
    )


def draw_words(figure: Figure, words: Sequence[Part]) -> None:
    """Draw the words that matter most as bars, in the order in which they are read."""
    strongest = sorted(range(len(words)), key=lambda place: -abs(words[place].adds))[:MOST_SHOWN]
    shown = [words[place] for place in sorted(strongest)]
    figure.set_size_inches(6, 0.9 + 0.28 * len(shown))
    draw_bars(figure.subplots(), shown, "adds to the log-odds of the label")
