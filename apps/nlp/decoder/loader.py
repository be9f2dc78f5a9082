"""Texts that are written on by an export, without Keras: a whole pass for each token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.decoder.drawing import Drawing, cut_at
from apps.nlp.decoder.plain import prompt_of, whole_answer, written_on
from apps.nlp.subwords.subwords import PADDING, Subwords
from core.exporting.runtime import Graph, main


class Predictor:
    """Writes texts on.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/mine/exports/onnx").predict(["In the beginning"], length=20)  # doctest: +SKIP
    [{'text': 'In the beginning of the world: and', 'written': ' of the world: and', ...}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)
        self.context = self.settings["context"]
        self.subwords = Subwords(**self.settings["vocabulary"])

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the logits after each token, float32, `(num_tokens, size)`.

        Args:
            inputs: Texts, of which as much as the window takes is read, or lists of ids.
        """
        rows = [
            self.subwords.ids(cleaned(value))[: self.context] if isinstance(value, str) else value
            for value in inputs
        ]
        ids = np.full((len(rows), self.context), PADDING, np.int32)
        for read, own in zip(ids, rows, strict=True):
            read[: len(own)] = own
        logits = self.graph({"ids": ids})
        return [own[: len(row)] for own, row in zip(logits, rows, strict=True)]

    def predict(self, inputs: Sequence[Any], **asked: Any) -> list[dict[str, Any]]:
        """Return each text written on.

        Args:
            inputs: Texts.
            **asked: `length`, `temperature`, `top_k`, `top_p`, `min_p`, `repetition_penalty`, `stop` and
                `seed`; by default those of the task.
        """
        asked = {**self.settings["asked"], **asked}
        names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
        drawing = Drawing(*(asked[name] for name in names))
        answers = []
        for text in (cleaned(str(value)) for value in inputs):
            prompt = prompt_of(text, self.subwords, context=self.context, several=self.settings["several"])
            ids = written_on(
                lambda ids: np.array(self.graph({"ids": ids})),
                prompt,
                drawing,
                asked["seed"],
                context=self.context,
                count=asked["length"],
                stops=lambda ids: cut_at(self.subwords.text(ids), asked["stop"])[1],
            )
            answers.append(whole_answer(text, self.subwords, ids, asked["stop"], asked["length"]))
        return answers


if __name__ == "__main__":
    main(Predictor)
