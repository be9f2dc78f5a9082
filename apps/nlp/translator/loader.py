"""Translations by an export, without Keras: one graph reads a text, another writes token by token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.decoder.plain_beams import Cache, PlainBeamSearch
from apps.nlp.subwords.subwords import END, Subwords
from apps.nlp.translator.translating import Asked, Translator, filled
from core.exporting.runtime import Graph, main


class Predictor:
    """Translates texts.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/mine/exports/onnx").predict(["Open the file."], beams=1)  # doctest: +SKIP
    [{'text': '打开文件。'}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.encoder, self.decoder_step = Graph(folder), Graph(folder, "decoder_step")
        self.translator = Translator(
            PlainBeamSearch(self._begin, self._step),
            Subwords(**self.settings["vocabulary"]),
            self.settings["max_length"],
            self.settings["scripts"],
        )

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the logits after each of given tokens, float32, `(num_tokens + 1, vocabulary_size)`.

        Args:
            inputs: Pairs of the ids of a text with its end, and of what is given of its translation; or
                texts, of which the tokens that are given are their own.
        """
        pairs = [self.translator.given(each) for each in inputs]
        memory, cache = self._begin(filled([source for source, _ in pairs]), 1)
        targets = filled([np.append(END, target) for _, target in pairs])
        stepped = []
        for place in range(targets.shape[1]):
            logits, cache = self._step(targets[:, place : place + 1], memory, cache, place)
            stepped.append(logits)
        logits = np.stack(stepped, axis=1)
        return [own[: len(target) + 1] for own, (_, target) in zip(logits, pairs, strict=False)]

    def predict(self, inputs: Sequence[Any], **asked: Any) -> list[dict[str, Any]]:
        """Return the translation of each text.

        Args:
            inputs: Texts.
            **asked: `beams`, `length_penalty` and `alternatives`; by default those of the task.
        """
        return self.translator.answers([cleaned(str(text)) for text in inputs], Asked(**asked))

    def _begin(self, given: np.ndarray, beams: int) -> tuple[Any, Cache]:
        memory = {"source_of_text": given, **self.encoder.named({"source": given})}
        keys = memory["memory_keys"]
        empty = np.zeros((len(given) * beams, keys.shape[1], 0, *keys.shape[3:]), np.float32)
        return {name: np.repeat(each, beams, axis=0) for name, each in memory.items()}, (empty, empty)

    def _step(self, tokens: np.ndarray, memory: Any, cache: Cache, place: int) -> tuple[np.ndarray, Cache]:
        # Room for one more token, which the graph fills.
        keys, values = (np.pad(each, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0))) for each in cache)
        places = np.full(len(tokens), place, np.int32)
        asked = {**memory, "token": tokens, "place": places, "keys": keys, "values": values}
        stepped = self.decoder_step.named(asked)
        return stepped["logits"], (stepped["next_keys"], stepped["next_values"])


if __name__ == "__main__":
    main(Predictor)
