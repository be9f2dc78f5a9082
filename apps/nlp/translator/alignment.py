"""Which words of a text each word of its translation comes from, and how much the translation needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from apps.nlp.subwords.subwords import END, PADDING, Subwords
from apps.nlp.translator.lengths import as_read, bucket, ids_of
from apps.nlp.translator.net import TranslatorSteps
from core.answers.texts.differences import WORDS
from core.errors import MethodError
from core.task.attribution import deletion_gain, occlusion
from core.task.explanation import Explanation, Part, draw_bars

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

METHODS = ("occlusion", "attention")
MOST_SHOWN = 30  # words


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which words of a text its translation was written from.

    Args:
        words: Of the text.
        written: Words of the translation.
        shares: How much each word of the translation looked at each of the text, float64, shape
            `(num_written, num_words)`; a row sums to 1 at most, and the end of the text takes the rest.
    """

    words: Sequence[str]
    written: Sequence[str]
    shares: np.ndarray

    def rows(self) -> list[dict[str, Any]]:
        """Return each word of the translation with the word of the text that it looked at most."""
        best = self.shares.argmax(axis=1) if self.words else np.zeros(0, np.int64)
        return [
            {"word": word, "from": self.words[place], "share": round(float(row[place]), 4)}
            for word, place, row in zip(self.written, best, self.shares, strict=True)
        ]


def words_of(text: str) -> list[str]:
    """Return the words of a text; ideographs and kana stand alone."""
    return WORDS.findall(text)


def places_of_words(text: str, subwords: Subwords) -> np.ndarray:
    """Return which word of a text each of its ids begins, or is part of, int64, shape `(num_ids,)`.

    Args:
        text: With one word at least.
        subwords: What cuts it.

    Example:

    >>> places_of_words("ab b", Subwords("characters", list("ab "))).tolist()
    [0, 0, 1, 1]
    """
    read = as_read(text, subwords)
    owners = np.zeros(len(read.encode()) + 1, np.int64)
    end = 0
    for place, word in enumerate(WORDS.finditer(read)):
        start, end = end, len(read[: word.end()].encode())
        owners[start:end] = place  # blanks are of the word after them
    owners[end:] = max(len(words_of(read)) - 1, 0)
    lengths = subwords.num_bytes(subwords.ids(read), read)
    return owners[np.cumsum(lengths) - lengths]


def aligned(model: keras.Model, subwords: Subwords, text: str, translation: str) -> Alignment:
    """Return the alignment of a text and its translation: the mean of the attention of all heads and blocks.

    Args:
        model: What `net.encoder_decoder` returned.
        subwords: What cuts both.
        text: One that is read at once.
        translation: Any, such as the model's.

    Reference:
        Garg et al., Jointly Learning to Align and Translate with Transformer Models (2019), section 4.2
    """
    steps = TranslatorSteps(model)
    source, target = (np.asarray(ids_of(each, subwords)) for each in (text, translation))
    looks = steps.attention(np.append(source, END)[None], np.append(END, target)[None])
    # What stands at a place writes the next token.
    attention = np.asarray(ops.convert_to_numpy(looks))[0, : len(target), : len(source)].astype(np.float64)
    words, written = words_of(text), words_of(translation)
    shares = np.zeros((len(written), len(words)))
    of_source, of_target = (places_of_words(each, subwords) for each in (text, translation))
    np.add.at(shares, (of_target[:, None], of_source[None]), attention)
    counts = np.bincount(of_target, minlength=len(written))
    return Alignment(words, written, shares / np.maximum(counts, 1)[:, None])


def explained_translation(
    model: keras.Model, subwords: Subwords, text: str, answer: dict[str, Any], method: str | None = None
) -> Explanation:
    """Return how much a translation needs each word of its text, and which words each of its own looked at.

    Args:
        model: What `net.encoder_decoder` returned.
        subwords: What cuts texts.
        text: One that is read at once.
        answer: What `predict` says of it.
        method: `occlusion`: how much less likely the translation is without the word; or `attention`: how
            much of the attention it had. Occlusion by default.

    Raises:
        MethodError: The method is none of these.
    """
    method = method or METHODS[0]
    if method not in METHODS:
        raise MethodError(f"A translation is explained by {', '.join(METHODS)}. Received: {method!r}.")
    translation, words = str(answer["text"]), words_of(text)
    source, target = (ids_of(each, subwords) for each in (text, translation))
    of_word = places_of_words(text, subwords)

    def score(kept: Any) -> np.ndarray:
        rows = np.asarray(kept) > 0
        return likelihoods(model, [source[row[of_word]] for row in rows], target)

    alignment = aligned(model, subwords, text, translation)
    whole, none = np.ones(len(words), np.float32), np.zeros(len(words), np.float32)
    masks = np.eye(len(words), dtype=bool)
    if method == "occlusion":
        adds = np.asarray(occlusion(score, whole, none, masks), np.float64)
    else:
        adds = alignment.shares.mean(axis=0) if alignment.written else np.zeros(len(words))
    parts = [Part(word, float(each)) for word, each in zip(words, adds, strict=True)]
    return Explanation(
        answer=answer,
        target=translation,
        score=float(score(whole[None])[0]),
        method=method,
        parts=parts,
        checks={"deletion": deletion_gain(score, whole, none, masks, adds)} if words else {},
        draw=lambda figure: _draw(figure, parts, alignment, method),
        more={"alignment": alignment.rows()},
    )


def likelihoods(model: keras.Model, sources: Sequence[np.ndarray], target: np.ndarray) -> np.ndarray:
    """Return the logarithm of the likelihood of one translation of each text, by its tokens, float64.

    Args:
        model: What `net.encoder_decoder` returned.
        sources: Ids of texts without their ends; may be empty.
        target: Ids of the translation without its end.
    """
    length = bucket(max(len(target), *(len(each) for each in sources)) + 1)
    read = np.full((len(sources), length), PADDING, np.int32)
    for row, ids in zip(read, sources, strict=True):
        row[: len(ids) + 1] = [*ids, END]
    so_far = np.full((len(sources), length), PADDING, np.int32)
    so_far[:, : len(target) + 1] = [END, *target]
    logits = model({"source": read, "target": so_far}, training=False)[:, : len(target) + 1]
    logs = ops.log_softmax(ops.cast(logits, "float32"))
    following = np.broadcast_to(np.array([*target, END])[None, :, None], (len(sources), len(target) + 1, 1))
    own = ops.take_along_axis(logs, ops.convert_to_tensor(following.astype(np.int32)), axis=-1)
    return np.asarray(ops.convert_to_numpy(ops.mean(own[..., 0], axis=1)), np.float64)


def _draw(figure: Figure, parts: Sequence[Part], alignment: Alignment, method: str) -> None:
    """Draw the words as bars, and beside them which words of the translation looked at which."""
    shown = parts[:MOST_SHOWN]
    figure.set_size_inches(11, 1.6 + 0.28 * max(len(shown), 6))
    bars, panel = figure.subplots(1, 2)
    label = "adds to the mean log-likelihood of a token" if method == "occlusion" else "share of attention"
    draw_bars(bars, shown, label)
    written = alignment.written[:MOST_SHOWN]
    panel.imshow(alignment.shares[:MOST_SHOWN, :MOST_SHOWN].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(written)), written, rotation=60, ha="right")
    panel.set_yticks(range(len(shown)), [part.name for part in shown])
    panel.set_title("which words each word of the translation looked at", fontsize=9)
