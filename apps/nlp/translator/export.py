"""What leaves with a translator: a graph that reads, one that writes token by token, and what cuts texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from keras import ops

from apps.nlp.decoder.weighed import never_written, penalty
from apps.nlp.subwords.subwords import END
from apps.nlp.translator.net import TranslatorSteps
from apps.nlp.translator.translating import Asked, Found, Translator, filled
from core.answers.rows import Figures
from core.data.examples import Examples
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras

AT_ONCE = 64  # candidates that are scored at a time


def portable_translator(
    model: keras.Model,
    translator: Translator,
    figures: Callable[[Examples, Sequence[str]], Figures],
) -> Portable:
    """Return what leaves with a translator.

    The figures of an export are those of the texts that the run has weighed, of which the export chooses the
    likeliest: a search by the export itself would end in another text at a near tie, which is no fault.

    Args:
        model: What `net.encoder_decoder` returned.
        translator: Translates by it.
        figures: From examples and their translations to the figures.
    """
    steps = TranslatorSteps(model)
    depth, heads = len(steps.writers), steps.writers[0].attention
    room = [depth, None, heads.num_key_value_heads, heads.head_dim]
    kinds = ("tokenizers",) if translator.subwords.kind in ("bpe", "unigram") else ()
    variables = tuple(variable.value for variable in model.variables)

    def read(source: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        (memory, _), _ = steps.begin(source, 1, 1)
        return tuple(ops.stack(each, axis=1) for each in zip(*memory, strict=True))

    def write(
        source: tf.Tensor,
        memory_keys: Any,
        memory_values: Any,
        token: Any,
        place: Any,
        keys: Any,
        values: Any,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        memory = [(memory_keys[:, number], memory_values[:, number]) for number in range(depth)]
        cache = [(keys[:, number], values[:, number]) for number in range(depth)]
        logits, longer = steps.step(token, (memory, ops.not_equal(source, 0)), cache, place)
        return logits, *(ops.stack(each, axis=1) for each in zip(*longer, strict=True))

    def spec(name: str, *shape: int | None, dtype: tf.DType = tf.float32) -> tf.TensorSpec:
        return tf.TensorSpec([None, *shape], dtype, name=name)

    decoder_step = TensorGraph(
        write,
        (
            spec("source_of_text", None, dtype=tf.int32),
            spec("memory_keys", *room),
            spec("memory_values", *room),
            spec("token", 1, dtype=tf.int32),
            spec("place", dtype=tf.int32),
            spec("keys", *room),
            spec("values", *room),
        ),
        ("logits", "next_keys", "next_values"),
        variables,
    )
    score = _scored(model, translator)
    return Portable(
        graph=TensorGraph(
            read,
            (spec("source", None, dtype=tf.int32),),
            ("memory_keys", "memory_values"),
            variables,
            requires=kinds,
        ),
        graphs={"decoder_step": decoder_step},
        loader="apps.nlp.translator.loader",
        settings={
            "vocabulary": translator.subwords.settings(),
            "max_length": translator.max_length,
            "scripts": sorted(translator.scripts),
        },
        raw=lambda examples: [str(text) for text in examples["source"]],
        score=score,
        figures=_Chosen(translator, figures),
    )


def _scored(model: keras.Model, translator: Translator) -> Score:
    """Return a function to the logits of given tokens, as the loader's `outputs` gives them."""

    def score(inputs: Sequence[Any]) -> list[np.ndarray]:
        pairs = [translator.given(each) for each in inputs]
        sources = filled([source for source, _ in pairs])
        targets = filled([np.append(END, target) for _, target in pairs])
        logits = ops.convert_to_numpy(model({"source": sources, "target": targets}, training=False))
        return [own[: len(target) + 1] for own, (_, target) in zip(logits, pairs, strict=False)]

    return score


class _Chosen:
    """From a function that scores to the figures of what it finds likeliest among the texts of a search."""

    def __init__(self, translator: Translator, figures: Callable[[Examples, Sequence[str]], Figures]) -> None:
        self.translator = translator
        self.figures = figures
        self._searched: tuple[Examples, list[Found]] | None = None

    def __call__(self, score: Score, examples: Examples) -> Figures:
        """Return the figures of examples."""
        found = self._found(examples)
        pairs = [
            (self.translator.ids(str(text)), ids, ended)
            for text, each in zip(examples["source"], found, strict=True)
            for ids, ended in zip(each.ids, each.ended, strict=True)
        ]
        scores = np.zeros(len(pairs))
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
        for start in range(0, len(order), AT_ONCE):
            places = order[start : start + AT_ONCE]
            logits = score([pairs[place][:2] for place in places])
            for place, own in zip(places, logits, strict=True):
                scores[place] = _score(own, *pairs[place][1:])
        chosen, first = [], 0
        for each in found:
            chosen.append(each.texts[int(np.argmax(scores[first : first + len(each.ids)]))])
            first += len(each.ids)
        return self.figures(examples, chosen)

    def _found(self, examples: Examples) -> list[Found]:
        """Return what is searched of examples, once for the same, since it takes longer than all else."""
        if self._searched is None or self._searched[0] is not examples:
            texts = [str(text) for text in examples["source"]]
            self._searched = examples, self.translator.sentences(texts, Asked())
        return self._searched[1]


def _score(logits: np.ndarray, ids: Sequence[int], ended: bool) -> float:
    """Return the score of a text as a search has it, from the logits after each token."""
    tokens = [*ids, *([END] if ended else [])]
    allowed = logits[: len(tokens)].astype(np.float64) + never_written(logits.shape[-1])
    highest = allowed.max(axis=1, keepdims=True)
    logs = allowed - highest - np.log(np.exp(allowed - highest).sum(axis=1, keepdims=True))
    total = logs[np.arange(len(tokens)), tokens].sum()
    return float(total / penalty(max(len(tokens), 1), Asked().length_penalty))
