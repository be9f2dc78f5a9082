"""Each family in miniature goes all the way, from training to its page, by `core` as it stands."""

from __future__ import annotations

import json
import threading

import httpx
import numpy as np
import pytest
import uvicorn
from typer.testing import CliRunner

from core.cli import app
from core.experiment import Experiment, experiment_from
from core.notebook import Run
from core.serving.application import application
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import Batching, ServerSettings
from core.training.folds import cross_validate
from core.training.train import train
from tests.core.serving.browsing import needs_chromium
from tests.core.serving.test_application import until
from tests.cut_off import copied_at, cut_off

TASKS = {
    "labelling.Labelling": ("entity_f1", 0.9),
    "question_answering.QuestionAnswering": ("exact_match", 0.9),
    "translation.Translation": ("bleu", 60.0),
    "dialogue.Dialogue": ("chrf", 50.0),
    "generation.Generation": ("chrf", 90.0),
}
STREAMING = ["translation.Translation", "dialogue.Dialogue", "generation.Generation"]
EPOCHS = 24
every_task = pytest.mark.parametrize("name", TASKS)
every_stream = pytest.mark.parametrize("name", STREAMING)


def experiment_of(name: str) -> Experiment:
    fit = {
        "epochs": EPOCHS,
        "batch_size": 16,
        "learning_rate": 0.01,
        "steps_per_execution": 1,
        "jit_compile": False,
        "tensorboard": False,
        "checkpoint_seconds": 3600,
    }
    return experiment_from(
        {"task": {"type": f"tests.miniatures.{name}"}, "fit": fit, "audit": {"leaks": "allow"}}
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """The run of each task, trained when first asked for."""

    class Runs(dict):
        def __missing__(self, name: str) -> Run:
            folder = tmp_path_factory.mktemp("run") / "whole"
            with copied_at(folder, (EPOCHS - 3, 0)):
                train(experiment_of(name), folder)
            self[name] = Run(folder)
            return self[name]

    return Runs()


def inputs_of(run: Run) -> list:
    return run.input.examples()


@every_task
def test_it_learns_what_it_is_for(name, runs):
    figure, least = TASKS[name]
    assert runs[name].metrics["test"][figure] > least


@every_task
def test_its_figures_are_those_of_its_kind_of_answers(name, runs):
    task, rows = runs[name].experiment.task, runs[name].folder / "predictions.jsonl"
    answers = task.gives.from_rows(json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines())
    for figure, value in answers.statistics(np.arange(len(answers))).items():
        assert runs[name].metrics["test"][figure] == pytest.approx(value)


@every_task
def test_it_ends_with_the_same_weights_when_it_was_cut_off(name, runs):
    whole = runs[name]
    resumed = train(experiment_of(name), cut_off(whole.folder), resume=True)
    for expected, received in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)


@every_task
def test_every_example_of_its_inputs_gets_an_answer(name, runs):
    inputs = inputs_of(runs[name])
    assert len(runs[name].predict(inputs)) == len(inputs)


@every_task
def test_a_command_predicts(name, runs):
    value = inputs_of(runs[name])[0]
    typed = value if isinstance(value, str) else json.dumps(value)
    result = CliRunner().invoke(app, ["predict", str(runs[name].folder), typed])
    assert result.exit_code == 0, result.output
    (answer,) = runs[name].predict([value])
    assert answer.items() <= json.loads(result.stdout.splitlines()[0]).items()


@every_task
def test_a_report_has_the_section_of_its_kind(name, runs):
    page = runs[name].report().read_text(encoding="utf-8")
    section = {"tags": "entities", "spans": "questions", "texts": "texts"}[
        runs[name].experiment.task.gives.kind
    ]
    assert f'id="{section}"' in page


@every_stream
def test_the_last_state_of_a_stream_is_the_answer(name, runs):
    run = runs[name]
    for value in inputs_of(run):
        states = list(run.experiment.task.stream(run.model, run.encoder, value))
        assert states[-1] == run.predict([value])[0]
        assert all(state["finished"] is False for state in states[:-1])


def test_a_family_without_classes_is_judged_by_folds(tmp_path):
    experiment = experiment_of("labelling.Labelling")
    short = experiment.model_copy(update={"fit": experiment.fit.model_copy(update={"epochs": 1})})
    figures = cross_validate(short, tmp_path / "folds", 2)
    headline = experiment.task.headline()
    assert set(figures["test"][headline]) == {"mean", "std"}


@every_task
def test_a_table_of_inputs_is_answered_line_by_line(name, runs, tmp_path):
    lines = [json.dumps(value) for value in inputs_of(runs[name])]
    (tmp_path / "inputs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["predict", str(runs[name].folder), "--file", str(tmp_path / "inputs.jsonl")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["line"] for answer in answers] == list(range(1, len(lines) + 1))


@pytest.fixture(scope="module")
def address(runs):
    """A server of all miniatures, in a thread of this process."""
    sources = [Source(path_of(name), runs[name].folder) for name in TASKS]
    serving = Serving(sources, ServerSettings(batching=Batching(size=2)), Protection())
    server = uvicorn.Server(uvicorn.Config(application(serving), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started and serving.ready, seconds=60)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def path_of(name: str) -> str:
    return name.partition(".")[0]


@every_task
def test_it_answers_over_http_as_it_does_here(name, runs, address):
    inputs = inputs_of(runs[name])
    response = httpx.post(f"{address}/v1/{path_of(name)}/predict", json={"inputs": inputs}, timeout=30)
    assert response.status_code == 200, response.text
    for given, expected in zip(response.json()["predictions"], runs[name].predict(inputs), strict=True):
        assert given.keys() == expected.keys()


@every_stream
def test_it_streams_over_http(name, runs, address):
    value = inputs_of(runs[name])[0]
    response = httpx.post(f"{address}/v1/{path_of(name)}/stream", json={"input": value}, timeout=30)
    assert response.headers["content-type"].startswith("text/event-stream")
    states = [
        json.loads(line.removeprefix("data: "))
        for line in response.text.splitlines()
        if line.startswith("data: {")
    ]
    assert runs[name].predict([value])[0] in states


@needs_chromium
@every_task
def test_its_form_is_filled_and_its_answer_is_seen(name, runs, page):
    opened = page(path_of(name))
    for part, value in form_values(runs[name]).items():
        opened(f'.input[data-name="{part}"] textarea').send_keys(value)
    opened('.actions button[type="submit"]').click()
    opened(
        "#result[aria-busy=false] .by, #result[aria-busy=false] .reading, #result[aria-busy=false] .answer"
    )
    assert opened("#result").text.strip()
    assert opened.driver.execute_script("return document.querySelector('#result .error')") is None


def form_values(run: Run) -> dict[str, str]:
    """Return what is typed into each field of a form."""
    value = inputs_of(run)[0]
    if isinstance(value, dict):
        return value
    text = value if isinstance(value, str) else value[-1]["text"]
    return {run.input.kind: text}


def test_entities_are_found_with_their_places(runs):
    (answer,) = runs["labelling.Labelling"].predict(["Finn Roe never saw Hong Kong ."])
    assert [(span["text"], span["type"]) for span in answer["spans"]] == [
        ("Finn Roe", "PER"),
        ("Hong Kong", "LOC"),
    ]
    assert all(0 < span["probability"] <= 1 for span in answer["spans"])


def test_a_question_is_answered_from_its_own_context(runs):
    context = "Cleo lives in Delhi . Dan lives in Rome ."
    asked = [
        {"question": question, "context": context} for question in ("where lives Cleo", "who lives in Rome")
    ]
    assert [each["answer"] for each in runs["question_answering.QuestionAnswering"].predict(asked)] == [
        "Delhi",
        "Dan",
    ]


def test_more_beams_give_other_texts_the_likeliest_first(runs):
    run = runs["translation.Translation"]
    (answer,) = run.predict(["drei vier"], beams=4)
    assert len(answer["alternatives"]) == 3
    scores = [other["score"] for other in answer["alternatives"]]
    assert scores == sorted(scores, reverse=True)


def test_an_answer_depends_on_an_earlier_turn(runs):
    first = {"role": "assistant", "text": "hello"}
    answers = [
        runs["dialogue.Dialogue"].predict(
            [
                [
                    {"role": "user", "text": f"Hello I am {name} and like tea"},
                    first,
                    {"role": "user", "text": "who am i"},
                ]
            ]
        )[0]["text"]
        for name in ("ann", "dan")
    ]
    assert answers == ["you are ann", "you are dan"]


def test_a_seed_chooses_the_text(runs):
    run = runs["generation.Generation"]

    def drawn(seed: int) -> str:
        return run.predict(["one two"], temperature=2.0, seed=seed, length=20)[0]["text"]

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(5)}) > 1
