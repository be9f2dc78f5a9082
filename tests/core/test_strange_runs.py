"""What a run folder that somebody else made may not do, whatever stands in it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from core.callbacks.state_file import read_state_file, write_state_file
from core.errors import UserError
from core.experiment import experiment_from, load_experiment
from core.exporting.export import Exporter
from core.reporting.page import in_markdown
from core.reporting.report import report_runs
from core.run import Run
from core.run_lock import locked
from core.settings import read_yaml
from core.training.train import train
from core.writing import parsed_json
from tests.core.test_cli import quartet

EXPERIMENT = {
    "task": {"type": "tests.core.hard_tasks.Regression"},
    "fit": {"epochs": 1, "batch_size": 8, "steps_per_execution": 1},
    "audit": {"leaks": "allow"},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    return train(experiment_from(EXPERIMENT), tmp_path_factory.mktemp("runs") / "run").folder


@pytest.fixture
def run(finished, tmp_path) -> Run:
    return Run(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def outside(tmp_path) -> Path:
    """A folder that nothing of a run may reach."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def test_a_report_is_not_written_through_a_link_out_of_its_run(run, outside):
    (run.folder / "report").symlink_to(outside)
    with pytest.raises(UserError, match="leads out of its folder by a link"):
        report_runs([run])
    assert not list(outside.iterdir())


def test_a_page_replaces_a_link_and_leaves_what_it_led_to(run, outside):
    own = outside / "own.html"
    own.write_text("mine")
    for name in ("report.html", "card.md"):
        (run.folder / name).symlink_to(own)
    (run.folder / f".report.{os.getpid()}.html").symlink_to(own)  # where it is written at first
    page = report_runs([run])
    assert own.read_text() == "mine"
    assert "Regression" in page.read_text()


@pytest.mark.parametrize("name", ["logs", "checkpoints"])
def test_a_training_is_not_written_through_a_link_out_of_its_run(tmp_path, outside, name):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / name).symlink_to(outside)
    with pytest.raises(UserError, match="leads out of its folder by a link"):
        train(experiment_from(EXPERIMENT), tmp_path / "new")
    assert not list(outside.iterdir())


def test_pictures_of_answers_are_not_written_through_a_link_out_of_their_run(run, outside):
    (run.folder / "answers").symlink_to(outside)
    with (
        pytest.raises(UserError, match="leads out of its folder by a link"),
        run.rows("predictions.jsonl") as write,
    ):
        write({"picture": np.zeros((2, 2), np.uint8)})
    assert not list(outside.iterdir())


def test_the_lock_of_a_run_is_not_written_through_a_link(tmp_path, outside):
    own = outside / "own"
    own.write_text("mine")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".lock").symlink_to(own)
    with locked(tmp_path / "new"):
        assert own.read_text() == "mine"
    assert own.read_text() == "mine"


def test_logs_are_not_written_through_a_link_below_their_folder(tmp_path, outside):
    (tmp_path / "new" / "logs").mkdir(parents=True)
    (tmp_path / "new" / "logs" / "train").symlink_to(outside)
    with pytest.raises(UserError, match="leads out of its folder by a link"):
        train(experiment_from(EXPERIMENT), tmp_path / "new")
    assert not list(outside.iterdir())


def test_a_checkpoint_is_not_written_through_a_link_in_its_folder(tmp_path, outside):
    own = outside / "own"
    own.write_text("mine")
    (tmp_path / "checkpoint.npz.tmp").symlink_to(own)
    write_state_file(tmp_path / "checkpoint.npz", {"epoch": 1})
    assert own.read_text() == "mine"
    assert read_state_file(tmp_path / "checkpoint.npz") == {"epoch": 1}


def test_an_export_is_not_written_through_a_link_out_of_its_run(run, outside, monkeypatch):
    monkeypatch.setattr(type(run.experiment.task), "abilities", frozenset({"export"}))
    (run.folder / "exports").symlink_to(outside)
    with pytest.raises(UserError, match="leads out of its folder by a link"):
        Exporter(run)
    assert not list(outside.iterdir())


def test_a_message_has_no_characters_that_a_terminal_obeys(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text('"\\e]0;title\\a\\x9b2J": 1\n')
    done = quartet("show", path)
    assert done.exit_code == 2
    assert done.stderr.startswith(r"quartet: Unknown key \x1b]0;title\x07\x9b2J.")


def test_a_link_within_the_run_and_a_link_to_the_run_are_fine(run, tmp_path):
    (run.folder / "elsewhere").mkdir()
    (run.folder / "report").symlink_to("elsewhere")
    (tmp_path / "linked").symlink_to(run.folder)
    report_runs([Run(tmp_path / "linked")])
    assert (run.folder / "elsewhere" / "figures.json").is_file()


def test_a_report_quotes_nothing_of_a_file_that_a_run_names_as_its_data(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("text,label\nthe password is hunter2,a\nanother hunter2,b\n" * 4)
    (tmp_path / "license_key.txt").write_text("hunter2-hunter2")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(load_experiment("nlp/sentiment", [f"data={secret}"]).to_yaml())
    (folder / "encoder.json").write_text('{"labels": ["a", "b"], "pieces": ["a"], "ngrams": []}')
    (folder / "metrics.json").write_text(
        '{"protocol": "p", "test": {}, "baseline": {}, "data": {"source": "s", "fingerprint": "f", '
        '"train": 1, "validation": 1, "test": 1, "notes": []}, "versions": {}, "backend": "b", "devices": []}'
    )
    page = report_runs([Run(folder)])
    written = page.read_text() + "".join(
        path.read_text() for path in folder.rglob("*") if path.suffix in (".md", ".json")
    )
    assert "Without inputs" in written
    assert "hunter2" not in written


@pytest.mark.parametrize("command", ["report", "calibrate", "export"])
def test_it_is_said_which_data_will_be_read(run, command):
    stderr = quartet(command, run.folder).stderr
    assert stderr.startswith(f"Reading the data of {run.folder}: sample\n")


def test_a_report_reads_no_data_where_that_is_asked(run):
    done = quartet("report", run.folder, "--no-data")
    assert done.exit_code == 0
    assert "Reading" not in done.stderr
    assert "they were not to be read" in (run.folder / "report.html").read_text()


def test_data_that_are_a_pipe_are_refused(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    path = run.folder / "experiment.yaml"
    path.write_text(path.read_text().replace("data: sample", f"data: {tmp_path / 'pipe'}"))
    done = quartet("report", run.folder)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "neither a file nor a folder" in done.stderr


def test_a_card_shows_what_it_prints_and_does_nothing_with_it(run):
    path = run.folder / "metrics.json"
    path.write_text(
        path.read_text().replace('"every third example"', '"# a\\n![x](http://a.org) <img> | `b`"')
    )
    report_runs([run])
    card = (run.folder / "card.md").read_text()
    assert r"- Protocol: \# a !\[x\](http://a.org) &lt;img&gt; \| &#96;b&#96;" in card


@pytest.mark.parametrize("plain", ["macro_f1", "0.9339", "McNemar p = 4e-09", "a-b", "-0.5"])
def test_plain_words_stand_in_a_card_as_they_are(plain):
    assert in_markdown(plain) == plain


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
SENTIMENT = "task: {type: apps.nlp.sentiment.Sentiment}\n"
HOSTILE_YAML = {
    "aliases": f"{ALIASES}task: *k\n",
    "aliases in the task": f"{ALIASES}task: {{type: apps.nlp.sentiment.Sentiment, data: *k}}\n",
    "itself": "task: &t {type: *t}\n",
    "a key twice": SENTIMENT + "fit: {epochs: 1}\nfit: {epochs: 2}\n",
    "deep lists": "task: " + "[" * 5000 + "]" * 5000,
    "deep maps": "task: " + "{a: " * 3000 + "1" + "}" * 3000,
    "a number of 10,000 digits": f"{SENTIMENT}fit: {{epochs: {'9' * 10000}}}\n",
    "a number of 4,000 digits": f"{SENTIMENT}fit: {{epochs: {'9' * 4000}}}\n",
    "no date": "version: 2026-13-45\n",
    "python": "task: !!python/object/apply:os.system ['true']\n",
    "a false timestamp": "version: !!timestamp never\n",
    "a false integer": "version: !!int many\n",
    "a false truth": "version: !!bool maybe\n",
    "false bytes": "version: !!binary '@@@'\n",
    "keys that are numbers": "1: 2\n",
    "keys that are lists": "? [a, b]\n: 1\n",
    "a key of a task that is nothing": "task: {type: apps.nlp.sentiment.Sentiment, null: 1}\n",
    "a long key": f"{'k' * 1000}: 1\n",
    "a set": "task: !!set {a, b}\n",
    "two documents": "task: 1\n---\ntask: 2\n",
    "a control character": "task: \x01\n",
    "no utf-8": b"task: \xff\xfe\n",
    "a task that is text": "task: text\n",
    "a section that is text": SENTIMENT + "fit: text\n",
    "a space that is text": SENTIMENT + "tune: text\n",
    "a space of a field that is none": SENTIMENT + "tune: {a.b.c.d: [1]}\n",
    "a space of a number": SENTIMENT + "tune: {1: [1]}\n",
    "infinite": SENTIMENT + "fit: {learning_rate: .inf}\n",
    "a million letters": "a" * 10**6,
    "a list": "- 1\n",
    "a version that is a list": "version: [1]\n",
}


@pytest.mark.parametrize("content", HOSTILE_YAML.values(), ids=HOSTILE_YAML)
@pytest.mark.parametrize("as_run", [False, True])
def test_a_hostile_yaml_ends_in_one_short_line_at_once(tmp_path, content, as_run):
    path = tmp_path / ("experiment.yaml" if as_run else "mine.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    start = time.perf_counter()
    with pytest.raises(UserError) as caught:
        load_experiment(str(tmp_path if as_run else path))
    assert time.perf_counter() - start < 5
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 700


def test_a_yaml_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "experiment.yaml")
    with pytest.raises(UserError, match="is no file"):
        read_yaml(tmp_path / "experiment.yaml")


def test_an_experiment_is_written_without_aliases(tmp_path):
    shared = [1, 2]
    experiment = load_experiment("nlp/sentiment", ["tune={}"])
    experiment = experiment_from(
        {
            **read_yaml(Path(Run.create(tmp_path, experiment).folder / "experiment.yaml")),
            "tune": {"task.ngrams": {"values": [shared, shared], "when": {"task.encoder": ["bag"]}}},
        }
    )
    assert "&" not in experiment.to_yaml()


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 900 + "1" + "}" * 900,
        "1" * 10_000,
        "",
        "{",
        "\x00",
        "[[1], [2",
    ],
)
def test_a_hostile_json_ends_in_one_short_line(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(UserError, match="is damaged") as caught:
        parsed_json(path)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < len(str(path)) + 150


@pytest.mark.parametrize(
    "content",
    [
        '{"test": 5, "baseline": {}, "data": {}}',
        '{"test": {}, "baseline": {"a": 1}, "data": {}}',
        "[[]]",
        "3",
    ],
)
def test_metrics_of_another_shape_are_reported_by_every_command(run, content):
    (run.folder / "metrics.json").write_text(content)
    for command in ("evaluate", "report"):
        done = quartet(command, run.folder)
        assert (done.exit_code, done.stderr.splitlines()[-1].count("metrics.json is damaged")) == (2, 1)
