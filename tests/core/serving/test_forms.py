"""The form of each kind of input in a real browser, alone and beside others, and how to answer."""

from __future__ import annotations

import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.core.serving.browsing import needs_chromium
from tests.core.serving.fake_runs import write_run
from tests.core.serving.form_runs import Chat, Games, Patients, Reading, Scenes, Seeds, Tongues
from tests.core.serving.server_of_fakes import served
from tests.core.serving.streaming_runs import Echo

pytestmark = needs_chromium
RUNS = {
    "patients": Patients,
    "tongues": Tongues,
    "seeds": Seeds,
    "games": Games,
    "reading": Reading,
    "scenes": Scenes,
    "chat": Chat,
    "echo": Echo,
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server with a run for each form."""
    folder = tmp_path_factory.mktemp("runs")
    with served(*(write_run(folder / name, task) for name, task in RUNS.items())) as (_, url):
        yield url


def test_a_row_has_a_field_for_each_column(page):
    page = page("patients")
    assert [label.text.split("\n")[0] for label in page.all(".row .field")] == ["age", "sex", "remark"]
    assert page("#column-0").get_attribute("placeholder") == "54.5"
    page("#column-0").send_keys("61.5")
    Select(page("#column-1")).select_by_visible_text("f")
    assert page.answer() == {"asked": {"age": 61.5, "sex": "f", "remark": None}}
    Select(page("#column-1")).select_by_visible_text("missing")
    page("#column-2").send_keys("tired")
    assert page.answer() == {"asked": {"age": 61.5, "sex": None, "remark": "tired"}}


def test_a_row_is_filled_with_typical_values(page):
    page = page("patients")
    page("#typical").click()
    assert page.answer() == {"asked": {"age": 54.5, "sex": "m", "remark": None}}


def test_a_choice_is_picked(page):
    page = page("tongues")
    assert page("label[for=choice]").text.startswith("Into")
    Select(page("#choice")).select_by_visible_text("French")
    assert page.answer() == {"asked": "French"}


def test_a_number_is_typed_or_left_to_chance(page):
    page = page("seeds")
    assert page.answer() == {"asked": {"seed": 7}}
    page("#number").clear()
    page("#number").send_keys("41", Keys.ENTER)
    WebDriverWait(page.driver, 5).until(lambda _: "41" in page("#result").text)
    page("#dice").click()
    page("#result[aria-busy=false] .by")
    assert 0 <= page.answer()["asked"]["seed"] <= 99


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("100", "The number must be at most 99."),
        ("-1", "The number must be at least 0."),
        ("1.5", "The number must be a whole one."),
        ("", "Write a number first."),
    ],
)
def test_a_number_that_can_not_be_is_reported(page, typed, message):
    page = page("seeds")
    page("#number").send_keys(Keys.CONTROL, "a")
    page("#number").send_keys(Keys.BACKSPACE, typed)
    page("button[value=predict]").click()
    assert page("#result [role=alert]").text == message


def piece(page, square: str) -> str:
    return page(f"[data-square={square}]").get_attribute("aria-label").split(", ")[1]


@pytest.mark.parametrize(
    ("moves", "pieces"),
    [
        ("", {"e1": "white king", "d8": "black queen", "e4": "empty"}),
        ("e2e4 e7e5 g1f3", {"e2": "empty", "e4": "white pawn", "f3": "white knight"}),
        ("e1g1", {"g1": "white king", "f1": "white rook", "h1": "empty", "e1": "empty"}),
        ("e8c8", {"c8": "black king", "d8": "black rook", "a8": "empty", "e8": "empty"}),
        ("e2e4 a7a6 e4e5 d7d5 e5d6", {"d6": "white pawn", "d5": "empty", "e5": "empty"}),
        ("a2a7 a7b8n", {"b8": "white knight", "a7": "empty"}),
        ("8/8/4k3/8/8/3Q4/8/4K3 w - - 0 1", {"e6": "black king", "d3": "white queen", "a1": "empty"}),
    ],
)
def test_a_board_shows_the_position(page, moves, pieces):
    page = page("games")
    page("#position").send_keys(moves)
    assert {square: piece(page, square) for square in pieces} == pieces
    assert page.answer() == {"asked": moves}


def test_a_move_is_made_by_two_clicks_and_taken_back(page):
    page = page("games")
    page("[data-square=e2]").click()
    page("[data-square=e4]").click()
    page("[data-square=e7]").click()
    page("[data-square=e5]").click()
    assert page.answer() == {"asked": "e2e4 e7e5"}
    page("#back").click()
    assert piece(page, "e7") == "black pawn"
    assert page.answer() == {"asked": "e2e4"}


def test_a_move_is_made_by_the_keyboard_alone(page):
    page = page("games")
    page.keys().send_keys(Keys.TAB, Keys.ENTER, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ENTER).perform()
    assert page("#position").get_attribute("value") == "e2e4"
    assert page("[data-square=e4]:focus")


def test_moves_that_can_not_be_read_are_reported_and_still_asked(page):
    page = page("games")
    page("#position").send_keys("e2e4 e4 e5")
    assert page("#position-hint").text == "Move 2, e4, is not written like e2e4."
    assert not page("#board").is_displayed()
    assert page.answer() == {"asked": "e2e4 e4 e5"}


def test_several_texts_stand_under_their_names(page):
    page = page("reading")
    page("#question-text").send_keys("Who?")
    page("#context-text").send_keys("Ann.")
    assert [label.text for label in page.all("label.field")] == ["Question", "Context"]
    assert page.answer() == {"asked": {"question": "Who?", "context": "Ann."}}


def test_a_file_goes_to_the_input_that_it_is_dropped_on(page, tmp_path):
    page = page("scenes")
    for name, grey in (("black", 0), ("white", 255)):
        Image.new("L", (20, 20), grey).save(tmp_path / f"{name}.png")
    page.drop(tmp_path / "white.png", "#after-drop")
    page.drop(tmp_path / "black.png", "#before-drop")
    names = [page(f"#{part}-file-name").text for part in ("before", "after")]
    assert names == ["black.png", "white.png"]
    Select(page("#compared_by-choice")).select_by_visible_text("shape")
    assert page.answer() == {"asked": {"before": 0.0, "after": 255.0, "compared_by": "shape"}}


def test_what_is_missing_of_several_is_reported_by_its_name(page):
    page = page("reading")
    page("#question-text").send_keys("Who?")
    page("button[value=predict]").click()
    assert page("#result [role=alert]").text == "Context: Write a text first."


def test_a_dialogue_is_sent_whole_and_begun_anew(page):
    page = page("chat")

    def said() -> list[str]:
        return [turn.text for turn in page.all(".turns .said")]

    for count, text in enumerate(("Hello", "And you?"), start=1):
        page("#turn").send_keys(text, Keys.ENTER)
        WebDriverWait(page.driver, 5).until(lambda _, count=count: len(said()) == 2 * count)
    assert said() == ["Hello", "1 turns, then Hello", "And you?", "3 turns, then And you?"]
    assert page("#turn").get_attribute("value") == ""
    page("#anew").click()
    page.driver.implicitly_wait(0)
    assert said() == []
    page.driver.implicitly_wait(10)
    page("#turn").send_keys("Hi", Keys.ENTER)
    WebDriverWait(page.driver, 5).until(lambda _: said() == ["Hi", "1 turns, then Hi"])


def test_how_to_answer_is_asked_in_fields(page):
    page = page("echo")
    page("#text").send_keys("one two")
    assert page.answer() == {"text": "one two"}
    page(".options summary").click()
    page("#option-times").send_keys("2")
    Select(page("#option-case")).select_by_visible_text("upper")
    page("#option-exclaim").click()
    for what in ("predict", "stream"):
        assert page.answer(what) == {"text": "ONE ONE TWO TWO!"}
    page("#option-times").send_keys("0")
    page("button[value=predict]").click()
    assert page("#result [role=alert]").text.startswith("options.times: ")
    page.driver.get_log("browser")  # which holds the refusal too


def test_an_answer_grows_until_it_is_stopped(page, tmp_path):
    page = page("echo")
    page("#text").send_keys(f"endless {tmp_path / 'closed'}")
    page("button[value=stream]").click()
    watched = WebDriverWait(page.driver, 10)
    sizes = set()

    def grows(_):
        sizes.add(
            page.driver.execute_script("return document.querySelector('#result').textContent.slice(0, 20)")
        )
        return len(sizes) > 3

    watched.until(grows)
    page("#stop").click()
    assert page("#result[aria-busy=false] .by").text == "Stopped"
    watched.until(lambda _: (tmp_path / "closed").exists())
    assert not page("#stop").is_displayed()
    assert page("button[value=stream]:focus")


def test_a_refused_answer_is_reported_while_it_would_grow(page):
    page = page("echo")
    page("#text").send_keys("refused")
    page("button[value=stream]").click()
    assert page("#result [role=alert]").text == "input: That text is refused. Received: 'refused'."


@pytest.mark.parametrize("run", RUNS)
def test_a_screen_reader_finds_a_name_for_everything_that_can_be_used(page, run):
    page = page(run)
    for used in page.all("a, button, input, textarea, select, canvas"):
        assert not used.is_displayed() or used.accessible_name, used.get_attribute("outerHTML")


@pytest.mark.parametrize("run", RUNS)
def test_no_two_things_of_a_page_have_the_same_id(page, run):
    page = page(run)
    ids = page.driver.execute_script("return [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("run", RUNS)
def test_nothing_is_wider_than_a_phone(page, run):
    page = page(run)
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        assert page.driver.execute_script("return document.documentElement.scrollWidth") == 360
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
