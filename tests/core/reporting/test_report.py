"""A report of any model's answers, without a run."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from core.reporting import report


class Page(HTMLParser):
    """Collects what a page would fetch, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        self.ids += [attributes["id"]] if attributes.get("id") else []

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 200)
    probabilities = random.dirichlet([1, 1, 1], 200)
    probabilities[np.arange(200), targets] += 0.7
    return targets, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_the_page_needs_nothing_else(answers, tmp_path):
    report(*answers, tmp_path / "report.html", inputs={"text": [f"text {row}" for row in range(200)]})
    page = Page(tmp_path / "report.html")
    assert page.addresses
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert all(address[1:] in page.ids for address in page.addresses if address.startswith("#"))


def test_the_figures_and_the_pictures_stand_beside_the_page(answers, tmp_path):
    figures = report(*answers, tmp_path / "page.html")
    assert json.loads((tmp_path / "page" / "figures.json").read_text()) == figures
    assert {path.stem for path in (tmp_path / "page").glob("*.png")} == {
        "confusion", "precision_recall", "reliability", "risk_coverage", "roc",
    }  # fmt: skip


def test_names_and_columns_of_the_caller_stand_on_the_page(answers, tmp_path):
    targets, probabilities = answers
    names = np.array(["cat", "dog", "fox"])
    report(
        names[targets], probabilities, tmp_path / "x.html", labels=names.tolist(), name="My animals",
        columns={"camera": np.where(np.arange(200) % 2, "old", "new")},
    )  # fmt: skip
    text = Page(tmp_path / "x.html").text
    assert all(word in text for word in ("My animals", "fox", "camera", "old"))


def test_text_of_the_data_is_no_markup(answers, tmp_path):
    report(*answers, tmp_path / "x.html", inputs={"text": ["<script>alert(1)</script>"] * 200})
    written = (tmp_path / "x.html").read_text()
    assert "<script>" not in written
    assert "<script>alert(1)</script>" in Page(tmp_path / "x.html").text


def test_probabilities_of_the_second_of_two_classes_will_do(tmp_path):
    figures = report([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.1], tmp_path / "x.html")
    assert figures["figures"][0] | {"low": 0, "high": 0} == {
        "name": "accuracy", "value": 0.75, "low": 0, "high": 0, "confidence": 0.95, "lower_is_better": False,
        "rivals": {},
        "beside": {},
    }  # fmt: skip


def test_numbers_are_judged_as_numbers(tmp_path):
    truth = np.random.default_rng(0).normal(size=50)
    figures = report(truth, truth + 1, tmp_path / "x.html")
    assert figures["figures"][0]["name"] == "rmse"
    assert figures["figures"][0]["value"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "options", "message"),
    [
        ([0, 1], [[0.5, 0.5]], {}, "must be of shape"),
        ([], [], {}, "must be of shape"),
        ([0, 1], [[2.0, -1.0], [3.0, 1.0]], {}, "probabilities"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], {}, "from 0 to 1"),
        (["a", "x"], [[0.5, 0.5], [0.5, 0.5]], {"labels": ["a", "b"]}, "'x'"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], {"labels": ["a"]}, "labels must name"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], {"columns": {"age": [1]}}, "age must have a value"),
    ],
)
def test_answers_that_do_not_fit_are_refused(y_true, y_pred, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        report(y_true, y_pred, tmp_path / "x.html", **options)
    assert not list(tmp_path.iterdir())
