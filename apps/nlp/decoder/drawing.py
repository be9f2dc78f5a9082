"""How the next token is chosen by its logits, alike in compiled loops and in exports; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

NEVER = -1e9  # the logit of what is not to be written
LARGEST_DRAW = 1 - 1e-6  # below which rounding leaves the last token that may be drawn its place


@dataclass(frozen=True)
class Drawing:
    """How a token is drawn; what is off by default is left out of the computation.

    Args:
        temperature: 0 takes the likeliest; the higher, the more even the chances.
        top_k: Only so many of the likeliest are drawn; 0 is all.
        top_p: Only the likeliest are drawn that together have this share of the probability.
        min_p: Only those are drawn that have this share of the probability of the likeliest.
        repetition_penalty: By which positive logits of tokens that stand there already are divided, and
            negative ones multiplied.

    Reference:
        top-p: Holtzman et al., The Curious Case of Neural Text Degeneration (2020); min-p: Nguyen et al.,
        Turning Up the Heat (2025); penalty: Keskar et al., CTRL (2019), section 4.1
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    @property
    def sorts(self) -> bool:
        """Whether the tokens have to be put in order."""
        return bool(self.top_k) or self.top_p < 1

    @property
    def penalises(self) -> bool:
        """Whether it matters what stands there already."""
        return self.repetition_penalty != 1

    @property
    def numbers(self) -> np.ndarray:
        """All of them, float32, shape `(5,)`."""
        values = (self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty)
        return np.array(values, np.float32)


def next_tokens(
    namespace: ModuleType | Any,
    logits: Any,
    drawn: Any,
    numbers: Any,
    seen: Any = None,
    *,
    sorts: bool = True,
) -> Any:
    """Return the next token of each text, int, shape `(batch_size,)`.

    Args:
        namespace: `numpy` or `keras.ops`, whose functions of the same names are called.
        logits: Float32, shape `(batch_size, vocabulary_size)`.
        drawn: Of each text, in [0, 1): which of what may be drawn is taken, shape `(batch_size,)`.
        numbers: Those of a `Drawing`, shape `(5,)`.
        seen: Bool, as the logits: what stands there already; nothing where that is not penalised.
        sorts: Whether `top_k` or `top_p` may be on.

    Example:

    >>> logits = np.log(np.array([[0.1, 0.6, 0.3]], np.float32))
    >>> [int(next_tokens(np, logits, np.array([u]), Drawing().numbers)[0]) for u in (0.05, 0.5, 0.95)]
    [0, 1, 2]
    >>> [int(next_tokens(np, logits, np.array([u]), Drawing(top_k=2).numbers)[0]) for u in (0.05, 0.95)]
    [1, 2]
    """
    temperature, top_k, top_p, min_p, penalty = (numbers[place] for place in range(5))
    if seen is not None:
        penalised = namespace.where(logits > 0, logits / penalty, logits * penalty)
        logits = namespace.where(seen, penalised, logits)
    likeliest = namespace.argmax(logits, axis=-1)
    scaled = logits / namespace.maximum(temperature, 1e-4)
    scaled = scaled - namespace.max(scaled, axis=-1, keepdims=True)
    chances = namespace.exp(scaled)
    allowed = chances >= min_p
    if sorts:
        allowed = namespace.logical_and(allowed, scaled >= _lowest(namespace, scaled, top_k, top_p))
    shares = namespace.cumsum(namespace.where(allowed, chances, 0.0), axis=-1)
    places = namespace.minimum(drawn, LARGEST_DRAW)[:, None] * shares[:, -1:]
    taken = namespace.sum(namespace.where(shares <= places, 1, 0), axis=-1)
    taken = namespace.minimum(taken, logits.shape[-1] - 1)
    return namespace.where(temperature > 0, taken, likeliest)


def _lowest(namespace: ModuleType | Any, scaled: Any, top_k: Any, top_p: Any) -> Any:
    """Return the lowest logit that may be drawn, shape `(batch_size, 1)`."""
    ranked = -namespace.sort(-scaled, axis=-1)
    rank = namespace.arange(scaled.shape[-1], dtype="float32")[None]
    within = namespace.logical_or(rank < top_k, top_k < 1)
    chances = namespace.where(within, namespace.exp(ranked), 0.0)
    shares = namespace.cumsum(chances, axis=-1)
    # A token is in if those before it have less than the share: the likeliest always is.
    within = namespace.logical_and(within, shares - chances < top_p * shares[:, -1:])
    return namespace.min(namespace.where(within, ranked, -NEVER), axis=-1, keepdims=True)


def draws(seed: int, start: int, count: int) -> np.ndarray:
    """Return numbers in [0, 1) that are a function of the seed and of the place in the text alone.

    Args:
        seed: At least 0.
        start: The first place.
        count: Places.

    Returns:
        Float32, shape `(count,)`.

    Example:

    >>> bool((draws(7, 0, 9)[4:] == draws(7, 4, 5)).all())
    True
    """
    return np.random.default_rng(seed).random(start + count, np.float32)[start:]


def cut_at(text: str, stop: str | Sequence[str]) -> tuple[str, bool]:
    """Return a text up to the first of the words that end it, and whether there was one.

    Args:
        text: That was written.
        stop: One word, or several; none where they are empty.

    Example:

    >>> cut_at("one. two", [".", "o. "])
    ('one', True)
    """
    stops = [stop] if isinstance(stop, str) else stop
    places = [place for each in stops if each and (place := text.find(each)) >= 0]
    return (text[: min(places)], True) if places else (text, False)
