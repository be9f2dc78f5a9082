from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from core.exporting.loader import copy_loader

PACKAGE = {
    "house/__init__.py": "",
    "house/loader.py": """
        from house.boxes.answers import NAME as boxes
        from house.texts.answers import NAME as texts
        from house.texts_answers import NAME as like_texts

        NAMES = [boxes, texts, like_texts]
        """,
    "house/boxes/__init__.py": "",
    "house/boxes/answers.py": "NAME = 'boxes'",
    "house/texts/__init__.py": "",
    "house/texts/answers.py": "NAME = 'texts'",
    "house/texts_answers.py": "NAME = 'like texts'",
}


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    for name, source in PACKAGE.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path / "source")
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "house"]:
        del sys.modules[name]


def test_modules_of_the_same_last_name_are_copied_side_by_side(package):
    folder = package / "export"
    folder.mkdir()
    copy_loader("house.loader", folder)
    script = "import predict; print(predict.NAMES)"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.stdout.strip() == "['boxes', 'texts', 'like texts']", done.stderr


def test_copied_modules_are_named_by_their_whole_path(tmp_path):
    copy_loader("apps.nlp.loader", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "predict.py",
        "core_answers_decisions.py",
        "core_data_letters.py",
        "core_errors.py",
        "core_exporting_classifier.py",
        "core_exporting_runtime.py",
    }
