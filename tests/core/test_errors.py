from __future__ import annotations

import pytest

from core.errors import UserError


@pytest.mark.parametrize("quoted", ["a\nb", "a\r\nb", "a \u2028 b", "a\x0bb"])
def test_a_message_is_one_line_whatever_it_quotes(quoted):
    assert str(UserError(f"No label {quoted}.")) == "No label a b."


@pytest.mark.parametrize("quoted", ["\x1b[2J", "\ud800", "\x00", "\x9b31m"])
def test_a_message_holds_nothing_that_a_terminal_obeys_or_can_t_print(quoted):
    message = str(UserError(f"No label {quoted}."))
    assert message.isprintable()
    assert message.encode()


def test_a_message_that_quotes_a_whole_file_is_cut_in_its_middle():
    message = str(UserError(f"Begin {'x' * 10**6} end."))
    assert len(message) <= 2000
    assert message.startswith("Begin x")
    assert message.endswith("x end.")


def test_a_message_in_any_script_stays_as_it_is():
    for message in ("Größe ΣΊΣΥΦΟΣ 电影 فيلم फ़िल्म 👍🏽", "a\u00a0b"):
        assert str(UserError(message)) == message
