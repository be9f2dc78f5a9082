from __future__ import annotations

import math

import numpy as np
import pytest

from core.answers.texts import Continuations

ROWS = [
    {"source": "a", "true": ["b c"], "predicted": "b d", "nats": 6.0, "tokens": 4, "bytes": 4},
    {"source": "x", "true": ["é"], "predicted": "w w w w w w", "nats": 9.0, "tokens": 2, "bytes": 6},
]


@pytest.fixture
def answers() -> Continuations:
    return Continuations.from_rows(ROWS)


def test_costs_are_summed_before_they_are_divided(answers):
    figures = answers.statistics(np.arange(2))
    assert figures["bits_per_byte"] == pytest.approx(15 / math.log(2) / 10)
    assert figures["nats"] == pytest.approx(15 / 6)
    assert figures["perplexity"] == pytest.approx(math.exp(15 / 6))
    # Of the three runs of four words of the second text, two stand there again.
    assert figures["repetition"] == pytest.approx(2 / 3)


def test_a_text_counts_as_often_as_it_is_drawn(answers):
    assert answers.statistics(np.array([0, 0, 1]))["nats"] == pytest.approx((6 + 6 + 9) / 10)


def test_the_worst_text_costs_most_bits_a_byte(answers):
    np.testing.assert_allclose(answers.losses, np.array([1.5, 1.5]) / math.log(2))
    dearer = Continuations.from_rows([ROWS[0], {**ROWS[1], "nats": 12.0}])
    assert dearer.mistakes(1).tolist() == [1]
    assert Continuations.of_loss(2.0) == 2.0


def test_a_report_counts_texts_between_nothing_and_the_largest_cost(answers):
    details = answers.details()
    assert sum(details["losses"]) == 2
    assert details["largest_loss"] == pytest.approx(1.5 / math.log(2))
    assert Continuations.pictures({"details": details})["text_losses"] is not None


def test_a_text_is_said_with_its_cost_and_its_faults():
    assert Continuations.said(ROWS[1]) == "2.164 bits a byte, repetition 0.667, repeats itself"


def test_a_report_shows_the_beginning_and_both_ends(answers):
    items = Continuations.shown(ROWS[0], {})
    assert [item.name for item in items] == ["source", "true", "predicted", "answer"]


def test_a_row_without_costs_is_refused():
    with pytest.raises(KeyError, match="nats"):
        Continuations.from_rows([{"true": ["a"], "predicted": "b"}])
