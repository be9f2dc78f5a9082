from __future__ import annotations

from decimal import Decimal

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import UserError
from core.experiment import Experiment, experiment_from, load_experiment, shipped_ledgers
from core.ledger import Entry, Ledger
from core.ledger_tables import with_tables
from core.settings import read_yaml, validated
from core.training.train import opened

ENTRY = {
    "command": "quartet train nlp/sentiment",
    "data": "reviews, 20% by hash",
    "figures": {"accuracy": "0.810"},
    "rivals": {"NBSVM": {"accuracy": 0.777}, "a bag | of words": {"accuracy": 0.82}},
    "seconds": 1300,
    "hardware": "2 CPU cores",
}
REGRESSION = {"task": {"type": "tests.core.hard_tasks.Regression"}}


def entry(**changes: object) -> Entry:
    return validated(Entry, {**ENTRY, **changes}, "ledger")


def test_a_figure_keeps_the_digits_it_was_written_with():
    assert str(entry().figures["accuracy"]) == "0.810"
    assert str(entry(figures={"accuracy": 0.0694}, rivals={}).headline[1]) == "0.0694"


@pytest.mark.parametrize(("direction", "rival"), [("max", "a bag | of words"), ("min", "NBSVM")])
def test_the_best_rival_is_the_largest_or_the_smallest_as_the_figure_goes(direction, rival):
    assert entry().best_rival(direction)[0] == rival


def test_a_rival_without_the_headline_figure_is_not_the_best():
    measured = entry(figures={"accuracy": 0.8, "loss": 0.4}, rivals={"NBSVM": {"loss": 0.1}})
    assert measured.best_rival("max") is None
    assert measured.best("max") == Decimal("0.8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"figures": {}}, "figures"),
        ({"figures": {"accuracy": "good"}, "rivals": {}}, "good"),
        ({"hardware": None}, "hardware"),
        ({"rivals": {"NBSVM": {"rmse": 0.9}}}, "rmse"),
        ({"command": "python train.py"}, "python train.py"),
        ({"second": 3}, "Did you mean ledger.seconds"),
    ],
)
def test_an_entry_that_says_too_little_or_something_strange_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        entry(**changes)


def test_a_ledger_is_no_part_of_what_makes_experiments_equal_or_of_a_run(tmp_path):
    measured = experiment_from({**REGRESSION, "ledger": [ENTRY]})
    assert measured.ledger == [entry()]
    assert measured == experiment_from(REGRESSION)
    assert measured != experiment_from({**REGRESSION, "fit": {"epochs": 3}})
    run = opened(measured, tmp_path / "run", resume=False)
    assert "ledger" not in read_yaml(run.folder / "experiment.yaml")
    assert opened(measured, tmp_path / "run", resume=True).experiment == measured


def test_an_experiment_differs_from_what_is_none():
    assert load_experiment("nlp/sentiment") != "nlp/sentiment"


def test_every_field_but_the_ledger_makes_an_experiment_another():
    trees = {
        "task": {"task": {**REGRESSION["task"], "dropout": 0.25}},
        "fit": {"fit": {"epochs": 3}},
        "audit": {"audit": {"leaks": "allow"}},
        "tune": {"tune": {"fit.epochs": [1, 2]}},
    }
    assert {*trees, "version", "ledger", "demo"} == set(Experiment.model_fields)
    for tree in trees.values():
        assert experiment_from({**REGRESSION, **tree}) != experiment_from(REGRESSION)


@pytest.mark.parametrize("name", shipped_ledgers())
def test_the_first_figure_of_a_shipped_ledger_is_the_headline_of_its_task(name):
    experiment = load_experiment(name)
    assert experiment.ledger, f"{name} has no ledger"
    for measured in experiment.ledger:
        assert measured.headline[0] == experiment.task.headline()
        assert f" {name}" in measured.command


def test_the_direction_of_a_ledger_is_that_of_its_task():
    for name, ledger in shipped_ledgers().items():
        assert ledger.direction == next(iter(load_experiment(name).task.figures.values()))


def test_the_list_shows_the_first_figure_beside_the_best_rival():
    first = shipped_ledgers()["recommendation/rankings"].entries[0]
    lines = CliRunner().invoke(app, ["list"]).output.splitlines()
    (row,) = [line for line in lines if "recommendation/rankings " in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "recommendation/rankings",
        "ndcg@10",
        str(first.headline[1]),
        *map(str, first.best_rival("max") or ()),
    ]


TEXT = "# Figures\n\n<!-- ledger: {} -->\nold\n<!-- end of ledger -->\n\nMore.\n"
LEDGERS = {
    "nlp/sentiment": Ledger(entries=[entry(), entry(data="tweets", note="seed 1")], direction="max"),
    "speech/commands": Ledger(entries=[], direction="max"),
}


def test_a_summary_has_one_line_a_configuration_and_the_best_figure_in_bold():
    table = with_tables(TEXT.format("summary"), LEDGERS).split("\n\n")[2]
    assert table.splitlines()[2:] == [
        "| `nlp/sentiment` | reviews, 20% by hash | accuracy | 0.810 | a bag &#124; of words | **0.82** "
        "| 1,300 |"
    ]


def test_the_table_of_a_domain_has_every_measurement():
    table = with_tables(TEXT.format("nlp"), LEDGERS).split("\n\n")[2]
    assert table.splitlines()[2:] == [
        "| `quartet train nlp/sentiment` | reviews, 20% by hash | accuracy 0.810 | NBSVM 0.777; "
        "a bag &#124; of words **0.82** | 1,300, 2 CPU cores |  |",
        "| `quartet train nlp/sentiment` | tweets | accuracy 0.810 | NBSVM 0.777; "
        "a bag &#124; of words **0.82** | 1,300, 2 CPU cores | seed 1 |",
    ]


def test_what_stands_around_a_table_stays_and_a_table_made_twice_is_the_same():
    once = with_tables(TEXT.format("summary"), LEDGERS)
    assert once.startswith("# Figures\n\n<!-- ledger: summary -->\n")
    assert once.endswith("<!-- end of ledger -->\n\nMore.\n")
    assert "old" not in once
    assert with_tables(once, LEDGERS) == once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.format("vision"), "nlp, speech.*Received: vision"),
        (TEXT.format(""), "Received: nothing"),
        (TEXT.format("summary nlp/sentimant"), "Did you mean nlp/sentiment"),
        ("<!-- ledger: nlp -->\n", "needs a line"),
        (TEXT.format("nlp") + "<!-- end of ledger -->\n", "needs a line"),
    ],
)
def test_a_table_that_can_t_be_made_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        with_tables(text, LEDGERS)


def test_tables_are_checked_then_written(tmp_path):
    path = tmp_path / "figures.md"
    path.write_text(TEXT.format("vision"))
    checked = CliRunner().invoke(app, ["ledger", "--check", str(path)])
    assert checked.exit_code == 2
    assert path.read_text() == TEXT.format("vision")
    assert CliRunner().invoke(app, ["ledger", str(path)]).exit_code == 0
    assert "HOG + linear SVM" in path.read_text()
    assert CliRunner().invoke(app, ["ledger", "--check", str(path)]).exit_code == 0


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    done = CliRunner().invoke(app, ["ledger", str(tmp_path / "none.md")])
    assert done.exit_code == 2
    assert "none.md can't be read" in done.stderr
