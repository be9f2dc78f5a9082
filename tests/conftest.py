from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.core.serving.browsing import CHROMIUM, DRIVER, FLAGS, Page

LONG = [
    "test_every_task.py",
    "test_every_miniature.py",
    "test_on_jax.py",
    "test_export.py",
    "test_sentiment.py",
    "test_trial.py",
]
BY_NAME = {"test_every_task.py", "test_every_miniature.py"}
"""Files whose tests share a run with those of the same name, and nothing with the others."""


def pytest_configure(config: pytest.Config) -> None:
    """Give this session, with its workers and all that they start, a temporary folder of its own.

    Libraries delete their temporary files at the end of a process, but tests kill some, and so are workers
    ended. The folders that pytest itself keeps, to look into after a failure, stay where they were.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="quartet-tests-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left with one of them at the end."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Give a process a file at a time, whose tests share what they made, or all tests of a task."""
    return ByName(config, log)


class ByName(LoadFileScheduling):
    """Files stay together, and of some only the tests of a name."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        return file + test.partition("[")[2] if Path(file).name in BY_NAME else file


def pytest_collection_finish() -> None:
    """Spare the garbage collector what the imports made: it would go through all of it, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="session")
def chromium():
    """A browser for all pages."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        log = webdriver.ChromeService(DRIVER, log_output=os.devnull)
        driver = webdriver.Chrome(options, log)
        driver.implicitly_wait(10)  # for what a test looks for to appear
        yield driver
        driver.quit()


@pytest.fixture
def page(chromium, address):
    """Return what opens the page of a run, which must do all without an error in the browser's console."""

    def opened(run: str) -> Page:
        return Page(chromium, f"{address}/try/{run}")

    chromium.get_log("browser")
    yield opened
    assert not chromium.get_log("browser")
