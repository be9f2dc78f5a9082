from __future__ import annotations

import numpy as np
import pytest

from apps.nlp.intents import Intents
from apps.nlp.requests.reading import read_requests, unmarked
from apps.nlp.requests.telling import likeliest, parted
from core.errors import UserError
from core.experiment import load_experiment
from core.run import Run
from core.training.train import train
from tests.small_data import requests, written

QUICK = [
    "fit.epochs=6",
    "fit.batch_size=16",
    "fit.steps_per_execution=1",
    "fit.jit_compile=false",
    "fit.tensorboard=false",
    "fit.learning_rate=1e-2",
    "width=16",
    "word_width=16",
    "dropout=0.1",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("intents")
    return train(load_experiment("nlp/intents", [f"data={requests(folder)}", *QUICK]), folder / "run")


def test_a_model_learns_intents_and_slots_at_once(run):
    assert run.metrics["test"]["label_accuracy"] > 0.9
    assert run.metrics["test"]["sentence_accuracy"] > 0.8


def test_a_rival_is_judged_by_the_same_figures(run):
    (figures,) = run.metrics["baseline"].values()
    assert set(run.experiment.task.figures) <= set(figures)


def test_a_raw_request_gets_its_intent_and_its_slots(run):
    (answer,) = run.experiment.task.predict(run.model, run.encoder, ["Will it rain in  New York?"])
    assert answer["label"] == "ask_weather"
    assert 0.5 < answer["probability"] <= 1
    assert [(span["text"], span["type"]) for span in answer["spans"]] == [("New York", "place")]


@pytest.mark.parametrize("text", ["", " \n", "😀", "a " * 3000])
def test_any_text_gets_an_answer(run, text):
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [text])
    assert answer["label"] in run.encoder.intents


def folder_of(path, words: str, tags: str, intents: str):
    for name, content in (("seq.in", words), ("seq.out", tags), ("label", intents)):
        written(path / name, content)
    return path


def test_a_folder_of_snips_is_read(tmp_path):
    examples, notes = read_requests(
        folder_of(tmp_path, "play it \nhi ann\n", "O O \nO B-name\n", "Play\nGreet\n")
    )
    assert examples["text"].tolist() == ["play it", "hi ann"]
    assert examples["tags"].tolist() == ["O\tO", "O\tB-name"]
    assert examples["intent"].tolist() == ["Play", "Greet"]
    assert notes == ()


def test_a_slot_without_its_beginning_is_mended_and_counted(tmp_path):
    examples, notes = read_requests(folder_of(tmp_path, "hi ann\n", "O I-name\n", "Greet\n"))
    assert examples["tags"].tolist() == ["O\tB-name"]
    assert notes[0].startswith("1 slot of ")


@pytest.mark.parametrize(
    ("words", "tags", "intents", "told"),
    [
        ("hi ann\nplay", "O O\nO O", "Greet\nPlay", "line 2: an intent, and as many tags"),
        ("hi ann\nplay", "O O\nO", "Greet\n ", "have a line a request each"),
        ("hi ann\nplay", "O O\nX-a", "Greet\nPlay", "line 2: a tag that is none of IOB2"),
        ("hi ann\nplay", "O O", "Greet\nPlay", "seq.in 2, seq.out 1, label 2"),
    ],
)
def test_a_folder_whose_files_disagree_is_refused_by_line(tmp_path, words, tags, intents, told):
    with pytest.raises(UserError, match=told):
        read_requests(folder_of(tmp_path, words, tags, intents))


def test_bad_requests_are_left_out_if_asked_for(tmp_path):
    folder = folder_of(tmp_path, "hi ann\nplay", "O O\nO O", "Greet\nPlay")
    examples, notes = read_requests(folder, skip_bad=True)
    assert len(examples) == 1
    assert notes == (f"1 bad request of {folder.name} left out",)


def test_a_folder_that_lacks_a_file_is_refused(tmp_path):
    written(tmp_path / "seq.in", "hi")
    with pytest.raises(UserError, match=r"lacks seq\.out, label"):
        read_requests(tmp_path)


RASA = """version: "3.1"
nlu:
- intent: fly
  examples: |
    - to [New York](city) please
    - [Oslo]{"entity": "city", "role": "to"} now
- synonym: NY
  examples: |
    - New York
- intent: greet
  examples: |
    - hi
"""


def test_yaml_of_rasa_is_read(tmp_path):
    examples, _ = read_requests(written(tmp_path / "nlu.yml", RASA))
    assert examples["text"].tolist() == ["to New York please", "Oslo now", "hi"]
    assert examples["tags"].tolist() == ["O\tB-city\tI-city\tO", "B-city\tO", "O"]
    assert examples["intent"].tolist() == ["fly", "fly", "greet"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("nlu: [", r"line \d: this is no YAML"),
        ("stories: []", "no list named nlu"),
        ("nlu:\n- intent: fly\n", r"block 1 \(fly\): examples are lines"),
        ('nlu:\n- intent: fly\n  examples: |\n    - [a]{"role": "to"}\n', "a slot is marked as"),
        ("nlu: []", "holds no request"),
    ],
)
def test_yaml_that_is_none_of_rasa_is_refused_in_one_line(tmp_path, content, told):
    with pytest.raises(UserError, match=told) as raised:
        read_requests(written(tmp_path / "nlu.yml", content))
    assert "\n" not in str(raised.value)


def test_parts_of_a_folder_are_read_as_published(tmp_path):
    for part in ("train", "valid", "test"):
        (tmp_path / part).mkdir()
        folder_of(tmp_path / part, f"hi {part}\nplay {part}", "O O\nO B-a", "Greet\nPlay")
    splits = Intents(data=str(tmp_path)).load()
    assert splits.test["text"].tolist() == ["hi test", "play test"]
    assert splits.validation["text"].tolist() == ["hi valid", "play valid"]


def test_one_intent_is_no_task(tmp_path):
    examples, _ = read_requests(folder_of(tmp_path, "hi ann", "O B-name", "Greet"))
    with pytest.raises(UserError, match="Two intents at least"):
        Intents().encode(examples)


def test_marks_of_rasa_keep_the_places_of_words():
    plain, spans = unmarked("[Ann](person:first) flies to [New York](city).")
    assert [(plain[start:end], name) for start, end, name in spans] == [
        ("Ann", "person"),
        ("New York", "city"),
    ]


def test_the_intent_of_a_long_request_is_told_by_all_its_pieces():
    scores = np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    _, logits = parted(scores, 1)
    assert likeliest(logits, ["a", "b"])[0] == "a"
    assert likeliest(np.zeros(0), ["a", "b"]) == ("a", 0.5)
