from __future__ import annotations

from core.answers.numbers import Numbers


class Prices(Numbers):
    """A kind that refines another, in a module without files beside it."""


def test_a_kind_that_refines_another_has_its_files():
    assert Prices.file("report.html") == Numbers.file("report.html")
    assert Prices.file("report.html").is_file()


def test_a_file_that_no_kind_has_is_nothing():
    assert Prices.file("nothing.html") is None
