from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.language.ngrams import NGrams

SIZE = 5
TEXT = np.random.default_rng(0).choice(SIZE, 4000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
TEXT[::3] = TEXT[1::3][0]
TEXT[2:] = np.where(np.arange(3998) % 4, TEXT[2:], (TEXT[:-2] + TEXT[1:-1]) % SIZE)


def by_hand(text: list[int], history: tuple[int, ...], token: int, order: int) -> float:
    """Return the chance of a token after others, by dictionaries and the formulas of the paper."""

    def counts_of(length: int) -> Counter[tuple[int, ...]]:
        grams = [tuple(text[place : place + length]) for place in range(len(text) - length + 1)]
        if length == order:
            return Counter(grams)
        longer = {tuple(text[place : place + length + 1]) for place in range(len(text) - length)}
        counts = Counter(gram[1:] for gram in longer)
        counts[grams[0]] += counts[grams[0]] == 0
        return counts

    def chance(history: tuple[int, ...]) -> float:
        counts = counts_of(len(history) + 1)
        number = Counter(counts.values())
        share = number[1] / (number[1] + 2 * number[2]) if number[1] else 0
        raw = [
            count - (count + 1) * share * number[count + 1] / number[count] if number[count] else -1
            for count in (1, 2, 3)
        ]
        discounts = [
            value if 0 < value < count else few
            for count, (value, few) in enumerate(zip(raw, (0.5, 0.75, 0.75), strict=True), start=1)
        ]
        shorter = chance(history[1:]) if history else 1 / SIZE
        of_context = {gram: count for gram, count in counts.items() if gram[:-1] == history}
        total = sum(of_context.values())
        if not total:
            return shorter
        left = sum(discounts[min(count, 3) - 1] for count in of_context.values()) / total
        count = of_context.get((*history, token), 0)
        taken = count - discounts[min(count, 3) - 1] if count else 0
        return taken / total + left * shorter

    return chance(history)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_chances_are_those_of_the_formulas(order):
    model, text = NGrams(TEXT, SIZE, order), TEXT.tolist()
    for place in (10, 500, 3000):
        history = tuple(text[place : place + order - 1])
        expected = [by_hand(text, history, token, order) for token in range(SIZE)]
        np.testing.assert_allclose(model.chances(np.array(history, np.int64)), expected, rtol=1e-9)


def test_the_chances_sum_to_one_after_any_history():
    model = NGrams(TEXT[:300], SIZE + 2, 4)
    for history in ([], [6], [0, 6, 1], [0, 1, 2, 3, 4, 0, 1], TEXT[:9]):
        chances = model.chances(np.array(history, np.int64))
        assert chances.sum() == pytest.approx(1)
        assert chances.min() > 0


def test_a_text_costs_what_the_chances_of_its_tokens_say():
    model, text = NGrams(TEXT, SIZE, 4), np.array([0, 1, 4, 4, 4, 3, 2, 0, 0, 1])
    expected = [-np.log(model.chances(text[:place])[token]) for place, token in enumerate(text)]
    np.testing.assert_allclose(model.nats(text), expected)


def test_longer_ngrams_know_a_text_with_an_order_better():
    costs = [NGrams(TEXT[:3000], SIZE, order).nats(TEXT[3000:]).mean() for order in (1, 2, 3)]
    assert costs == sorted(costs, reverse=True)
    assert costs[2] < costs[0] - 0.05


def test_ids_beyond_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match="size=4"):
        NGrams(TEXT, 4)
