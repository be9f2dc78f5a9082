"""What README and docs/ say is true of the code: examples run, commands parse, links lead somewhere."""

from __future__ import annotations

import ast
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from core.cli import UsageError, app
from core.errors import UserError
from core.experiment import experiment_from, load_experiment, shipped_ledgers
from core.inputs import joined
from core.ledger_tables import with_tables
from core.reporting import report_runs
from core.run import Run
from core.search.definition import Strategy
from core.serving.settings import server_settings
from core.task.portable import FORMATS
from core.training.train import train
from tests.markdown import DOCUMENTS, ROOT, Block, anchors, blocks, inline_code, links

BLOCKS = [block for path in DOCUMENTS for block in blocks(path)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
EXAMPLES = [block for block in PYTHON if not block.comment]
DIAGNOSIS = "apps.tables.diagnosis"
QUARTET: Any = typer.main.get_command(app)
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def shown_commands() -> Iterator[tuple[str, str, str]]:
    """Return where a command line stands, the line, and the mistake that a block shows as its answer."""
    for block in BLOCKS:
        if block.language or block.comment.startswith("not parsed"):
            continue
        lines = [line.removeprefix("$ ") for line in block.text.splitlines()]
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if line.startswith("quartet "):
                mistake = following if following.startswith("quartet: ") else ""
                yield str(block), line, "" if block.comment.startswith("not run") else mistake
    for path in DOCUMENTS:
        for code in inline_code(path):
            if code.startswith("quartet "):
                yield str(path.relative_to(ROOT)), code, ""


COMMANDS = sorted(set(shown_commands()))


@pytest.fixture
def diagnosis(monkeypatch) -> Block:
    """The task of the README as a module that can be imported, and its block."""
    (block,) = [block for block in PYTHON if block.comment == f"module: {DIAGNOSIS}"]
    module = ModuleType(DIAGNOSIS)
    monkeypatch.setitem(sys.modules, DIAGNOSIS, module)
    exec(compile(block.text, str(block), "exec"), module.__dict__)
    return block


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_an_example_runs_and_prints_what_it_says(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})
    said = re.findall(r"^print\(.*\)  # (.+)$", block.text, flags=re.MULTILINE)
    assert not said or capsys.readouterr().out.splitlines() == said


@pytest.mark.parametrize("block", [block for block in PYTHON if block.comment.startswith("not run")], ids=str)
def test_an_example_that_takes_too_long_imports_what_there_is(block):
    tree = ast.parse(block.text, str(block))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports
    exec(compile(ast.Module(imports, []), str(block), "exec"), {})


def test_an_example_is_left_out_only_with_a_reason():
    comments = [block.comment for block in PYTHON if block.comment]
    assert all(re.fullmatch(r"not run: .{10,}|module: [\w.]+", comment) for comment in comments), comments


def test_the_task_of_the_readme_trains_answers_and_is_reported(diagnosis, tmp_path):
    (shown,) = [block for block in BLOCKS if block.comment == "file: diagnosis.yaml"]
    (tmp_path / "diagnosis.yaml").write_text(shown.text)
    random = np.random.default_rng(0)
    rows = random.normal(size=(90, 13)).round(3)
    ill = np.where(rows[:, 0] > 0, "yes", "no")
    lines = [",".join([*(f"x{column}" for column in range(13)), "disease"])]
    lines += [",".join([*map(str, row), label]) for row, label in zip(rows, ill, strict=True)]
    (tmp_path / "heart.csv").write_text("\n".join(lines) + "\n")

    settings = [f"data={tmp_path / 'heart.csv'}", "label_column=disease", "fit.tensorboard=false"]
    trained = train(load_experiment(str(tmp_path / "diagnosis.yaml"), settings), tmp_path / "run")
    run = Run(trained.folder)
    _, row = joined(run.experiment.task.inputs(run.encoder))
    inputs = [row.typed(f"{first}" + ",0" * 12) for first in (-2, 2)]
    answers = run.experiment.task.predict(run.model, run.encoder, inputs)

    assert [answer["label"] for answer in answers] == ["no", "yes"]
    assert "logistic regression" in report_runs([run]).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=str)
def test_a_yaml_is_a_configuration_or_a_part_of_one(block, diagnosis):
    tree = {"task": {"type": "apps.nlp.sentiment.Sentiment"}, **yaml.safe_load(block.text)}
    assert experiment_from(tree).task


@pytest.mark.parametrize(
    ("place", "line", "mistake"), COMMANDS, ids=[f"{place} {line}" for place, line, _ in COMMANDS]
)
def test_a_command_line_is_one_that_quartet_takes(place, line, mistake, tmp_path, monkeypatch):
    arguments = shlex.split(line, comments=True)[1:]
    if mistake:
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, arguments, prog_name="quartet")
        assert (done.exit_code, done.stderr.strip().splitlines()[-1]) == (2, mistake)
        return
    command = QUARTET.get_command(typer.Context(QUARTET), arguments[0])
    assert command is not None, f"{place}: there is no command {arguments[0]}"
    if arguments[1:] or place.partition(":")[2]:  # a name alone in a sentence is no command line
        try:
            require_known(command, command.make_context(arguments[0], arguments[1:]).params)
        except (UserError, UsageError) as error:
            pytest.fail(f"{place}: {line}: {error}")


def require_known(command: Any, given: dict[str, Any]) -> None:
    """Refuse tasks, keys and values of a command line that a run of it would refuse."""
    if "task" in given or given.get("folds"):
        load_experiment(given.get("task") or given["run"], given["overrides"] or [])
    if command.name == "serve":
        server_settings(given["set_"] or [])
    if command.name == "tune":
        assert given["strategy"] in get_args(Strategy)
    if command.name == "export":
        assert set(given["formats"] or []) <= set(FORMATS)
    if command.name == "ledger":
        assert all((ROOT / file).is_file() for file in given["files"])


@every_document
def test_settings_and_options_in_sentences_are_known(path):
    parameters = [each for command in QUARTET.commands.values() for each in command.params]
    known = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
    for code in inline_code(path):
        if re.match(r"(fit|audit)\.\w+=", code):
            assert load_experiment("nlp/sentiment", [code])
        if code.startswith("--"):
            assert code.split()[0] in known, code


@every_document
def test_modules_that_are_started_exist(path):
    text = path.read_text(encoding="utf-8")
    for module in re.findall(r"python -m ((?:core|benchmarks)[\w.]*)", text):
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").is_file() or (file / "__main__.py").is_file(), module
    for file in re.findall(r"python (benchmarks/\S+\.py)", text):
        assert (ROOT / file).is_file(), file


@every_document
def test_links_lead_to_files_and_headings(path):
    for target in links(path):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{target}: no such heading"


@every_document
def test_tables_are_those_of_the_ledgers(path):
    text = path.read_text(encoding="utf-8")
    assert with_tables(text, shipped_ledgers()) == text, f"run `quartet ledger {path.relative_to(ROOT)}`"


def test_every_domain_has_a_page_with_its_whole_ledger():
    domains = {name.split("/")[0] for name in shipped_ledgers()}
    for domain in domains:
        page = ROOT / "docs" / "domains" / f"{domain}.md"
        assert f"<!-- ledger: {domain} -->" in page.read_text(encoding="utf-8")


def test_every_page_can_be_reached_from_the_readme():
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path.suffix == ".md" and path not in reached:
            reached.add(path)
            targets = [target.partition("#")[0] for target in links(path) if not re.match(r"\w+:", target)]
            waiting += [(path.parent / target).resolve() for target in targets if target]
    assert set(DOCUMENTS) == reached


def test_the_metadata_name_the_licence_and_what_is_typed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["license"] == "Apache-2.0"
    assert all((ROOT / name).is_file() for name in project["project"]["license-files"])
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    for package in ("core", "apps"):
        assert "py.typed" in project["tool"]["setuptools"]["package-data"][package]
        assert (ROOT / package / "py.typed").is_file()


def test_the_readme_is_no_longer_than_a_newcomer_reads():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
