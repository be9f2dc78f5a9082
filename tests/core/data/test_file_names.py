from __future__ import annotations

import itertools

import pytest

from core.data.file_names import NamePattern
from core.errors import UserError


@pytest.mark.parametrize(
    ("names", "stem", "values"),
    [
        ("{label}", "turn_on", ["turn_on"]),
        ("{label}_{speaker}_{take}", "7_theo_12", ["7", "theo", "12"]),
        ("{speaker}_nohash_{label}", "ab_cd_nohash_3", ["ab_cd", "3"]),
        ("{label=turn_on|turn_off}_{speaker}_{take}", "turn_on_ann_0", ["turn_on", "ann", "0"]),
        ("{label}_{speaker=ann|ann_b}_{take}", "turn_on_ann_0", ["turn_on", "ann", "0"]),
        ("{label}-[{take}]", "a.b-[1]", ["a.b", "1"]),
    ],
)
def test_names_that_fit_in_one_way_say_what_they_hold(names, stem, values):
    assert list(NamePattern(names).values(stem).values()) == values


@pytest.mark.parametrize(
    ("names", "stem"),
    [
        ("{label}_{speaker}_{take}", "turn_on_ann_0"),
        ("{label}_{speaker}", "a__b"),
        ("{label}{take}", "abc"),
        ("{label=a|a_b}_{take}", "a_b_c"),
        ("{take}_{label=b|a_b}", "x_a_b"),
    ],
)
def test_names_that_split_in_more_than_one_way_are_refused(names, stem):
    with pytest.raises(UserError, match=r"in more than one way.*List the values"):
        NamePattern(names).values(stem)


@pytest.mark.parametrize("names", ["{speaker}", "{label}_{label}", "{label}_{1}", "{label=}", "{label=a||b}"])
def test_what_is_no_pattern_is_refused(names):
    with pytest.raises(UserError, match="names="):
        NamePattern(names)


def test_a_name_is_refused_exactly_where_pieces_can_be_cut_in_several_ways():
    pattern = NamePattern("{label}_{speaker}_{take}")
    for letters in itertools.product("a_", repeat=7):
        stem = "".join(letters)
        cuts = [
            (first, second)
            for first, second in itertools.combinations(
                [at for at, letter in enumerate(stem) if letter == "_"], 2
            )
            if first > 0 and second > first + 1 and second < len(stem) - 1
        ]
        try:
            values = pattern.values(stem)
        except UserError:
            assert len(cuts) != 1, stem
        else:
            assert len(cuts) == 1, stem
            assert list(values.values()) == [
                stem[: cuts[0][0]],
                stem[cuts[0][0] + 1 : cuts[0][1]],
                stem[cuts[0][1] + 1 :],
            ]
