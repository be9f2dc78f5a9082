from __future__ import annotations

import json
import re
import string

import numpy as np
import pytest

from core.answers.spans import Spans
from core.answers.spans.agreement import agreement, error_of, longest_run, normalized, segments
from core.answers.spans.spans import marked_context, question_word
from tests.core.answers.pages import report_of, shown_on_the_page

CONTEXT = "Ann Lee was born in New York in 1901. She died in the city of Paris."


def row(true: list[str], predicted: str, question: str = "Where was she born?", **more) -> dict:
    return {"question": question, "context": CONTEXT, "true": true, "predicted": predicted, **more}


def tokens(text: str) -> list[str]:
    """Words as SQuAD counts them, written here anew: letter by letter."""
    kept = "".join(each for each in text.lower() if each not in string.punctuation)
    return [word for word in re.sub(r"\b(a|an|the)\b", " ", kept).split() if word]


def f1_of(predicted: str, references: list[str]) -> float:
    best = 0.0
    for reference in references or [""]:
        said, true = tokens(predicted), tokens(reference)
        same = sum(min(said.count(word), true.count(word)) for word in set(said))
        if not said or not true:
            best = max(best, float(said == true))
        elif same:
            precision, recall = same / len(said), same / len(true)
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def test_figures_are_those_of_another_implementation():
    random = np.random.default_rng(0)
    words = ["the", "a", "an", "Paris", "New", "York!", "U.S.", "1901", "theatre", "in", "—", "of"]
    for _ in range(300):
        references = [
            " ".join(random.choice(words, random.integers(0, 5))) for _ in range(random.integers(0, 4))
        ]
        predicted = " ".join(random.choice(words, random.integers(0, 5)))
        exact, f1 = agreement(predicted, references)
        assert f1 == pytest.approx(f1_of(predicted, references)), (predicted, references)
        assert exact == any(tokens(predicted) == tokens(each) for each in references or [""])


@pytest.mark.parametrize(
    ("predicted", "references", "exact", "f1"),
    [
        ("the Eiffel Tower!", ["Eiffel tower"], 1.0, 1.0),
        ("New York", ["New York City"], 0.0, 0.8),  # 2 shared of 2 and 3
        ("in New York", ["New York City", "York"], 0.0, 2 / 3),  # the better of 2/3 and 1/2
        ("Rome", ["Paris"], 0.0, 0.0),
        ("York York", ["York"], 0.0, 2 / 3),  # a word counts as often as both have it
        ("", ["Paris"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("Paris", [], 0.0, 0.0),
    ],
)
def test_golden_values(predicted, references, exact, f1):
    assert agreement(predicted, references) == pytest.approx((exact, f1))


@pytest.mark.parametrize(
    ("predicted", "reference", "f1"),
    [
        ("《红楼梦》", "红楼梦", 1.0),
        ("在北京大学", "北京大学", 8 / 9),  # the run of 4, of 5 and 4
        ("北大京学", "北京大学", 2 * 1 / 8),  # of what is shared a run of 1 alone
        ("1984年", "1984 年", 1.0),
    ],
)
def test_chinese_is_judged_by_characters_and_their_longest_run(predicted, reference, f1):
    assert agreement(predicted, [reference], "characters")[1] == pytest.approx(f1)


def test_chinese_by_words_is_one_word():
    assert agreement("在北京大学", ["北京大学"]) == (0.0, 0.0)


def test_an_article_within_a_word_stays():
    assert normalized("The theatre of an Anna") == "theatre of anna"


def test_letters_between_ideographs_are_one_segment():
    assert segments("用Python3写，快！", "characters") == ["用", "python3", "写", "快"]


@pytest.mark.parametrize(
    ("predicted", "true", "error"),
    [
        ("New York", ["New York"], "right"),
        ("in New York", ["New York"], "too long"),
        ("York", ["New York"], "too short"),
        ("York in 1901", ["New York"], "shifted"),
        ("Paris", ["New York"], "elsewhere"),
        ("", ["New York"], "not answered"),
        ("Paris", [], "not answerable"),
    ],
)
def test_every_mistake_has_its_name(predicted, true, error):
    assert error_of(predicted, true) == error


def test_the_longest_run_is_that_of_every_substring():
    random = np.random.default_rng(0)
    for _ in range(50):
        one, other = ("".join(random.choice(list("ab"), 7)) for _ in range(2))
        runs = [len(one[i:j]) for i in range(8) for j in range(i + 1, 8) if one[i:j] in other]
        assert longest_run(one, other) == max(runs, default=0)


def test_statistics_of_all_rows_are_the_means():
    answers = Spans.from_rows([row(["New York"], "New York"), row(["New York"], "York"), row([], "")])
    figures = answers.statistics(np.arange(3))
    assert figures == pytest.approx({"f1": (1 + 2 / 3 + 1) / 3, "exact_match": 2 / 3})
    assert answers.of_loss(answers.losses.mean()) == pytest.approx(figures["f1"])
    assert answers.right.tolist() == [True, False, True]


def test_the_worst_answer_is_the_surest_of_those_that_share_nothing():
    answers = Spans.from_rows(
        [
            row(["New York"], "York", probability=0.99),
            row(["New York"], "Paris", probability=0.4),
            row(["New York"], "Paris", probability=0.8),
            row(["New York"], "New York", probability=1.0),
        ]
    )
    assert answers.mistakes(9).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Who is it?", "who"),
        ("In what year?", "what"),
        ("“How many?”", "how"),
        ("Wo ist es?", "wo"),
        ("?", ""),
    ],
)
def test_a_question_has_a_question_word(question, word):
    assert question_word(question) == word


def test_question_words_are_told_apart_and_rare_ones_together():
    questions = ["Who?"] * 6 + ["Where?"] * 5 + ["Wer?", "Wo?"]
    table = Spans.from_rows([row(["Paris"], "Paris", question) for question in questions]).per_word()
    assert {word: each["questions"] for word, each in table.items()} == {"who": 6, "where": 5, "other": 2}


def test_what_both_answers_hold_is_marked_once():
    item = marked_context(CONTEXT, row(["New York"], "York in 1901", start=24, end=36))
    assert [(item.content[mark.start : mark.end], mark.name) for mark in item.marks] == [
        ("New ", "true"), ("York", "both"), (" in 1901", "answered"),
    ]  # fmt: skip


def test_of_a_long_context_the_part_with_the_answers_is_shown():
    item = marked_context("x" * 5000 + CONTEXT + "y" * 5000, row(["New York"], "Paris"))
    assert len(item.content) < 500
    assert [item.content[mark.start : mark.end] for mark in item.marks] == ["New York", "Paris"]


def test_a_context_without_any_answer_is_shown_from_its_start():
    assert marked_context(CONTEXT, row([], "")).content.startswith("Ann Lee")


def many() -> list[dict]:
    good = [row(["New York"], "New York", probability=0.8) for _ in range(30)]
    bad = [row(["Ann Lee"], "Paris", "Who died?", probability=0.95) for _ in range(10)]
    return [*good, *bad, *(row([], "Paris", "Why?") for _ in range(10))]


def test_a_report_tells_the_questions_and_marks_the_mistakes():
    figures, page = report_of(Spans, many())
    assert figures["details"]["words"]["who"]["f1"] == 0.0
    assert figures["details"]["unanswerable"] == {
        "questions": 10, "left_unanswered": 0, "f1_of_answerable": 0.75,
    }  # fmt: skip
    assert 'id="questions"' in page
    assert '<mark class="tone0">Ann Lee<small>true</small></mark>' in page
    assert '<mark class="tone1">Paris<small>answered</small></mark>' in page


def test_what_to_mend_is_named():
    figures, _ = report_of(Spans, many())
    titles = {finding["title"] for finding in figures["findings"]}
    assert {"Questions with “who” are answered worst", "Some answers are sure and wrong"} <= titles
    assert "Questions are answered that have no answer in their context" in titles


def test_answers_that_are_too_long_are_named():
    figures, _ = report_of(Spans, [row(["New York"], "in New York")] * 10)
    assert [each["title"] for each in figures["findings"]] == ["Answers are found, and too long"]


def test_a_report_of_answers_that_are_all_right_is_written():
    figures, page = report_of(Spans, [row(["New York"], "New York")] * 3)
    assert figures["findings"] == []
    assert 'id="questions"' in page


def test_the_page_marks_the_answer_in_its_context(tmp_path):
    answer = {"answer": "Paris", "start": 5, "end": 10, "probability": 0.5, "context": "😀 in Paris, yes"}
    headline, sure, context = json.loads(shown_on_the_page(Spans, answer, tmp_path))
    assert headline[2] == ["Paris"]
    assert "50.0%" in sure[2][0]
    assert [context[2][0], context[2][1][2], context[2][2]] == ["😀 in ", ["Paris"], ", yes"]


def test_the_page_says_that_there_is_no_answer(tmp_path):
    parts = shown_on_the_page(Spans, {"answer": "", "context": "Nothing."}, tmp_path)
    assert "There is no answer in the context." in parts
