from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from apps.nlp.answers import Answers
from apps.nlp.comprehension.batches import num_windows, windows_and_targets, words_spanned
from apps.nlp.comprehension.films import films_of, questions_about, spoken_title
from apps.nlp.comprehension.forms import forms_of
from apps.nlp.comprehension.questions import Question, examples_of, read_questions
from apps.nlp.comprehension.rivals import regression, sliding_window
from apps.nlp.comprehension.silence import silence_threshold
from apps.nlp.comprehension.windows import NO_SPAN, best_of, grids, starts_of
from apps.nlp.word_ids import WordIds
from apps.nlp.words import words_of
from core.errors import UserError
from core.experiment import load_experiment
from core.run import Run
from core.training.train import train
from tests.small_data import asked_texts, written

QUICK = [
    "fit.epochs=14",
    "fit.batch_size=16",
    "fit.steps_per_execution=1",
    "fit.jit_compile=false",
    "fit.tensorboard=false",
    "fit.patience=null",
    "fit.learning_rate=1e-2",
    "width=16",
    "word_width=16",
    "longest_answer=4",
    "dropout=0.1",
]
IDS = WordIds(["ann"], ["a"], [], word_length=2)


def squad(*asked: tuple[str, str, int], context: str = "Ann met Bob, and Bob met Ann.") -> str:
    """Return a document with one question for each text of an answer and its start."""
    questions = [
        {"id": str(row), "question": question, "answers": [{"text": text, "answer_start": start}]}
        for row, (question, text, start) in enumerate(asked)
    ]
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": questions}]}]})


def answers_of(examples, row: int) -> list[str]:
    spans = examples.ragged("spans")[row].tolist()
    return [examples["context"][row][start:end] for start, end in spans]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("answers")
    return train(load_experiment("nlp/answers", [f"data={asked_texts(folder)}", *QUICK]), folder / "run")


def test_a_reader_learns_to_find_answers_and_to_be_silent(run):
    assert run.metrics["test"]["exact_match"] > 0.7


def test_an_answer_says_where_it_stands_in_the_raw_context(run):
    asked = {"question": "Where does  Ann live?", "context": "\n Ann lives in  Rome. Dan lives in Lima."}
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [asked])
    assert asked["context"][answer["start"] : answer["end"]] == answer["answer"]
    assert 0 < answer["probability"] <= 1


@pytest.mark.parametrize("context", ["", " \n", "😀", "Ann " * 2000])
@pytest.mark.parametrize("question", ["", "Who?"])
def test_any_texts_get_an_answer(run, question, context):
    asked = {"question": question, "context": context}
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [asked])
    assert answer["answer"] == context[answer["start"] : answer["end"]]


def test_an_explanation_names_the_words_of_both_texts(run):
    asked = {"question": "Who lives in Rome?", "context": "Ann lives in Rome. Dan lives in Lima."}
    explanation = run.experiment.task.explain(run.model, run.encoder, asked).to_json()
    of = [part["of"] for part in explanation["parts"]]
    assert (of.count("question"), of.count("context")) == (5, 10)


def test_a_context_without_words_has_no_explanation(run):
    with pytest.raises(UserError, match="without any word"):
        run.experiment.task.explain(run.model, run.encoder, {"question": "Who?", "context": " "})


def test_silence_is_chosen_by_the_validation_part(run):
    task, encoder = run.experiment.task, run.encoder
    model, validation = task.build(encoder), task.load().validation
    model.set_weights(run.model.get_weights())
    none = model.get_layer("spans").none
    kernel, bias = none.get_weights()
    none.set_weights([kernel, bias + 50.0])
    silent = task.evaluate(model, encoder, validation)["f1"]
    task._choose_silence(model, encoder, validation)
    assert task.evaluate(model, encoder, validation)["f1"] > silent


@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_of_silence_is_better_than_the_one_chosen(seed):
    random = np.random.default_rng(seed)
    scores, answered = random.integers(-3, 4, 30).astype(float), random.random(30)
    silent = random.integers(0, 2, 30)

    def worth(threshold: float) -> float:
        return float(np.where(scores > threshold, answered, silent).sum())

    chosen = silence_threshold(scores, answered, silent)
    assert worth(chosen) >= max(map(worth, np.arange(-4.5, 5))) - 1e-9
    assert chosen not in scores


def test_answers_that_are_too_long_are_told(tmp_path):
    task = Answers(data=str(asked_texts(tmp_path)), longest_answer=1)
    splits = task.load()
    (note,) = task.left_out(splits, None)
    assert "longer than 1 words" in note
    assert not Answers(longest_answer=2).left_out(splits, None)


def test_answers_are_read_where_they_stand(tmp_path):
    path = written(tmp_path / "some.json", squad(("Who?", "Bob", 8), ("Whom?", "Ann", 25)))
    examples, notes = read_questions(path)
    assert examples.ragged("spans").values.tolist() == [[8, 11], [25, 28]]
    assert notes == ()


def test_an_answer_at_a_wrong_place_is_moved_to_the_nearest_or_dropped_and_counted(tmp_path):
    content = squad(("Who?", "Bob", 15), ("Whom?", "Eve", 3), ("When?", "met", 8))
    examples, notes = read_questions(written(tmp_path / "some.json", content))
    assert examples["question"].tolist() == ["Who?", "When?"]
    assert examples.ragged("spans").values.tolist() == [[17, 20], [4, 7]]
    assert notes == (
        "3 of 3 answers of some.json do not stand where it says: 2 were moved to where they do, 1 that stand "
        "nowhere was dropped, with 1 question",
    )


def test_impossible_questions_have_no_answers(tmp_path):
    asked = {"question": "Why?", "is_impossible": True, "answers": [], "plausible_answers": [{}]}
    content = {"data": [{"title": "t", "paragraphs": [{"context": "Ann left.", "qas": [asked]}]}]}
    examples, _ = read_questions(written(tmp_path / "some.json", json.dumps(content)))
    assert answers_of(examples, 0) == []


def test_qamr_is_read_by_its_words(tmp_path):
    tree = {
        "sentences": {"s": ["Ann", "left", "New", "York", "."]},
        "qas": [{"sid": "s", "question": "What did she leave?", "spans": [[2, 3], [3, 3]]}],
    }
    path = written(tmp_path / "some.json.gz", gzip.compress(json.dumps(tree).encode()))
    examples, _ = read_questions(path)
    assert answers_of(examples, 0) == ["New York", "York"]


def test_lines_of_hugging_face_are_read(tmp_path):
    record = {"question": "Who?", "context": "Ann left.", "answers": {"text": ["Ann"], "answer_start": [0]}}
    examples, _ = read_questions(written(tmp_path / "some.jsonl", json.dumps(record) + "\n"))
    assert answers_of(examples, 0) == ["Ann"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ('{"rows": []}', "neither SQuAD's JSON"),
        ('{"data": []}', "holds no question"),
        ('{"data": [{"title": "t"}]}', "article 0: an article has a list of paragraphs"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "a paragraph has a context"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"question": " "}]}]}]}', "is not empty"),
        (
            '{"data": [{"paragraphs": [{"context": "a", "qas": [{"question": "q", "answers": [1]}]}]}]}',
            "an answer is a text",
        ),
        ('{"sentences": {}, "qas": [{"sid": "s", "question": "q", "spans": [[0, 0]]}]}', "qas 0: a sid"),
        (
            '{"sentences": {"s": ["a"]}, "qas": [{"sid": "s", "question": "q", "spans": [[0, 1]]}]}',
            "qas 0: a sid",
        ),
    ],
)
def test_what_is_no_question_is_refused_in_one_line(tmp_path, content, told):
    with pytest.raises(UserError, match=told) as raised:
        read_questions(written(tmp_path / "some.json", content))
    assert "\n" not in str(raised.value)


def test_bad_questions_are_left_out_if_asked_for(tmp_path):
    content = squad(("Who?", "Bob", 8)).replace('"qas": [', '"qas": [{"question": 3}, ')
    examples, notes = read_questions(written(tmp_path / "some.json", content), skip_bad=True)
    assert (len(examples), notes) == (1, ("1 bad question of some.json left out",))


def test_parts_may_be_given_as_files(tmp_path):
    train_file = written(tmp_path / "one.json", squad(("Who?", "Bob", 8)))
    test_file = written(tmp_path / "two.json", squad(("Whom?", "Ann", 0)))
    splits = Answers(data=str(train_file), test_data=str(test_file), validation=0).load()
    assert splits.test["question"].tolist() == ["Whom?"]
    assert "test part as published" in splits.protocol


def test_questions_about_one_document_stay_in_one_part(tmp_path):
    splits = Answers(data=str(asked_texts(tmp_path))).load()
    parts = [set(part["document"].tolist()) for part in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_a_span_is_widened_to_the_words_that_it_touches():
    words = words_of("a Berlin-based firm")
    assert list(words_spanned(words, [(2, 8), (1, 2), (16, 19)])) == [(1, 1), (2, 2)]


def test_words_of_one_stem_share_a_form():
    one, other = forms_of(["planned", "plans"], "words")
    assert (one == other).tolist() == [False, False, False, True]


def test_characters_share_a_form_with_their_neighbours():
    one, other = forms_of(list("北京"), "characters"), forms_of(list("北大"), "characters")
    assert (one[0] == other[0]).tolist() == [True, False, True, False]


@pytest.mark.parametrize("num_words", [0, 1, 4, 5, 6, 7, 30])
def test_windows_hold_every_word(num_words):
    held = {word for start in starts_of(num_words, 4) for word in range(start, start + 4)}
    assert set(range(num_words)) <= held


def test_each_window_has_the_target_of_its_own_words():
    examples = examples_of([Question("Who?", "a b c d e f", [(4, 7)], "t")], "memory")  # the words c and d
    x, y, lengths = windows_and_targets(examples, IDS, window=4, longest=3)
    assert num_windows(examples, "words", 4) == len(y) == 2
    assert [y[row].tolist() for row in range(2)] == [[2 + 2 * 3 + 1], [2 + 0 * 3 + 1]]
    assert lengths.tolist() == [4, 4]
    assert len(x["context_words"].values) == 2


def test_a_window_without_the_answer_learns_to_be_silent():
    examples = examples_of([Question("Who?", "a b c d e f", [(0, 1)], "t")], "memory")
    _, y, _ = windows_and_targets(examples, IDS, window=4, longest=3)
    assert [y[row].tolist() for row in range(2)] == [[2], [1]]


def test_scores_of_windows_are_put_together_by_their_best():
    def score(batch: dict[str, np.ndarray]) -> np.ndarray:
        """Score a span of one word by its length, more in windows that begin with it."""
        words = batch["context_characters"].astype(bool).sum(axis=-1)
        spans = np.stack([words + 10.0 * (np.arange(words.shape[1]) == 0), 0.0 * words], axis=-1)
        return np.concatenate([np.full((len(words), 1), 1.0), spans.reshape(len(words), -1)], axis=1)

    (grid,) = grids([(["q"], ["a", "a", "aa", "a"])], IDS, window=2, longest=2, score=score)
    assert grid[:, 0].tolist() == [10.0, 10.0, 11.0, 0.0]
    assert grid[:, 1].tolist() == [-1.0, -1.0, -1.0, NO_SPAN]


def test_the_probability_of_a_span_is_its_share_of_all():
    grid = np.log(np.array([[1.0, 4.0], [2.0, 1.0]]))
    assert best_of(grid, may_be_silent=False) == (0, 1, pytest.approx(0.5))
    assert best_of(grid, may_be_silent=True) == (0, 1, pytest.approx(4 / 9))
    assert best_of(grid - 3, may_be_silent=True)[:2] == (-1, -1)


def test_titles_are_told_as_people_say_them():
    assert spoken_title("Horseman on the Roof, The (Hussard sur le toit, Le)") == "The Horseman on the Roof"


def test_questions_about_films_are_answered_by_their_own_text():
    titles = [f"Film {row}" for row in range(60)]
    films = films_of(titles, [str(1930 + row) for row in range(60)], ["Drama"] * 60, list(range(100, 160)))
    questions = questions_about(films)
    assert any(not each.spans for each in questions)
    for question, context, spans, _ in questions:
        for start, end in spans:
            asked = question.rstrip("?").split()
            assert context[start:end] not in asked
            assert context[start:end].split()[0] not in ("a", "an")
            assert 0 <= start < end <= len(context)


def test_the_rivals_read_what_is_told_near_the_words_of_the_question(tmp_path):
    examples, _ = read_questions(asked_texts(tmp_path))
    answerable = examples.take(examples.ragged("spans").lengths > 0)
    told = [regression(answerable, answerable, "words"), sliding_window(answerable, answerable, "words")]
    learnt, near = (Answers()._figures(answerable, found)["f1"] for found in told)
    assert learnt > 0.9
    assert 0.1 < near < learnt
