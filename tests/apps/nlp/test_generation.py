from __future__ import annotations

import json

import numpy as np
import pytest

from apps.nlp.decoder.answering import Prompted
from apps.nlp.generation import Generation
from core.data.examples import Examples
from core.errors import UserError
from core.experiment import load_experiment
from core.exporting.export import Exporter
from core.run import Run
from core.training.train import train
from tests.export_alone import answers_without
from tests.small_data import plain_text, written

QUICK = [
    "fit.epochs=6",
    "fit.batch_size=16",
    "fit.steps_per_execution=1",
    "fit.tensorboard=false",
    "fit.learning_rate=1e-2",
    "context=32",
    "width=32",
    "depth=1",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("generation")
    return train(load_experiment("nlp/generation", [f"data={plain_text(folder)}", *QUICK]), folder / "run")


def answer(run: Run, text: str, **options) -> dict:
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [text], Prompted(**options))
    return answer


def test_a_model_learns_how_a_text_goes_on(run):
    assert run.metrics["test"]["bits_per_byte"] < 0.7
    assert (
        answer(run, "\nAnn of Rome we", temperature=0, length=7)["written"]
        == "nt to "[:7] + answer(run, "\nAnn of Rome went to ", temperature=0, length=1)["written"]
    )


def test_the_figures_are_one_cost_in_several_units(run):
    figures = run.metrics["test"]
    assert figures["perplexity"] == pytest.approx(np.exp(figures["nats"]))
    # Characters of ASCII: a token is a byte.
    assert figures["bits_per_byte"] == pytest.approx(figures["nats"] / np.log(2))


def test_the_rival_is_judged_on_the_same_tokens(run):
    ours, theirs = (
        [json.loads(line) for line in (run.folder / name).read_text().splitlines()]
        for name in ("predictions.jsonl", "baseline.jsonl")
    )
    assert [row["true"] for row in ours] == [row["true"] for row in theirs]
    assert [row["tokens"] for row in ours] == [row["tokens"] for row in theirs]
    assert 0 < run.metrics["baseline"]["Kneser-Ney of order 6"]["bits_per_byte"] < 1


def test_the_same_seed_writes_the_same_text_and_another_one_another(run):
    first, again, other = (answer(run, "Ann", temperature=1.5, seed=seed)["text"] for seed in (1, 1, 2))
    assert first == again != other


def test_the_last_state_of_a_stream_is_the_answer(run):
    options = Prompted(length=10, seed=4)
    states = list(run.experiment.task.stream(run.model, run.encoder, "Bob", options))
    assert states[-1] == answer(run, "Bob", length=10, seed=4)
    assert [state["tokens"] for state in states] == [4, 8, 10, 10]
    assert all(states[-1]["text"].startswith(state["text"]) for state in states)
    assert [state.get("finished", True) for state in states] == [False, False, False, True]


def test_texts_that_are_written_together_are_those_that_are_written_alone(run):
    texts = ["Ann", "Bob of Oslo went", "C"]
    together = run.experiment.task.predict(run.model, run.encoder, texts, Prompted(length=20))
    assert together == [answer(run, text, length=20) for text in texts]


def test_a_text_stops_before_a_stop_word(run):
    stopped = answer(run, "Ann of Rome", temperature=0, stop=["to", "."])
    assert stopped["ended"] == "stop"
    assert stopped["written"].endswith("went ")


@pytest.mark.parametrize("text", ["", "\n", "😀 中", "Ann " * 500])
def test_any_text_is_written_on(run, text):
    assert answer(run, text, length=5)["text"].startswith(text)


def test_a_prompt_longer_than_the_window_is_refused_if_asked(run):
    with pytest.raises(UserError, match="The prompt has 40 tokens, and the model's window takes 31"):
        answer(run, "Ann " * 10, long_prompts="refuse")


def test_several_texts_end_by_themselves(tmp_path):
    lines = "\n".join(json.dumps({"body": text}) for text in ["one two three", "four five", "six"] * 150)
    for part in ("train", "test"):
        written(tmp_path / f"{part}.jsonl", lines)
    settings = [f"data={tmp_path}", *QUICK, "text_column=body", "audit.leaks=allow", "fit.epochs=16"]
    settings += ["validation=0", "fit.batch_size=8"]
    run = train(
        load_experiment("nlp/generation", [*settings, "subwords=bpe", "vocabulary_size=270"]),
        tmp_path / "run",
    )
    assert {answer(run, "", seed=seed)["text"] for seed in range(8)} <= {"one two three", "four five", "six"}
    assert answer(run, "four", temperature=0)["ended"] == "end"
    # The ends are learnt, and not judged: 13, 9 and 3 bytes a text.
    assert run.metrics["test"]["bits_per_byte"] < 0.6


def test_a_character_that_training_lacks_costs_a_choice_among_all():
    task = Generation(context=8, width=8, heads=1, depth=1)
    encoder = task.encode(Examples({"text": ["ab" * 50]}))
    model, known, strange = task.build(encoder), *(Examples({"text": [text]}) for text in ("abab", "ab中b"))
    costs = [task.nats(model, encoder, task.stream_of(part, encoder)) for part in (known, strange)]
    assert costs[1][2] - costs[0][2] > 13


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"width": 30, "heads": 4}, "width must be a multiple of twice the heads, 8"),
        ({"heads": 4, "key_value_heads": 3}, "key_value_heads must divide heads, 4"),
        ({"subwords": "words"}, "characters"),
    ],
)
def test_a_net_that_can_not_be_is_refused(settings, told):
    overrides = [f"{name}={value}" for name, value in settings.items()]
    with pytest.raises(UserError, match=told):
        load_experiment("nlp/generation", overrides)


def test_an_export_writes_the_texts_of_the_run_without_keras(run, tmp_path):
    pytest.importorskip("tf2onnx")
    Exporter(run, tmp_path).export("onnx")
    texts = ["Ann of", "Bob of Oslo went to Rome. " * 3]
    answers = answers_without(["keras", "tensorflow", "tokenizers", "core", "apps"], tmp_path / "onnx", texts)
    assert answers == run.experiment.task.predict(run.model, run.encoder, texts)


def test_the_next_letter_rests_on_the_word_before_it(run):
    explanation = run.experiment.task.explain(run.model, run.encoder, "Ann of Rome went to R")
    parts = {part.name: part.adds for part in explanation.parts}
    assert explanation.target == "'o'"
    assert max(parts, key=parts.__getitem__) == "R"
    assert explanation.checks["deletion"] > 0
