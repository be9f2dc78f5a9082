from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from apps.nlp.decoder.drawing import Drawing, cut_at, draws, next_tokens

CHANCES = np.array([0.05, 0.5, 0.15, 0.3], np.float32)
LOGITS = np.log(CHANCES)[None]


def drawn(drawing: Drawing, count: int = 4000, **options) -> np.ndarray:
    """Return the share of draws that each token has."""
    at = (np.arange(count, dtype=np.float32) + 0.5) / count
    logits = np.repeat(LOGITS, count, axis=0)
    tokens = next_tokens(np, logits, at, drawing.numbers, **options)
    return np.bincount(tokens, minlength=4) / count


def test_tokens_are_drawn_as_often_as_they_are_likely():
    np.testing.assert_allclose(drawn(Drawing()), CHANCES, atol=1e-3)


def test_a_temperature_of_a_half_squares_the_chances():
    np.testing.assert_allclose(drawn(Drawing(0.5)), CHANCES**2 / (CHANCES**2).sum(), atol=1e-3)


def test_no_temperature_takes_the_likeliest():
    assert drawn(Drawing(0.0)).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("drawing", "allowed"),
    [
        (Drawing(top_k=2), [1, 3]),
        (Drawing(top_k=1), [1]),
        (Drawing(top_k=9), [0, 1, 2, 3]),
        (Drawing(top_p=0.49), [1]),
        (Drawing(top_p=0.79), [1, 3]),
        (Drawing(top_p=0.81), [1, 2, 3]),
        (Drawing(min_p=0.2), [1, 2, 3]),
        (Drawing(top_k=3, top_p=0.8, min_p=0.1), [1, 3]),
    ],
)
def test_what_is_not_among_the_likeliest_is_never_drawn(drawing, allowed):
    expected = np.where(np.isin(np.arange(4), allowed), CHANCES, 0)
    np.testing.assert_allclose(drawn(drawing), expected / expected.sum(), atol=1e-3)


def test_what_stands_there_already_is_drawn_less():
    seen = np.array([[False, True, False, False]])
    expected = np.exp(np.where(seen[0], 2 * LOGITS[0], LOGITS[0]))  # its logit is negative
    found = drawn(Drawing(repetition_penalty=2.0), seen=seen)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-3)


@pytest.mark.parametrize(
    "drawing", [Drawing(), Drawing(0.0), Drawing(0.7, 9, 0.9, 0.01, 1.3), Drawing(1.5, top_p=0.5)]
)
def test_keras_chooses_what_numpy_chooses(drawing):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (64, 30)).astype(np.float32)
    at, seen = random.random(64).astype(np.float32), random.random((64, 30)) < 0.3
    expected = next_tokens(np, logits, at, drawing.numbers, seen)
    found = next_tokens(ops, *map(ops.convert_to_tensor, (logits, at, drawing.numbers, seen)))
    assert ops.convert_to_numpy(found).tolist() == expected.tolist()


def test_the_highest_draw_takes_a_token_that_may_be_drawn():
    (token,) = next_tokens(np, LOGITS, np.array([np.float32(1)]), Drawing(top_k=1).numbers)
    assert token == 1


def test_draws_differ_by_seed_and_by_place():
    assert len({*draws(0, 0, 50).tolist(), *draws(1, 0, 50).tolist()}) == 100


def test_the_first_stop_word_ends_a_text():
    assert cut_at("a.b;c", [";", "."]) == ("a", True)
    assert cut_at("abc", ["x", ""]) == ("abc", False)
