"""What may be asked of an answer in a dialogue, and the dialogue as a model reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from apps.nlp.conversation.turns import ROLES, Prompt, Turn, ids_of, prompt_of
from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.decoder.answering import Drawn
from apps.nlp.subwords.learnt import SubwordVocabulary
from apps.nlp.subwords.subwords import Subwords
from core.errors import UserError
from core.inputs import Turns


class Asked(Drawn):
    """How an answer is written."""

    length: int = Field(128, ge=1, le=4096, description="tokens of the answer, at most")
    long_histories: Literal["cut", "refuse"] = Field(
        "cut", description="histories longer than the window: leave out their middle, or refuse them"
    )


def read_dialogue(value: Any, subwords: Subwords, context: int, *, refuse: bool = False) -> Prompt:
    """Return what is read of a dialogue before its answer.

    Args:
        value: Turns, or a text of the user.
        subwords: What cuts them.
        context: Tokens of the window.
        refuse: Whether a history that must be cut is refused.

    Raises:
        UserError: It is no dialogue, its last turn is blank, or it must be cut.
    """
    said: Sequence[Mapping[str, str]] = Turns().typed(value) if isinstance(value, str) else value
    turns = [Turn(turn["role"], cleaned(turn["text"]).strip()) for turn in said]
    if not turns[-1].text:
        raise UserError(f"The turn to be answered is blank. Received: {said[-1]['text'][:40]!r}.")
    prompt = prompt_of([ids_of(turn, subwords) for turn in turns if turn.text], subwords, context)
    if refuse and prompt.notes:
        raise UserError(
            f"The dialogue is longer than the model's window of {context} tokens: shorten it, or have its "
            f"middle left out with long_histories=cut. Received: {len(turns)} turns, "
            f"{sum(len(turn.text) for turn in turns)} characters."
        )
    return prompt


def with_roles(vocabulary: SubwordVocabulary) -> SubwordVocabulary:
    """Return a vocabulary that has the roles among its special ids, which the pieces stand after.

    Example:

    >>> with_roles(SubwordVocabulary(kind="bytes")).special
    ['system', 'user', 'assistant']
    """
    if set(ROLES) <= set(vocabulary.special):
        return vocabulary
    special = [*vocabulary.special, *(role for role in ROLES if role not in vocabulary.special)]
    return SubwordVocabulary(**{**vocabulary.model_dump(), "special": special})
