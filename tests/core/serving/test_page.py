"""The page in a real browser: what people type, draw, drop, record and pick, and what they see."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.core.serving.browsing import needs_chromium
from tests.core.serving.fake_runs import write_run
from tests.core.serving.judging_runs import Films, Ink, Lasting, Shouting
from tests.core.serving.server_of_fakes import served

pytestmark = needs_chromium
RUNS = {"shouting": Shouting, "ink": Ink, "lasting": Lasting, "films": Films}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server with a run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    with served(*(write_run(folder / name, task) for name, task in RUNS.items())) as (_, url):
        yield url


def test_a_text_is_typed(page):
    page = page("shouting")
    page("#text").send_keys("HELp")
    assert page.prediction() == ("loud", {"loud": "75.0%", "calm": "25.0%"})
    assert page.explanation() == ("Why loud", 320)


def test_a_text_is_judged_by_the_keyboard_alone(page):
    page = page("shouting")
    # A text has the focus from the start.
    page.keys().send_keys("no").key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    assert page("#result .answer").text == "calm"
    page.keys().send_keys(Keys.TAB, Keys.TAB, Keys.ENTER).perform()
    assert page("#result figure img").get_property("naturalWidth") == 320
    assert page("button:focus").text == "Explain"


def test_a_picture_is_drawn_by_the_pointer(page):
    page = page("ink")
    pen = webdriver.ActionChains(page.driver).move_to_element(page("#canvas")).click_and_hold()
    pen.move_by_offset(60, 60).move_by_offset(-120, 0).release().perform()
    label, shares = page.prediction()
    assert label == "dark"
    assert 0 < float(shares["bright"].rstrip("%")) < 40
    page("#paper").click()
    page("#canvas").click()
    assert page.prediction()[0] == "bright"
    assert page.explanation() == ("Why bright", 320)


def test_a_picture_is_drawn_by_the_keyboard(page):
    page = page("ink")
    page.keys().send_keys_to_element(page("#canvas"), Keys.SPACE, *[Keys.ARROW_LEFT] * 8).perform()
    label, shares = page.prediction()
    assert label == "dark"
    assert shares["bright"] != "0.00%"


def test_a_picture_is_dropped(page, tmp_path):
    page = page("ink")
    Image.new("L", (60, 40), 255).save(tmp_path / "white.png")
    page.drop(tmp_path / "white.png")
    assert page("#file-name").text == "white.png"
    assert page.prediction() == ("bright", {"bright": "100.00%", "dark": "0.00%"})
    assert page.explanation() == ("Why bright", 320)


def test_a_sound_is_dropped(page, tmp_path):
    page = page("lasting")
    soundfile.write(tmp_path / "blip.wav", np.sin(np.arange(2000) / 5), 8000)
    page.drop(tmp_path / "blip.wav")
    page("#player:not([hidden])")
    assert page.prediction() == ("short", {"short": "75.0%", "long": "25.0%"})
    assert page.explanation() == ("Why short", 320)


def test_a_sound_is_recorded(page):
    page = page("lasting")
    page("#record").click()
    page("#record[aria-pressed=true]")
    webdriver.ActionChains(page.driver).pause(0.8).click(page("#record")).perform()
    page("#player:not([hidden])")
    assert page.prediction()[0] == "long"


def test_a_user_is_picked(page):
    page = page("films")
    page("#user").send_keys("u7")
    page.press("predict")
    rows = [row.text for row in page.all("#result .ranked li")]
    assert rows == ["Alien (1979)\n1", "Brazil (1985)\n1", "Clue (1985)\n1"]
    assert page.explanation() == ("Why Alien (1979)", 320)


def test_films_are_rated(page):
    page = page("films")
    page("input[value=ratings]").click()
    for title, rating in (("Alien", "4"), ("Clue", "5")):
        page("#rated").send_keys(title)
        option = page.suggestion(title)
        page("#rated").send_keys(option.removeprefix(title), Keys.ENTER)
        choice = page(f'#ratings select[aria-label="Rating of {option}"]')
        choice.find_element(By.CSS_SELECTOR, f'option[value="{rating}"]').click()
    page.press("predict")
    assert [row.text for row in page.all("#result .ranked li")] == ["Brazil (1985)\n10"]


def test_what_is_missing_is_announced(page):
    page = page("shouting")
    page("button[value=predict]").click()
    alert = page("#result [role=alert]")
    assert alert.text == "Write a text first."
    assert page("#result").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("run", RUNS)
def test_a_screen_reader_finds_a_name_for_everything_that_can_be_used(page, run):
    page = page(run)
    for used in page.all("a, button, input, textarea, select, canvas"):
        assert not used.is_displayed() or used.accessible_name, used.get_attribute("outerHTML")


@pytest.mark.parametrize("run", RUNS)
def test_nothing_is_wider_than_a_phone(page, run):
    page = page(run)
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        assert page.driver.execute_script("return document.documentElement.scrollWidth") == 360
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
