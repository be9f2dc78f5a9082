"""Each family in miniature goes all the way, from training to its page, by `core` as it stands."""

from __future__ import annotations

import json
import re
import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from typer.testing import CliRunner

from core.answers.files import opened
from core.callbacks import ExactResume
from core.cli import app
from core.errors import UserError
from core.experiment import Experiment
from core.inputs import Input
from core.notebook import Run
from core.search.definition import Budget, Search
from core.search.tuning import tune
from core.serving.application import application
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import Batching, ServerSettings
from core.training.folds import cross_validate
from core.training.train import train
from tests.core.serving.browsing import Page, needs_chromium
from tests.core.serving.test_application import until
from tests.cut_off import copied_at, cut_off
from tests.miniatures.answers import assert_alike
from tests.miniatures.families import FAMILIES, examples_of, raw_inputs, typed

ABILITIES = ("calibrate", "explain", "export", "stream")
every_family = pytest.mark.parametrize("name", FAMILIES)
FOLDED = ["Adversarial", "ClosedForm", "Prices"]
"""One for each way to train; folds know no kind of answers."""
SHIPPED = {"Labelling", "QuestionAnswering", "Translation", "Generation", "Detection", "Denoising"}
"""Families with a task in `apps`: that resuming is exact there is tried with every task."""


def able(ability: str) -> pytest.MarkDecorator:
    """Return the families that are able to do something."""
    names = [name for name, family in FAMILIES.items() if ability in family.task.abilities]
    assert names, f"no miniature is able to {ability}"
    return pytest.mark.parametrize("name", names)


class Runs(dict):
    """The run of each family, trained when first asked for, and copied before its last epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __missing__(self, name: str) -> Run:
        folder, experiment = self.folder / name, self.experiment(name)
        with copied_at(folder, (FAMILIES[name].epochs - 1, 0)):
            train(experiment, folder)
        self[name] = Run(folder)
        return self[name]

    def experiment(self, name: str, **fit: Any) -> Experiment:
        """Return what trains a family."""
        family = FAMILIES[name]
        return family.experiment(self[family.start].folder if family.start else None, **fit)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))


@every_family
def test_it_learns_what_it_is_for(name, runs):
    family = FAMILIES[name]
    value = runs[name].metrics["test"][family.figure]
    assert family.reached(value), f"{family.figure} {value}"


@every_family
def test_its_figures_are_those_of_its_kind_of_answers(name, runs):
    run = runs[name]
    rows = (run.folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    answers = run.experiment.task.gives.from_rows(json.loads(line) for line in rows)
    for figure, value in answers.statistics(np.arange(len(answers))).items():
        assert run.metrics["test"][figure] == pytest.approx(value, abs=1e-6)  # the digits of a row


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in SHIPPED])
def test_it_ends_with_the_same_weights_when_it_was_cut_off(name, runs):
    whole = runs[name]
    resumed = train(runs.experiment(name), cut_off(whole.folder), resume=True)
    for expected, received in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)
    assert (resumed.folder / "history.csv").read_text() == (whole.folder / "history.csv").read_text()
    assert not list(whole.checkpoints.glob("*"))


@every_family
def test_every_example_of_its_inputs_gets_an_answer(name, runs):
    inputs = raw_inputs(runs[name])
    assert len(runs[name].predict(inputs)) == len(inputs)


@every_family
def test_a_command_predicts(name, runs, tmp_path):
    value = raw_inputs(runs[name])[0]
    [answer] = predicted(runs[name], tmp_path, typed(value, tmp_path))
    assert_alike(answer, runs[name].predict([value])[0])


@every_family
def test_a_file_of_inputs_is_answered_line_by_line(name, runs, tmp_path):
    inputs = raw_inputs(runs[name])
    written = [typed(value, tmp_path) for value in inputs]
    lines = [
        json.dumps(text) if isinstance(value, str | np.ndarray) else text
        for text, value in zip(written, inputs, strict=True)
    ]
    (tmp_path / "inputs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    answers = predicted(runs[name], tmp_path, "--file", str(tmp_path / "inputs.jsonl"))
    assert [answer.pop("line") for answer in answers] == list(range(1, len(lines) + 1))
    assert_alike(answers, runs[name].predict(inputs))


def predicted(run: Run, folder: Path, *words: str) -> list[dict[str, Any]]:
    """Return what the command `predict` answers, its files opened."""
    to = folder / "answers"
    result = CliRunner().invoke(app, ["predict", str(run.folder), *words, "--to", str(to)])
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    answers = [
        opened(answer, to, f"answer-{place}", beside=folder) for place, answer in enumerate(answers, start=1)
    ]
    # What is drawn for a person to see is no part of the answer itself.
    assert all(answer.pop("drawn", np.zeros((1, 1, 3), np.uint8)).dtype == np.uint8 for answer in answers)
    return answers


@every_family
def test_a_report_has_the_section_of_its_kind(name, runs):
    page = runs[name].report().read_text(encoding="utf-8")
    section = runs[name].experiment.task.gives.file("report.html").read_text(encoding="utf-8")
    [title, *_] = re.findall(r"<h2>([^<{]+)</h2>", section)
    assert f"<h2>{title}</h2>" in page


@pytest.mark.parametrize("name", FOLDED)
def test_it_is_judged_by_folds(name, runs, tmp_path):
    experiment = runs.experiment(name, epochs=1)
    figures = cross_validate(experiment, tmp_path / "folds", 2)
    assert set(figures["test"][experiment.task.headline()]) == {"mean", "std"}


@able("stream")
def test_the_last_state_of_a_stream_is_the_answer(name, runs):
    run = runs[name]
    for value in raw_inputs(run):
        states = list(run.experiment.task.stream(run.model, run.encoder, value))
        assert states[-1] == run.predict([value])[0]
        assert all(state["finished"] is False for state in states[:-1])


@able("export")
def test_it_leaves_as_an_export_of_all_its_graphs(name, runs):
    run = runs[name]
    table = run.export(["onnx"])
    assert [row["name"] for row in table["exports"]] == ["onnx"]
    portable = run.experiment.task.portable(run.model, run.encoder)
    graphs = {path.stem for path in (run.folder / "exports" / "onnx").glob("*.onnx")}
    assert graphs == {"model", *portable.graphs}


@able("explain")
def test_a_command_explains(name, runs, tmp_path):
    run, picture = runs[name], tmp_path / "explanation.png"
    value = raw_inputs(run)[0]
    command = ["explain", str(run.folder), typed(value, tmp_path), "--picture", str(picture)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == run.explain(value).to_json()
    with Image.open(picture) as image:
        assert min(image.size) > 200


@able("calibrate")
def test_it_answers_otherwise_once_it_is_calibrated(name, runs, tmp_path):
    copied = shutil.copytree(runs[name].folder, tmp_path / "run")
    result = CliRunner().invoke(app, ["calibrate", str(copied), "--abstain-below", "1"])
    assert result.exit_code == 0, result.output
    assert any(answer["abstained"] for answer in Run(copied).predict(raw_inputs(runs[name])))


@every_family
def test_what_it_is_not_able_to_is_refused(name, runs):
    for ability in set(ABILITIES) - runs[name].experiment.task.abilities:
        with pytest.raises(UserError, match=f"is not able to {ability}"):
            runs[name].require(ability)


class Servers(dict):
    """The address of a server of each miniature, started in a thread of this process when first asked for."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.closing = ExitStack()

    def __missing__(self, name: str) -> str:
        source = Source(name.lower(), self.runs[name].folder)
        serving = Serving([source], ServerSettings(batching=Batching(size=2)), Protection())
        server = uvicorn.Server(uvicorn.Config(application(serving), port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        self.closing.callback(thread.join, 10)
        self.closing.callback(setattr, server, "should_exit", True)
        until(lambda: server.started and serving.ready, seconds=120)
        self[name] = f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
        return self[name]


@pytest.fixture(scope="module")
def servers(runs):
    addresses = Servers(runs)
    with addresses.closing:
        yield addresses


@pytest.fixture
def address(servers, name):
    """The address of the server of the miniature that a test is about."""
    return servers[name]


@every_family
def test_it_answers_over_http_as_it_does_here(name, runs, address):
    asked = {"inputs": examples_of(runs[name])}
    response = httpx.post(f"{address}/v1/{name.lower()}/predict", json=asked, timeout=30)
    assert response.status_code == 200, response.text
    assert_alike(response.json()["predictions"], runs[name].predict(raw_inputs(runs[name])))


@able("stream")
def test_it_streams_over_http(name, runs, address):
    asked = {"input": examples_of(runs[name])[0]}
    response = httpx.post(f"{address}/v1/{name.lower()}/stream", json=asked, timeout=30)
    assert response.headers["content-type"].startswith("text/event-stream")
    states = [
        json.loads(line.removeprefix("data: "))
        for line in response.text.splitlines()
        if line.startswith("data: {")
    ]
    assert runs[name].predict(raw_inputs(runs[name])[:1])[0] in states


@able("explain")
def test_it_explains_over_http(name, runs, address):
    asked = {"input": examples_of(runs[name])[0]}
    response = httpx.post(f"{address}/v1/{name.lower()}/explain", json=asked, timeout=30)
    assert response.status_code == 200, response.text
    explanation = runs[name].explain(raw_inputs(runs[name])[0]).to_json()
    assert_alike(response.json()["explanation"], explanation)
    assert response.json()["picture"].startswith("data:image/png;base64,")


SEEN = {
    "boxes": "figure svg",
    "classes": ".bars li",
    "numbers": ".answer",
    "pictures": "figure img",
    "sounds": "audio",
    "spans": ".answer",
    "tags": ".reading",
    "texts": ".reading",
}
"""What shows an answer of each kind; one without would need an entry."""


@needs_chromium
@every_family
def test_its_form_is_filled_and_its_answer_is_seen(name, runs, page, tmp_path):
    opened_page, task = page(name.lower()), runs[name].experiment.task
    value = raw_inputs(runs[name])[0]
    for part, kind in task.takes.items():
        fill(opened_page, part, kind, value[part] if len(task.takes) > 1 else value, tmp_path)
    opened_page('.actions button[type="submit"]').click()
    talks = any(kind.kind == "turns" for kind in task.takes.values())
    seen = ".turns .assistant .said" if talks else f"#result[aria-busy=false] {SEEN[task.gives.kind]}"
    assert opened_page(seen).is_displayed()
    assert opened_page.driver.execute_script("return document.querySelector('#result [role=alert]')") is None


def fill(page: Page, part: str, kind: Input, value: Any, folder: Path) -> None:
    """Fill the form of one input of a task, as a person would."""
    field = f'.input[data-name="{part}"]'
    if kind.kind == "picture":
        page.drop(Path(typed(value, folder)))
    elif kind.kind == "row":
        page("#typical").click()
    elif kind.kind == "number":
        page(f"{field} input").clear()
        page(f"{field} input").send_keys(str(value))
    else:
        text = value if isinstance(value, str) else value[-1]["text"]
        page(f"{field} textarea").send_keys(text)


@needs_chromium
@every_family
def test_its_page_offers_what_it_is_able_to_and_no_more(name, runs, page):
    script = "return [...document.querySelectorAll('.actions button[value]')].map((each) => each.value)"
    offered = set(page(name.lower()).driver.execute_script(script))
    assert offered == {"predict"} | ({"explain", "stream"} & runs[name].experiment.task.abilities)


def test_a_search_tries_a_miniature_in_a_process_of_its_own(runs, tmp_path):
    experiment = runs.experiment("Prices", epochs=2)
    tree = {**dict(experiment), "tune": {"fit.learning_rate": [0.01, 0.05]}}
    outcome = tune(Search(Experiment.model_validate(tree)), tmp_path / "search", Budget(trials=1))
    assert outcome["trials"] == {"finished": 1}
    run = Run(outcome["best"]["run"])
    assert run.metrics["test"]["rmse"] == outcome["best"]["test"]["rmse"]


def test_an_epoch_has_as_many_steps_as_there_are_units(runs, tmp_path, monkeypatch):
    steps: list[int] = []

    def count(self: ExactResume, batch: int, logs: Any = None) -> None:
        steps.append(batch)

    monkeypatch.setattr(ExactResume, "on_train_batch_begin", count)
    experiment = runs.experiment("Languages", epochs=1, batch_size=16)
    splits = experiment.task.load()
    train(experiment, tmp_path / "run")
    assert len(steps) == -(-3 * len(splits.train) // 16)


def test_a_training_that_starts_from_another_run_says_so_and_learns_faster(runs, tmp_path):
    started = runs["Rents"]
    assert f"starts from {runs['Prices'].folder}" in started.metrics["data"]["notes"]
    anew = train(FAMILIES["Rents"].experiment(), tmp_path / "anew")
    assert started.metrics["test"]["rmse"] < anew.metrics["test"]["rmse"] / 2


def test_a_row_is_bounded_by_what_training_saw(runs):
    with pytest.raises(UserError, match="place is wrong: Input should be 'centre', 'suburb' or 'village'"):
        runs["Prices"].input.typed("rooms=3 age=10 place=moon")


def test_a_seed_chooses_the_picture(runs):
    one, same, other = runs["Adversarial"].predict([3, 3, 4])
    assert (one["picture"] == same["picture"]).all()
    assert (one["picture"] != other["picture"]).any()


def test_entities_are_found_with_their_places(runs):
    (answer,) = runs["Labelling"].predict(["Finn Roe never saw Hong Kong ."])
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
    assert [each["answer"] for each in runs["QuestionAnswering"].predict(asked)] == [
        "Delhi",
        "Dan",
    ]


def test_more_beams_give_other_texts_the_likeliest_first(runs):
    run = runs["Translation"]
    (answer,) = run.predict(["drei vier"], beams=4)
    assert len(answer["alternatives"]) == 3
    scores = [other["score"] for other in answer["alternatives"]]
    assert scores == sorted(scores, reverse=True)


def test_an_answer_depends_on_an_earlier_turn(runs):
    first = {"role": "assistant", "text": "hello"}
    answers = [
        runs["Dialogue"].predict(
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
    run = runs["Generation"]

    def drawn(seed: int) -> str:
        return run.predict(["six two"], temperature=2.0, seed=seed, length=8)[0]["text"]

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(5)}) > 1
