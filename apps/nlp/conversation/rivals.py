"""Rivals that answer with what was answered before, or that know which tokens follow others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.nlp.conversation.batches import Rows
from apps.nlp.conversation.judging import Pair, candidates_of, rank_of
from apps.nlp.conversation.turns import Answer
from apps.nlp.subwords.subwords import UNKNOWN, Subwords

NEAREST = 10  # questions whose answers the candidates are compared with
AT_ONCE = 512  # questions that are compared at a time


def nearest_answers(
    known: Sequence[Answer], asked: Sequence[Answer]
) -> tuple[list[str], dict[int, tuple[int, int]]]:
    """Return the answer of the nearest known question by TF-IDF, and how that ranks candidates.

    A candidate is the better, the more it is like an answer to a question that is like the one asked: the
    largest product of both cosines counts, over the nearest questions.

    Args:
        known: Answers of the training part.
        asked: Those of the test part.

    Returns:
        A text for each that is asked; by place, the rank of the true answer, and of how many.
    """
    from scipy.sparse import hstack

    from apps.nlp.translator.memory import text_kinds

    of_questions, of_answers = text_kinds(), text_kinds()
    questions = hstack([kind.fit_transform([_question(each) for each in known]) for kind in of_questions])
    answers = hstack([kind.fit_transform([each.text for each in known]) for kind in of_answers]).tocsr()
    memory, said, ranks = questions.tocsr().T, [], {}
    chosen = candidates_of(asked)
    for start in range(0, len(asked), AT_ONCE):
        block = [_question(each) for each in asked[start : start + AT_ONCE]]
        likeness = (hstack([kind.transform(block) for kind in of_questions]).tocsr() @ memory).toarray()
        for place, row in enumerate(likeness, start):
            nearest = np.argsort(-row, kind="stable")[:NEAREST]
            said.append(known[nearest[0]].text)
            if place in chosen:
                texts = hstack([kind.transform(chosen[place]) for kind in of_answers]).tocsr()
                scores = (texts @ answers[nearest].T).toarray() * row[nearest]
                ranks[place] = rank_of(scores.max(axis=1)), len(chosen[place])
    return said, ranks


def _question(answer: Answer) -> str:
    return answer.history[-1].text


def ngram_nats(rows: Rows, pairs: Sequence[Pair], subwords: Subwords, order: int, most: int) -> np.ndarray:
    """Return what each answer costs n-grams with Kneser-Ney smoothing, in nats, float64.

    Args:
        rows: Of the training part, questions and answers, which are all counted.
        pairs: Answers after prompts.
        subwords: What cut them.
        order: Tokens of the longest n-grams.
        most: Tokens that are counted.
    """
    from core.language.ngrams import NGrams

    # A row's last token, the end of an answer, is a target alone.
    known = np.concatenate(
        [np.append(rows.ids[place], rows.targets[place][-1]) for place in range(len(rows))]
    )
    model = NGrams(known[:most], subwords.size, order)
    texts = [np.array([*pair.prompt[-order:], *pair.answer]) for pair in pairs]
    costs = model.nats(np.concatenate(texts))
    costs = costs + np.where(np.concatenate(texts) == UNKNOWN, subwords.nats_of_unknown, 0.0)
    ends = np.cumsum([len(text) for text in texts])
    return np.array(
        [costs[end - len(pair.answer) : end].sum() for end, pair in zip(ends, pairs, strict=True)]
    )
