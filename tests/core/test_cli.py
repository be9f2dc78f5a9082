from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.commands.runs import _printable
from core.experiment import configurations
from core.run import Run

REGRESSION = (
    "task: {type: tests.core.hard_tasks.Regression}\n"
    "fit: {epochs: 2, batch_size: 8, steps_per_execution: 1, tensorboard: false}\n"
    "audit: {leaks: allow}\n"
)


def quartet(*arguments: str | Path):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def configuration(tmp_path) -> Path:
    path = tmp_path / "regression.yaml"
    path.write_text(REGRESSION)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nope"], "No such option: --nope. See `quartet --help`."),
        (["train"], "Missing argument 'TASK'. See `quartet train --help`."),
        (["liist"], "No such command 'liist'. Did you mean 'list'? See `quartet --help`."),
        (["train", "x", "--nope"], "No such option: --nope. See `quartet train --help`."),
    ],
)
def test_a_command_line_that_can_t_be_read_is_reported_in_a_line(arguments, message):
    done = CliRunner().invoke(app, arguments, prog_name="quartet")
    assert (done.exit_code, done.stderr) == (2, f"quartet: {message}\n")


def test_nothing_heavy_is_imported_for_help():
    heavy = ["keras", "tensorflow", "jax", "pandas", "sklearn", "pydantic", "yaml", "numpy"]
    code = (
        "import sys, core.cli\n"
        "try: core.cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_nothing_heavy_is_imported_for_the_list():
    heavy = ["keras", "tensorflow", "jax", "pandas", "sklearn"]
    code = (
        "import sys, core.cli\n"
        "try: core.cli.app(['list'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_list_names_every_configuration():
    output = quartet("list").output
    assert all(name in output for name in configurations())


def test_show_gives_values_and_ranges(configuration):
    output = quartet("show", configuration, "dropout=0.25").output
    assert "0.25" in output
    assert "task.dropout" in output


def test_a_run_is_trained_judged_and_used_to_predict(configuration, tmp_path):
    trained = quartet("train", configuration, "--run", tmp_path / "run")
    assert trained.exit_code == 0, trained.output
    assert "every third example" in trained.output
    judged = quartet("evaluate", tmp_path / "run")
    assert "mean" in judged.output
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]["error"] > 0


def test_a_run_is_reported(configuration, tmp_path):
    assert quartet("train", configuration, "--run", tmp_path / "run").exit_code == 0
    done = quartet("report", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "run" / "report.html") in done.output.replace("\n", "")
    assert (tmp_path / "run" / "report.html").is_file()
    assert "is not able to calibrate" in quartet("calibrate", tmp_path / "run").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nlp/sentimant"], "Unknown task"),
        (["train", "CONFIG", "dropuot=1"], "Did you mean task.dropout?"),
        (["train", "CONFIG", "dropout=1"], "task.dropout should be less than 1. Received: 1."),
        (["train", "CONFIG", "fit.epochs=many"], "fit.epochs"),
        (["train", "CONFIG", "epochs"], "key=value"),
        (["train", "CONFIG", "--run", "/dev/null/run"], "can't be written"),
        (["train", "CONFIG", "--resume"], "was cut off"),
        (["predict", "nowhere", "x"], "nowhere is no run folder"),
        (["predict", "nowhere"], "Nothing to predict from"),
        (["predict", "nowhere", "--file", "none.txt"], "nowhere is no run folder"),
        (["evaluate", "nowhere"], "nowhere is no run folder"),
        (["evaluate", "CONFIG", "--group", "x"], "go with --folds"),
        (["evaluate", "CONFIG", "--folds", "2", "--data", "x"], "data=x"),
        (["report", "nowhere"], "nowhere is no run folder"),
        (["calibrate", "nowhere"], "nowhere is no run folder"),
    ],
)
def test_a_mistake_is_reported_in_at_most_two_lines_with_exit_code_2(
    configuration, monkeypatch, arguments, message
):
    monkeypatch.chdir(configuration.parent)
    done = quartet(*[configuration if argument == "CONFIG" else argument for argument in arguments])
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert len(done.output.strip().splitlines()) <= 2


def test_a_full_disk_is_reported_plainly_and_leaves_no_half_file(configuration, tmp_path, monkeypatch):
    def no_space(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "run" / "model.keras"))

    monkeypatch.setattr("keras.Model.save", no_space)
    done = quartet("train", configuration, "--run", tmp_path / "run")
    assert done.exit_code == 2
    assert "No space left on device" in done.output
    assert not (tmp_path / "run" / "model.keras").exists()


@pytest.mark.parametrize("num_writes", [1, 4, 8], ids=["within an epoch", "at its end", "at the model"])
def test_a_disk_that_fills_after_a_checkpoint_costs_no_more_than_the_steps_since(
    configuration, tmp_path, monkeypatch, num_writes
):
    every_step = ["fit.checkpoint_seconds=0", "fit.steps_per_execution=1"]
    assert quartet("train", configuration, "--run", tmp_path / "whole", *every_step).exit_code == 0
    with monkeypatch.context() as patched:
        fill_after(patched, num_writes)
        done = quartet("train", configuration, "--run", tmp_path / "cut", *every_step)
    assert done.exit_code == 2
    lines = done.stderr[done.stderr.index("quartet: ") :].splitlines()
    assert len(lines) == 1
    assert "No space left on device" in lines[0]
    assert f"resume {tmp_path / 'cut'} from its last checkpoint" in lines[0]
    assert [path.name for path in (tmp_path / "cut" / "checkpoints").iterdir()] == ["checkpoint.npz"]
    again = quartet("train", configuration, "--run", tmp_path / "cut", "--resume", *every_step)
    assert again.exit_code == 0, again.output
    for whole, cut in zip(*(Run(tmp_path / name).model.weights for name in ("whole", "cut")), strict=True):
        np.testing.assert_array_equal(whole, cut)


def fill_after(patched: pytest.MonkeyPatch, num_writes: int) -> None:
    """Let a disk be full within the writing of the next checkpoint, or of the model where there is none."""
    written = []

    def half(file, **members: np.ndarray) -> None:
        if len(written) == num_writes:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(members)
        savez(file, **members)

    def no_space(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    savez = np.savez
    patched.setattr("numpy.savez", half)
    patched.setattr("keras.Model.save", no_space)


def test_folds_are_judged_and_averaged(configuration, tmp_path):
    done = quartet("evaluate", configuration, "--folds", "2", "--folder", tmp_path / "folds", "fit.epochs=1")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "folds" / "folds.json").read_text())
    assert figures["test"]["error"]["mean"] == pytest.approx(
        sum(each["error"] for each in figures["each"]) / 2
    )


def test_an_unknown_export_format_is_refused_by_name(tmp_path):
    done = quartet("export", tmp_path, "--format", "pickle")
    assert done.exit_code == 2
    assert "--format must be one of saved_model, onnx, litert. Received: pickle." in done.stderr


def test_a_folder_without_a_run_can_t_be_exported(tmp_path):
    done = quartet("export", tmp_path)
    assert done.exit_code == 2
    assert "is no run folder" in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
def test_letters_that_a_terminal_has_not_are_replaced(tmp_path, encoding):
    (tmp_path / "plain.yaml").write_text(REGRESSION)
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    for arguments in (["list"], ["show", str(tmp_path / "plain.yaml"), "data=größe大"]):
        command = [sys.executable, "-m", "core.cli", *arguments]
        done = subprocess.run(command, capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr
    assert "größe大".encode(encoding, errors="replace") in done.stdout


@pytest.mark.parametrize(("encoding", "printed"), [("ascii", r"gr\u00f6\u00dfe\u5927"), ("utf-8", "größe大")])
def test_answers_stay_json_where_a_terminal_lacks_their_letters(monkeypatch, encoding, printed):
    with io.TextIOWrapper(io.BytesIO(), encoding=encoding) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert _printable('{"label": "größe大"}') == f'{{"label": "{printed}"}}'


def test_output_that_nobody_reads_to_its_end_ends_quietly():
    command = [sys.executable, "-m", "core.cli", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait()
