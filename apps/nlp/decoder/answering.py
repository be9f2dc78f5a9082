"""From prompts, and what is asked of the answers, to texts that are written on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from apps.nlp.decoder.drawing import Drawing, cut_at
from apps.nlp.decoder.plain import whole_answer
from apps.nlp.subwords.subwords import Subwords
from core.task.contract import Options

if TYPE_CHECKING:
    import keras

    from apps.nlp.decoder.writing import Writer

TOGETHER = 64  # texts that are written on at once
WRITER = "_writer"  # name of the attribute of a model
StopWord = Annotated[str, Field(max_length=100)]
AT_A_CALL, AT_A_STATE = 32, 4  # tokens between two looks at a text, and at one that is streamed


class Drawn(Options):
    """How a text is written."""

    length: int = Field(200, ge=1, le=4096, description="tokens to write, at most")
    temperature: float = Field(0.8, ge=0, le=5, description="0 takes the likeliest token, more is bolder")
    top_k: int = Field(0, ge=0, description="draw of so many of the likeliest tokens alone; 0: of all")
    top_p: float = Field(1.0, gt=0, le=1, description="draw of the likeliest that have this share together")
    min_p: float = Field(
        0.0, ge=0, le=1, description="draw of those with this share of the likeliest's chance"
    )
    repetition_penalty: float = Field(1.0, gt=0, le=10, description="above 1: less of what stands there")
    stop: StopWord | Annotated[list[StopWord], Field(max_length=16)] = Field(
        "", description="a text, or several, before which to stop"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the draws")

    @property
    def drawing(self) -> Drawing:
        """How a token is drawn."""
        return Drawing(self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty)


class Prompted(Drawn):
    """How a text is written on after a prompt."""

    long_prompts: Literal["cut", "refuse"] = Field(
        "cut", description="prompts longer than the window: read their end, or refuse them"
    )


def writer_of(model: keras.Model, length: int | None = None, forbidden: Sequence[int] = ()) -> Writer:
    """Return what writes by a language model, whose loops are compiled at its first answers.

    It is kept with the model as it was first made, and goes when the model goes.

    Args:
        model: What `language_model` returned.
        length: Tokens of its window, where it takes any number.
        forbidden: Ids that are never written.
    """
    from apps.nlp.decoder.language_model import LanguageModelSteps
    from apps.nlp.decoder.writing import Writer

    if WRITER not in vars(model):
        object.__setattr__(
            model, WRITER, Writer(LanguageModelSteps(model, length), forbidden)
        )  # Keras would track it
    writer: Writer = vars(model)[WRITER]
    return writer


def answers_as_they_grow(
    model: keras.Model,
    subwords: Subwords,
    texts: Sequence[str],
    prompts: Sequence[Sequence[int]],
    asked: Drawn,
    *,
    seeds: Sequence[int],
    at_a_call: int = AT_A_CALL,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the answers to a few prompts as they grow; the last are whole.

    Args:
        model: A language model.
        subwords: What cut the prompts.
        texts: The prompts as texts, with which the answers begin.
        prompts: Ids of the prompts, at most `TOGETHER`.
        asked: How the texts are written.
        seeds: Of the draws, one a prompt.
        at_a_call: Tokens between two states.
    """
    from apps.nlp.decoder.prompts import continued

    ids: list[list[int]] = [[] for _ in prompts]
    for ids in continued(
        writer_of(model),
        prompts,
        asked.drawing,
        seeds,
        count=asked.length,
        size=subwords.size,
        at_a_call=at_a_call,
    ):
        states = [cut_at(subwords.begun_text(each), asked.stop) for each in ids]
        yield [
            {"text": text + written, "written": written, "tokens": len(own), "finished": False}
            for text, (written, _), own in zip(texts, states, ids, strict=True)
        ]
        if all(stopped for _, stopped in states):
            break
    yield [
        whole_answer(text, subwords, own, asked.stop, asked.length)
        for text, own in zip(texts, ids, strict=True)
    ]
