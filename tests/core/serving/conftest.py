from __future__ import annotations

import os
import tempfile

import pytest

from tests.core.serving.browsing import CHROMIUM, DRIVER, FLAGS, Page


@pytest.fixture(autouse=True)
def no_collections(monkeypatch):
    """Spare each test the collections of all that TensorFlow holds, of which every loaded run asks one."""
    monkeypatch.setattr("core.serving.served._settle_memory", lambda: None)


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
