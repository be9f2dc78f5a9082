from __future__ import annotations

import itertools

import pytest

from benchmarks.reader_fuzz import fuzzed, readers

FILES = 60  # of each reader; `python -m benchmarks.reader_fuzz` reads many more


@pytest.fixture(scope="module")
def known():
    return readers()


@pytest.mark.parametrize(
    "name",
    [
        *("pictures", "idx", "sounds", "manifests", "archives", "tables"),
        *("ratings", "titles", "json", "questions", "yaml"),
    ],
)
def test_damaged_files_are_read_or_refused_in_a_line(name, known, tmp_path):
    findings = [
        finding for _, finding in itertools.islice(fuzzed(name, known[name], tmp_path, 7), FILES) if finding
    ]
    assert not findings


def test_whole_files_are_read(known, tmp_path):
    for reader in known.values():
        for name, content in reader.seeds.items():
            (tmp_path / name).write_bytes(content)
            reader.read(tmp_path / name)
            (tmp_path / name).unlink()


def test_every_reader_is_tried(known):
    marks = test_damaged_files_are_read_or_refused_in_a_line.pytestmark
    assert list(known) == marks[0].args[1]
