from __future__ import annotations

import math

import numpy as np
import pytest

from core.answers.fillings import Fillings


def mask(start: int, true: str, predicted: str, nats: float) -> dict:
    end = start + len(true)
    right = true == predicted
    return {"start": start, "end": end, "true": true, "predicted": predicted, "right": right, "nats": nats}


ROWS = [
    {"text": "a b c", "masks": [mask(0, "a", "a", 1.0)]},
    {"text": "d e f", "masks": [mask(0, "d", "a", 2.0), mask(2, "e", "f", 6.0), mask(4, "f", "f", 1.0)]},
]


def test_figures_are_of_masks_and_not_of_texts():
    figures = Fillings.from_rows(ROWS).statistics(np.arange(2))
    assert figures == pytest.approx({"masked_loss": 2.5, "perplexity": math.exp(2.5), "masked_accuracy": 0.5})


def test_the_worst_text_comes_first_and_a_right_one_is_no_mistake():
    assert Fillings.from_rows([*ROWS, ROWS[1] | {"masks": [mask(0, "d", "a", 9.0)]}]).mistakes(
        5
    ).tolist() == [
        2,
        1,
    ]


def test_a_report_marks_what_was_masked_and_names_what_was_filled_in():
    text, said = Fillings.shown(ROWS[1], {})
    assert [(each.start, each.end, each.name) for each in text.marks] == [
        (0, 1, "a"),
        (2, 3, "f"),
        (4, 5, ""),
    ]
    assert said.content == "1 of 3 filled rightly, 3.000 nats a mask"


def test_tables_count_what_is_taken_for_another():
    details = Fillings.from_rows(ROWS).details()
    assert details["masks"] == 4
    assert {"true": "d", "predicted": "a", "masks": 1} in details["mistaken"]
    assert {"word": "e", "masks": 1, "accuracy": 0.0} in details["words"]
