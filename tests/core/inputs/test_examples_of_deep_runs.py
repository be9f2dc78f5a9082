"""A server warms a model up with examples of its kind of input, which must be such as its training saw."""

from __future__ import annotations

import base64

import pytest

from core.data.picture_levels import Levels
from core.inputs import Picture, Ratings
from core.inputs.limits import Limits


@pytest.mark.parametrize(
    "levels",
    [None, Levels(0, 4095, False), Levels(0, 65535, False), Levels(0, 1, True), Levels(100, 900, False)],
)
def test_the_example_of_a_picture_is_on_the_scale_of_the_run(levels):
    kind = Picture((8, 8), 1, levels)
    (example,) = kind.examples()
    picture = kind.raw(base64.b64decode(example), Limits())
    assert picture.min() < 20
    assert picture.max() > 230


def test_the_example_of_a_taste_is_on_the_scale_of_the_run():
    taste = Ratings({"item": {"50": "Alien"}, "rating": {"0.5": "0.5", "1": "1"}}).examples()[-1]
    assert taste == {"ratings": {"50": 0.5}}
