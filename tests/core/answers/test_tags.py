from __future__ import annotations

import json

import numpy as np
import pytest
import seqeval.metrics.v1
import seqeval.scheme

from core.answers.significance import intervals
from core.answers.tags import LabelledTags, Tags
from core.answers.tags.entities import Entity, errors_between, placed, spans_of
from tests.core.answers.pages import report_of, shown_on_the_page

SCHEMES = {
    "IOB1": ("BI", seqeval.scheme.IOB1),
    "IOB2": ("BI", seqeval.scheme.IOB2),
    "BIOES": ("BIES", seqeval.scheme.IOBES),
}


def rows(scheme: str = "IOB2", count: int = 80) -> list[dict]:
    """Sentences tagged at random, whether the tags make sense or not, and read with mistakes."""
    random = np.random.default_rng(0)
    tags = ["O", "O", *(f"{mark}-{kind}" for mark in SCHEMES[scheme][0] for kind in ("PER", "LOC", "ORG"))]
    made = []
    for place in range(count):
        true = random.choice(tags, random.integers(1, 12)).tolist()
        predicted = [tag if random.random() < 0.8 else str(random.choice(tags)) for tag in true]
        words = [f"w{index}" for index in range(len(true))]
        made.append({"row": place, "words": words, "true": true, "predicted": predicted, "scheme": scheme})
    return made


def row(true: str, predicted: str, **more) -> dict:
    words = [f"w{place}" for place in range(len(true.split()))]
    return {"words": words, "true": true.split(), "predicted": predicted.split(), **more}


def by_seqeval(scheme: str, average: str | None) -> tuple:
    true, predicted = ([each[name] for each in rows(scheme)] for name in ("true", "predicted"))
    judge = seqeval.metrics.v1.precision_recall_fscore_support
    return judge(true, predicted, average=average, scheme=SCHEMES[scheme][1], zero_division=0)


def all_of(answers) -> dict[str, float]:
    return answers.statistics(np.arange(len(answers)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_figures_are_those_of_seqeval_in_strict_mode(scheme):
    figures = all_of(Tags.from_rows(rows(scheme)))
    precision, recall, f1, _ = by_seqeval(scheme, "micro")
    expected = {"precision": precision, "recall": recall, "entity_f1": f1}
    assert {name: figures[name] for name in expected} == pytest.approx(expected)
    assert figures["macro_f1"] == pytest.approx(by_seqeval(scheme, "macro")[2])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_table_of_types_is_that_of_seqeval(scheme):
    table = Tags.from_rows(rows(scheme)).per_type()
    expected = by_seqeval(scheme, None)
    for place, name in enumerate(sorted(table)):
        figures = [table[name][key] for key in ("precision", "recall", "f1", "support")]
        assert figures == pytest.approx([column[place] for column in expected])


def test_figures_of_a_resample_are_those_of_the_same_sentences_written_out():
    drawn = np.random.default_rng(1).integers(0, 80, 80)
    expected = all_of(Tags.from_rows([rows()[place] for place in drawn]))
    assert Tags.from_rows(rows()).statistics(drawn) == pytest.approx(expected)


def test_the_interval_holds_the_figure():
    answers = Tags.from_rows(rows())
    low, high = intervals(answers.statistics, len(answers), resamples=200)["entity_f1"]
    assert low < all_of(answers)["entity_f1"] < high


def test_bmes_is_read():
    figures = all_of(Tags.from_rows([row("B-W M-W E-W S-W", "B-W M-W E-W O", scheme="BMES")]))
    assert (figures["precision"], figures["recall"]) == (1.0, 0.5)


def test_a_sentence_is_right_when_all_its_entities_are_and_no_others():
    sentences = [row("B-PER O", "B-PER O"), row("O O", "O B-PER"), row("O O", "O O"), row("B-PER O", "O O")]
    answers = Tags.from_rows(sentences)
    assert answers.right.tolist() == [True, False, True, False]
    assert all_of(answers)["sentence_accuracy"] == answers.of_loss(answers.losses.mean()) == 0.5


@pytest.mark.parametrize(
    ("true", "predicted", "errors"),
    [
        (("PER", 0, 1), ("LOC", 0, 1), ["wrong type"]),
        (("PER", 0, 1), ("PER", 0, 0), ["wrong boundary"]),
        (("PER", 0, 1), ("LOC", 1, 2), ["wrong both"]),
        (("PER", 0, 1), ("PER", 2, 3), ["missed", "invented"]),
        (("PER", 0, 1), ("PER", 0, 1), []),
    ],
)
def test_every_mistake_has_its_name(true, predicted, errors):
    assert [error for error, *_ in errors_between([Entity(*true)], [Entity(*predicted)])] == errors


def test_an_entity_that_is_cut_in_two_is_one_mistake():
    assert len(errors_between([Entity("PER", 0, 3)], [Entity("PER", 0, 1), Entity("PER", 2, 3)])) == 1


def test_types_taken_for_each_other_are_counted():
    details = Tags.from_rows([row("B-PER B-LOC", "B-LOC B-LOC")] * 3).details()
    assert details["confused"] == [{"true": "PER", "predicted": "LOC", "count": 3}]
    assert details["errors"]["wrong type"] == details["mistakes"] == 3


def test_the_worst_sentence_has_most_mistakes():
    sentences = [row("B-PER O", "B-PER O"), row("B-PER O", "O O"), row("B-PER O B-PER", "O B-LOC O")]
    assert Tags.from_rows(sentences).mistakes(5).tolist() == [2, 1]


def test_words_are_found_in_the_text_as_it_was_written():
    assert placed(["New", "York", "!"], "New  York!") == ("New  York!", [(0, 3), (5, 9), (9, 10)])


def test_words_that_the_text_lacks_are_joined_by_blanks():
    assert placed(["a", "b"], "b a") == ("a b", [(0, 1), (2, 3)])


def test_spans_are_given_in_characters_of_the_text():
    (span,) = spans_of(["In", "New", "York"], ["O", "B-LOC", "I-LOC"], "iob2", "In New York")
    assert span == {"text": "New York", "type": "LOC", "start": 3, "end": 11}


def test_both_readings_of_a_mistake_are_marked():
    sentence = {"words": ["Ann", "left"], "true": ["B-PER", "O"], "predicted": ["O", "B-LOC"], "row": 4}
    true, predicted, answer = Tags.shown(sentence, {})
    assert [(mark.start, mark.end, mark.name) for mark in true.marks] == [(0, 3, "PER")]
    assert [(mark.start, mark.end, mark.name) for mark in predicted.marks] == [(4, 8, "LOC")]
    assert answer.content == "2 mistakes: missed 1, invented 1 (row 4 of test)"


def test_a_report_tells_the_types_and_marks_the_mistakes():
    figures, page = report_of(Tags, rows())
    assert set(figures["details"]["types"]) == {"PER", "LOC", "ORG"}
    assert 'id="entities"' in page
    assert '<mark class="tone1">' in page
    assert "right words, taken for another type" in page


def test_a_report_of_sentences_without_entities_is_written():
    _, page = report_of(Tags, [row("O O", "O O")] * 3)
    assert 'id="entities"' in page


def findings(sentences: list[dict]) -> list[str]:
    figures, _ = report_of(Tags, sentences)
    return [finding["title"] for finding in figures["findings"]]


def test_the_type_that_is_found_worst_is_named():
    sentences = [row("B-PER O B-LOC", "B-PER O O")] * 30 + [row("B-PER O B-LOC", "B-PER O B-LOC")] * 10
    assert "Entities of type “LOC” are found worst" in findings(sentences)


def test_wrong_boundaries_are_named():
    titles = findings([row("B-PER I-PER", "B-PER O")] * 10)
    assert titles == ["Entities are found, with the wrong first or last word"]


def test_a_type_that_is_taken_for_another_is_named():
    assert "“PER” is taken for “LOC”" in findings([row("B-PER O", "B-LOC O")] * 10)


def test_entities_that_are_new_are_told_apart_where_rows_say_so():
    sentences = [row("B-PER O B-PER", "B-PER O O", seen=[True, False])] * 20
    assert "Entities that the training part lacks are found less often" in findings(sentences)
    assert Tags.from_rows(sentences).details()["seen"]["recall_unseen"] == 0.0


def test_rows_that_do_not_say_so_claim_nothing_of_new_entities():
    assert Tags.from_rows(rows()).details()["seen"] is None


def test_a_console_gets_the_table_of_types():
    table = Tags.table({"per_type": Tags.from_rows([row("B-PER O", "B-PER O")]).per_type()})
    assert table.header[0] == "type"
    assert [cells[0] for cells in table.rows] == ["PER"]


def test_a_row_with_too_few_tags_is_refused():
    with pytest.raises(ValueError, match="Received: 2 words, 2 true and 1 predicted tags"):
        Tags.from_rows([{"words": ["a", "b"], "true": ["O", "O"], "predicted": ["O"]}])


def test_the_page_marks_entities_by_characters_whatever_stands_before_them(tmp_path):
    spans = [{"text": "Ann", "type": "PER", "start": 2, "end": 5, "probability": 0.9}]
    paragraph, legend = json.loads(shown_on_the_page(Tags, {"text": "😀 Ann left", "spans": spans}, tmp_path))
    before, mark, after = paragraph[2]
    assert (before, mark[2][0], after) == ("😀 ", "Ann", " left")
    assert mark[1]["class"] == "tone1"
    assert "PER: Ann (90.0%)" in json.dumps(legend)


def test_a_labelled_sentence_is_right_if_its_label_and_its_entities_are():
    row = {"words": ["hi", "ann"], "true": ["O", "B-PER"], "predicted": ["O", "B-PER"]}
    rows = [
        {**row, "label": "greet", "predicted_label": "greet"},
        {**row, "label": "greet", "predicted_label": "ask"},
        {**row, "label": "ask", "predicted_label": "ask", "predicted": ["O", "O"]},
    ]
    answers = LabelledTags.from_rows(rows)
    figures = answers.statistics(np.arange(3))
    assert figures["label_accuracy"] == pytest.approx(2 / 3)
    assert figures["sentence_accuracy"] == pytest.approx(1 / 3)
    assert answers.details()["labels"]["confused"] == [{"true": "greet", "predicted": "ask", "count": 1}]
    assert "“greet” taken for “ask”" in LabelledTags.said(rows[1])
