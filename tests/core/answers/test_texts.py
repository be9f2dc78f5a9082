from __future__ import annotations

import json

import jiwer
import numpy as np
import pytest

from core.answers.rows import Direction
from core.answers.texts import FreeTexts, Texts, Transcripts, Translations
from core.answers.texts.differences import differences, faults_of, nearest
from core.metrics import bleu_counts, bleu_of, chrf_counts, chrf_of
from tests.core.answers.pages import report_of, shown_on_the_page

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "slept", "well"]


def rows(count: int = 40) -> list[dict]:
    random = np.random.default_rng(0)
    made = []
    for place in range(count):
        true = random.choice(WORDS, random.integers(4, 14)).tolist()
        predicted = [word if random.random() < 0.8 else str(random.choice(WORDS)) for word in true]
        texts = {"true": [" ".join(true)], "predicted": " ".join(predicted[: random.integers(2, 20)])}
        made.append({"row": place, "source": "die Katze", **texts})
    return made


def all_of(answers: Texts) -> dict[str, float]:
    return answers.statistics(np.arange(len(answers)))


def test_figures_are_those_of_the_summed_counts_and_no_mean_of_texts():
    pairs = [(row["predicted"], row["true"]) for row in rows()]
    expected = {
        "bleu": bleu_of(sum(bleu_counts(*pair) for pair in pairs)),
        "chrf": chrf_of(sum(chrf_counts(*pair) for pair in pairs)),
    }
    assert all_of(Texts.from_rows(rows())) == pytest.approx(expected)


def test_error_rates_are_those_of_jiwer():
    true, predicted = ([row["true"][0] for row in rows()], [row["predicted"] for row in rows()])
    figures = all_of(Transcripts.from_rows(rows()))
    assert figures["word_error_rate"] == pytest.approx(jiwer.wer(true, predicted))
    assert figures["character_error_rate"] == pytest.approx(jiwer.cer(true, predicted))


@pytest.mark.parametrize("kind", [Texts, Transcripts, FreeTexts])
def test_figures_of_a_resample_are_those_of_the_same_texts_written_out(kind):
    drawn = np.random.default_rng(1).integers(0, 40, 40)
    expected = all_of(kind.from_rows([rows()[place] for place in drawn]))
    assert kind.from_rows(rows()).statistics(drawn) == pytest.approx(expected)


def test_of_several_references_the_nearest_counts():
    answers = Transcripts.from_rows([{"true": ["a b c d", "a b x"], "predicted": "a b y"}])
    assert all_of(answers)["word_error_rate"] == pytest.approx(1 / 3)


def test_repetition_by_hand():
    # Of 5 runs of four words the last two stand there already.
    answers = FreeTexts.from_rows([{"true": [], "predicted": "a b a b a b a b"}])
    assert all_of(answers)["repetition"] == 3 / 5


class Puzzles(Texts):
    """A kind of a task's own."""

    figures: dict[str, Direction] = {"exact_match": "max"}


def test_a_task_may_choose_its_figures():
    answers = Puzzles.from_rows(
        [{"true": ["4", "four"], "predicted": "four"}, {"true": ["5"], "predicted": "6"}]
    )
    assert all_of(answers) == {"exact_match": 0.5}
    assert answers.of_loss(answers.losses.mean()) == 0.5


@pytest.mark.parametrize(("kind", "smaller"), [(Texts, False), (Transcripts, True)])
def test_slices_are_compared_by_the_mean_over_texts(kind, smaller):
    answers = kind.from_rows(rows())
    assert answers.figure() == f"{next(iter(kind.figures))}_by_text"
    assert answers.lower_is_better() is smaller
    alone = [all_of(kind.from_rows([row])) for row in rows()]
    if kind is Transcripts:
        mean = np.mean([figures["word_error_rate"] for figures in alone])
        assert answers.of_loss(answers.losses.mean()) == pytest.approx(mean)
    assert 0 < answers.losses.mean() < 1


def test_a_transcript_is_right_when_its_words_are():
    answers = Transcripts.from_rows(
        [{"true": ["a b"], "predicted": "a  b "}, {"true": ["a"], "predicted": "b"}]
    )
    assert answers.right.tolist() == [True, False]


def test_a_text_without_a_reference_is_refused_where_one_is_needed():
    with pytest.raises(ValueError, match=r"judged by bleu .* Received: none in row 1"):
        Texts.from_rows([{"true": ["a"], "predicted": "a"}, {"true": [], "predicted": "b"}])


def test_differences_are_marked_in_both_texts():
    predicted, reference = "a cat sat", "the cat sat down"
    wrong, missing = differences(predicted, reference)
    assert [predicted[mark.start : mark.end] for mark in wrong] == ["a"]
    assert [reference[mark.start : mark.end] for mark in missing] == ["the", "down"]


def test_differences_of_chinese_are_marked_by_character():
    wrong, _ = differences("我爱北京", "我在北京")
    assert [(mark.start, mark.end) for mark in wrong] == [(1, 2)]


def test_the_reference_that_is_shown_is_the_nearest():
    assert nearest("the cat sat", ["a dog ran", "the cat sat down"]) == "the cat sat down"
    assert nearest("the cat sat", []) is None


@pytest.mark.parametrize(
    ("predicted", "faults"),
    [
        (" ", ["empty"]),
        ("one two", []),
        ("one", ["too short"]),
        ("one two three four five six seven", ["too long"]),
        ("vier Wörter sind das", ["copies the source"]),
    ],
)
def test_what_is_wrong_at_a_glance(predicted, faults):
    assert faults_of(predicted, ["these are four words"], "vier Wörter sind das") == faults


def test_a_text_that_is_true_is_no_copy():
    assert faults_of("Berlin", ["Berlin"], "Berlin") == []


def test_the_worst_text_comes_first():
    texts = [("a b c", "a b c"), ("x y z", "a b c"), ("a b z", "a b c")]
    answers = Transcripts.from_rows([{"true": [true], "predicted": said} for said, true in texts])
    assert answers.mistakes(5).tolist() == [1, 2]


@pytest.mark.parametrize("kind", [Texts, Transcripts])
def test_a_report_tells_the_lengths_and_marks_the_differences(kind):
    figures, page = report_of(kind, rows())
    assert sum(level["texts"] for level in figures["details"]["levels"]) == 40
    assert 'id="texts"' in page
    assert '<mark class="tone0">' in page
    assert '<mark class="tone1">' in page


def test_a_report_of_free_texts_is_written():
    _, page = report_of(
        FreeTexts, [{"true": [], "predicted": "a b a b a b a b"}, {"true": [], "predicted": "c"}]
    )
    assert "a b a b a b a b" in page


def findings(texts: list[dict]) -> list[str]:
    figures, _ = report_of(Texts, texts)
    return [finding["title"] for finding in figures["findings"]]


@pytest.mark.parametrize(
    ("predicted", "title"),
    [
        ("", "Texts are empty"),
        ("the", "Texts are too short"),
        ("the cat sat on a mat and slept well and so on", "Texts are too long"),
        ("the the the the the the the", "A text repeats itself"),
        ("die Katze schlief auf der Matte", "A text copies the source"),
    ],
)
def test_a_fault_of_many_texts_is_named(predicted, title):
    bad = {
        "true": ["the cat sat on a mat"],
        "source": "die Katze schlief auf der Matte",
        "predicted": predicted,
    }
    assert title in findings([*rows(), *[bad] * 20])


def test_one_answer_for_everything_is_named():
    dialogue = [{"true": [f"answer number {place}"], "predicted": "I don't know"} for place in range(20)]
    assert "Many answers are one and the same" in findings(dialogue)


def test_good_texts_have_no_faults():
    good = [{"true": [f"the {word} sat on a mat"], "predicted": f"the {word} sat on a mat"} for word in WORDS]
    assert findings(good) == []


def test_the_page_shows_a_text_that_grows(tmp_path):
    (text,) = json.loads(shown_on_the_page(Texts, {"text": "The cat", "finished": False}, tmp_path))
    assert text[2][0] == "The cat"
    assert "▍" in json.dumps(text, ensure_ascii=False)


def test_the_page_shows_the_other_texts(tmp_path):
    answer = {"text": "The cat", "alternatives": [{"text": "A cat", "score": -1.5}]}
    shown = shown_on_the_page(Texts, answer, tmp_path)
    assert "A cat" in shown
    assert "-1.50" in shown


def test_the_length_ratio_of_translations_counts_tokens_of_all_texts():
    rows = [
        {"source": "", "true": ["one two three, four"], "predicted": "one two"},
        {"source": "", "true": ["一二三"], "predicted": "一二三四五六"},
    ]
    assert Translations.from_rows(rows).length_ratio == pytest.approx((2 + 6) / (5 + 3))
