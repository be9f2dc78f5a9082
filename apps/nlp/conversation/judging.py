"""What answers cost a language model, and where it ranks them among those to other questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from apps.nlp.conversation.batches import STEP
from apps.nlp.conversation.turns import Answer, Turn, ids_of, prompt_of
from apps.nlp.decoder.judging import nats_model
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN, Subwords

AT_ONCE = 64  # answers
CANDIDATES = 100
MOST_JUDGED, MOST_RANKED = 1000, 200  # answers of a part, evenly over it
JUDGE = "_judge"  # name of the attribute of a model


@dataclass(frozen=True)
class Pair:
    """An answer after a prompt, as ids.

    Args:
        prompt: Ids before it.
        answer: Its ids with the end, those that the window leaves room for.
        whole: Whether these are all of them.
        num_bytes: How many bytes of UTF-8 they stand for.
    """

    prompt: list[int]
    answer: list[int]
    whole: bool
    num_bytes: int


def pair_of(prompt: list[int], text: str, subwords: Subwords, context: int) -> Pair:
    """Return an answer after a prompt, without what the window leaves no room for."""
    own = subwords.ids(text)
    room = context + 1 - len(prompt)
    kept = [*own.tolist(), END][:room]
    num_bytes = int(subwords.num_bytes(own, text)[:room].sum())
    return Pair(prompt, kept, len(kept) == len(own) + 1, num_bytes)


def prompts_of(histories: Sequence[Sequence[Turn]], subwords: Subwords, context: int) -> list[list[int]]:
    """Return the ids before each answer."""
    return [
        prompt_of([ids_of(turn, subwords) for turn in history], subwords, context).ids
        for history in histories
    ]


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most so many of the first numbers, evenly, int64."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def nats_of(model: keras.Model, pairs: Sequence[Pair], subwords: Subwords) -> np.ndarray:
    """Return what each answer costs after its prompt, in nats, float64, shape `(num_pairs,)`.

    Args:
        model: A language model that takes any number of tokens.
        pairs: Answers after prompts.
        subwords: What cut them.
    """
    judge = _judge_of(model)
    lengths = np.array([len(pair.prompt) + len(pair.answer) - 1 for pair in pairs])
    order, nats = np.argsort(lengths, kind="stable"), np.zeros(len(pairs))
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        width = -(-int(lengths[places].max()) // STEP) * STEP
        # The last batch is filled up, so that none is compiled anew.
        ids, targets = (np.full((AT_ONCE, width), PADDING, np.int32) for _ in range(2))
        for row, place in enumerate(places):
            pair = pairs[place]
            whole = [*pair.prompt, *pair.answer]
            ids[row, : len(whole) - 1] = whole[:-1]
            targets[row, len(pair.prompt) - 1 : len(whole) - 1] = pair.answer
        costs = ops.convert_to_numpy(judge.predict_on_batch({"ids": ids, "targets": targets}))
        costs = costs.astype(np.float64) + np.where(targets == UNKNOWN, subwords.nats_of_unknown, 0.0)
        nats[places] = np.where(targets != PADDING, costs, 0.0).sum(axis=1)[: len(places)]
    return nats


def _judge_of(model: keras.Model) -> keras.Model:
    if JUDGE not in vars(model):
        object.__setattr__(model, JUDGE, nats_model(model))  # Keras would track it
    judge: keras.Model = vars(model)[JUDGE]
    return judge


def candidates_of(answers: Sequence[Answer]) -> dict[int, list[str]]:
    """Return, by the place of each answer that is ranked, its text and those of others, which differ.

    Args:
        answers: Of a part.
    """
    texts = list(dict.fromkeys(answer.text for answer in answers))
    chosen = {}
    for place in evenly(len(answers), MOST_RANKED).tolist():
        order = np.random.default_rng([0, place]).permutation(len(texts))[:CANDIDATES]
        others = [texts[each] for each in order if texts[each] != answers[place].text]
        chosen[place] = [answers[place].text, *others[: CANDIDATES - 1]]
    return chosen


def rank_of(scores: np.ndarray) -> int:
    """Return the place of the first by score, from 1; those that are as good stand before it.

    Example:

    >>> rank_of(np.array([0.5, 0.7, 0.5, 0.1]))
    3
    """
    return 1 + int((scores[1:] >= scores[0]).sum())


def ranks_of(
    model: keras.Model, answers: Sequence[Answer], subwords: Subwords, context: int
) -> dict[int, tuple[int, int]]:
    """Return, by the place of each answer that is ranked, its rank by likelihood a token, and of how many."""
    chosen = candidates_of(answers)
    prompts = prompts_of([answers[place].history for place in chosen], subwords, context)
    pairs = [
        pair_of(prompt, text, subwords, context)
        for prompt, texts in zip(prompts, chosen.values(), strict=True)
        for text in texts
    ]
    scores = -nats_of(model, pairs, subwords) / np.array([len(pair.answer) for pair in pairs])
    ends = np.cumsum([len(texts) for texts in chosen.values()])
    return {
        place: (rank_of(own), len(own))
        for place, own in zip(chosen, np.split(scores, ends[:-1]), strict=True)
    }


def rows_of(
    answers: Sequence[Answer],
    pairs: Sequence[Pair],
    nats: np.ndarray,
    written: Sequence[str] | None,
    ranks: dict[int, tuple[int, int]],
) -> list[dict[str, Any]]:
    """Return rows as `Replies` reads them.

    Args:
        answers: That are judged.
        pairs: The same as ids.
        nats: What each costs.
        written: What was answered instead; nothing where nothing was.
        ranks: By place: the rank, and of how many.
    """
    rows = []
    for place, (answer, pair, cost) in enumerate(zip(answers, pairs, nats.tolist(), strict=True)):
        rank, count = ranks.get(place, (None, 0))
        rows.append(
            {
                "source": "\n".join(f"{turn.role}: {turn.text}" for turn in answer.history),
                "true": [answer.text],
                "predicted": written[place] if written is not None else "",
                "nats": cost,
                "tokens": len(pair.answer),
                "bytes": pair.num_bytes,
                "rank": rank,
                "candidates": count,
            }
        )
    return rows
