"""A real browser, and the page of a run in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium: apt-get install chromium chromium-driver"
)

FLAGS = (
    "--headless",
    "--no-sandbox",  # which has no effect as root; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",  # offline
    "--use-fake-device-for-media-stream",  # a microphone that beeps
    "--use-fake-ui-for-media-stream",  # and may be used without a question
)


class Page:
    """A page of one run, which must do all without an error in the browser's console."""

    def __init__(self, driver, url: str) -> None:
        self.driver = driver
        driver.get(url)
        self("#form[data-ready]")

    def __call__(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def keys(self) -> webdriver.ActionChains:
        """Return what presses keys, wherever the focus is."""
        return webdriver.ActionChains(self.driver)

    def drop(self, file: Path, selector: str = "#drop") -> None:
        """Drop a file on the place for it."""
        zone = self(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", zone)
        box = self.driver.execute_script("return arguments[0].getBoundingClientRect().toJSON()", zone)
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            event = {"type": kind, **place, "data": data}
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)

    def prediction(self) -> tuple[str, dict[str, str]]:
        """Press "Predict", and return the label and the probabilities that are shown."""
        self.press("predict")
        bars = [bar.text.split("\n") for bar in self.all("#result .bars li")]
        return self("#result .answer").text, dict(bars)

    def press(self, what: str) -> None:
        """Press one of the buttons of the form, and wait for the answer."""
        self(f"button[value={what}]").click()
        self("#result[aria-busy=false] .by")

    def answer(self, what: str = "predict") -> Any:
        """Press a button, and return the answer of a task that has no way of its own to show it."""
        self.press(what)
        return json.loads(self("#result pre").text)

    def suggestion(self, start: str) -> str:
        """Return the film that the list offers for these letters; it is drawn anew at each of them."""
        waiting = WebDriverWait(self.driver, 10, ignored_exceptions=[StaleElementReferenceException])
        return waiting.until(lambda _: self(f"#items option[value^={start}]").get_attribute("value"))

    def explanation(self) -> tuple[str, int]:
        """Press "Explain", and return what is explained and the width of the picture that is shown."""
        self.press("explain")
        picture = self("#result figure img")
        return self("#result .answer").text, int(picture.get_property("naturalWidth"))
