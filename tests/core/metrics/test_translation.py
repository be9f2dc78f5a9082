from __future__ import annotations

import math

import numpy as np
import pytest

from core.metrics.translation import bleu_counts, bleu_of, bleu_tokens, chrf_counts, chrf_of

SYSTEM = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
REFERENCES = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
]


def corpus(counts_of, system=SYSTEM, references=REFERENCES) -> np.ndarray:
    return sum(counts_of(*pair) for pair in zip(system, references, strict=True))


def test_the_figures_of_a_corpus_are_those_of_sacrebleu():
    # sacreBLEU 2.6.0, `corpus_bleu` and `corpus_chrf` with its defaults.
    assert bleu_of(corpus(bleu_counts)) == pytest.approx(48.530827009929865)
    assert chrf_of(corpus(chrf_counts)) == pytest.approx(59.72751782684763)


def test_the_figures_of_chinese_are_those_of_sacrebleu():
    # sacreBLEU 2.6.0 with `tokenize="zh"`.
    texts = (
        ["我爱北京天安门，2008年。", "他说：“你好”！"],
        [["我喜欢北京的天安门，2008年。"], ["他说：“您好”！"]],
    )
    assert bleu_of(corpus(bleu_counts, *texts)) == pytest.approx(54.00053314852087)
    assert chrf_of(corpus(chrf_counts, *texts)) == pytest.approx(55.169472324091565)


def test_bleu_by_hand():
    counts = bleu_counts("a b c d e", ["a b c d f g"])
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 fours; 5 words where there should be 6.
    assert counts.tolist() == [5, 6, 4, 3, 2, 1, 5, 4, 3, 2]
    mean = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert bleu_of(counts) == pytest.approx(100 * math.exp(1 - 6 / 5) * mean)


def test_chrf_by_hand():
    counts = chrf_counts("ab c", ["abd"])
    # Of 3 letters 2, of 2 pairs 1, of 1 triple none; longer ones neither has.
    assert counts.reshape(6, 3).tolist() == [[3, 3, 2], [2, 2, 1], [1, 1, 0], *[[0, 0, 0]] * 3]
    assert chrf_of(counts) == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)


def test_recall_weighs_twice_in_chrf():
    # All 2 letters of the text are in the reference of 4: precision 1, recall 1/2, and 1 of 3 pairs.
    recall = (1 / 2 + 1 / 3) / 2
    assert chrf_of(chrf_counts("ab", ["abcd"])) == pytest.approx(100 * 5 * recall / (4 + recall))


def test_the_length_is_that_of_the_closest_reference_the_shorter_of_two():
    assert bleu_counts("a b c", ["a b c d", "a b", "a"])[1] == 2


def test_matches_are_clipped_by_the_reference_that_has_most():
    assert bleu_counts("the the the", ["the cat", "the the mat"])[2] == 2


def test_an_order_without_a_match_counts_as_half_of_one_and_the_next_as_a_quarter():
    counts = bleu_counts("a b x c d", ["a b y c d"])
    assert counts[2:6].tolist() == [4, 2, 0, 0]
    assert bleu_of(counts) == pytest.approx(100 * (4 / 5 * 2 / 4 * 0.5 / 3 * 0.25 / 2) ** (1 / 4))


def test_a_text_too_short_for_four_tokens_is_judged_by_those_it_has():
    counts = bleu_counts("a b", ["a b"])
    assert (bleu_of(counts), bleu_of(counts, effective_order=True)) == (0.0, pytest.approx(100.0))


@pytest.mark.parametrize("counts_of", [bleu_counts, chrf_counts])
def test_an_empty_text_gets_nothing(counts_of):
    figure = bleu_of if counts_of is bleu_counts else chrf_of
    assert figure(counts_of("", ["some words"])) == 0.0


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("1,000.5 (ok)", ["1,000.5", "(", "ok", ")"]),
        ("U.S. 9-10", ["U", ".", "S", ".", "9", "-", "10"]),
        ("well-known", ["well-known"]),
        ("&quot;A &amp; B&quot;", ['"', "A", "&", "B", '"']),
        ("用Python写", ["用", "Python", "写"]),
        ("end.\nNext", ["end", ".", "Next"]),
    ],
)
def test_tokens_are_those_of_the_script_of_nist(text, tokens):
    assert bleu_tokens(text) == tokens
