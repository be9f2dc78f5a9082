from __future__ import annotations

import json
import math
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest

from core.answers.moves import Moves
from core.answers.moves.board import START, Arrow, board_of, drawing
from tests.core.answers.pages import report_of, shown_on_the_page

MOVES = ["e2e4", "d2d4", "g1f3", "c2c4", "b1c3", "g2g3"]
SHARES = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04]
SVG = "{http://www.w3.org/2000/svg}"


def row(true: str, position: str = "", **more) -> dict:
    return {"position": position, "true": true, "predicted": MOVES, "probabilities": SHARES, **more}


def all_of(answers: Moves) -> dict[str, float]:
    return answers.statistics(np.arange(len(answers)))


def test_the_figures_by_hand():
    # At places 1, 3, 6, and in no list.
    figures = all_of(Moves.from_rows([row("e2e4"), row("g1f3"), row("g2g3"), row("a2a3", probability=0.01)]))
    assert figures == pytest.approx(
        {
            "accuracy": 1 / 4,
            "top_3": 2 / 4,
            "top_5": 2 / 4,
            "log_loss": -(math.log(0.4) + math.log(0.15) + math.log(0.04) + math.log(0.01)) / 4,
            "mrr": (1 + 1 / 3 + 1 / 6 + 0) / 4,
        }
    )


def test_figures_of_a_resample_are_those_of_the_same_positions_written_out():
    rows = [row(MOVES[place % 6]) for place in range(20)]
    drawn = np.random.default_rng(1).integers(0, 20, 20)
    expected = all_of(Moves.from_rows([rows[place] for place in drawn]))
    assert Moves.from_rows(rows).statistics(drawn) == pytest.approx(expected)


def test_a_move_of_no_probability_costs_much_and_not_everything():
    assert 20 < all_of(Moves.from_rows([row("a2a3")]))["log_loss"] < math.inf


def test_the_worst_mistake_is_the_move_thought_least_likely():
    answers = Moves.from_rows([row("d2d4"), row("e2e4"), row("g2g3")])
    assert answers.mistakes(5).tolist() == [2, 0]
    assert answers.right.tolist() == [False, True, False]
    assert answers.of_loss(answers.losses.mean()) == pytest.approx(all_of(answers)["accuracy"])


@pytest.mark.parametrize(
    ("position", "more", "phase"),
    [
        ("", {}, "1 to 10"),
        (" ".join(["g1f3", "g8f6", "f3g1", "f6g8"] * 5), {}, "11 to 20"),
        ("8/8/8/8/8/8/8/K1k5 w - - 0 40", {}, "31 to 40"),
        ("8/8/8/8/8/8/8/K1k5 w - - 0 41", {}, "41 and later"),
        ("of another game", {}, "not known"),
        ("of another game", {"move_number": 25}, "21 to 30"),
    ],
)
def test_a_position_has_a_phase(position, more, phase):
    assert list(Moves.from_rows([row("e2e4", position, **more)]).per_phase()) == [phase]


@pytest.mark.parametrize(
    ("moves", "placement"),
    [
        ("", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR"),
        # Castling on both sides.
        ("g1f3 b8c6 g2g3 d7d6 f1g2 c8e6 e1g1 d8d7 a2a3 e8c8",
         "2kr1bnr/pppqpppp/2npb3/8/8/P4NP1/1PPPPPBP/RNBQ1RK1"),
        # Taking in passing.
        ("e2e4 a7a6 e4e5 d7d5 e5d6", "rnbqkbnr/1pp1pppp/p2P4/8/8/8/PPPP1PPP/RNBQKBNR"),
        # A pawn that becomes a knight.
        ("a2a4 b7b5 a4b5 a7a6 b5a6 g8f6 a6a7 f6g8 a7b8n", "rNbqkbnr/2pppppp/8/8/8/8/1PPPPPPP/RNBQKBNR"),
    ],
)  # fmt: skip
def test_moves_are_played_on_the_board(moves, placement):
    assert board_of(moves).placement() == placement


def test_the_turn_and_the_number_of_the_move_are_known():
    board = board_of("e2e4 e7e5 g1f3")
    assert (board.white_to_move, board.move_number) == (False, 2)
    board = board_of("8/8/8/8/8/8/8/K1k5 b - - 3 57")
    assert (board.white_to_move, board.move_number) == (False, 57)


@pytest.mark.parametrize(
    "text", ["hello", "e2e4 e2e4", "8/8/8", "9/8/8/8/8/8/8/8 w", "ppppppppp/8/8/8/8/8/8/8 w"]
)
def test_what_is_no_position_of_chess_has_no_board(text):
    assert board_of(text) is None


def drawn(position: str, *arrows: Arrow) -> ElementTree.Element:
    return ElementTree.fromstring(drawing(board_of(position), arrows))


def test_the_drawing_has_every_square_and_every_piece():
    board = drawn(START)
    assert len(board.findall(f"{SVG}rect")) == 64
    assert sum(text.text[0] in "♚♛♜♝♞♟" for text in board.findall(f"{SVG}text")) == 32


@pytest.mark.parametrize(("turn", "corner"), [("w", "a8"), ("b", "h1")])
def test_the_side_to_move_sees_its_own_pieces_below(turn, corner):
    board = drawn(f"r7/8/8/8/8/8/8/7R {turn} - - 0 1")
    (piece,) = [
        each for each in board.findall(f"{SVG}text") if float(each.get("y")) < 45 and "♜" in each.text
    ]
    assert piece.get("fill") == ("#111111" if corner == "a8" else "#ffffff")


def test_h1_is_a_light_square():
    (square,) = [
        each
        for each in drawn(START).findall(f"{SVG}rect")
        if (each.get("x"), each.get("y")) == ("333", "315")
    ]
    assert square.get("fill") == "#eeeeee"


def test_an_arrow_goes_from_square_to_square_and_what_is_no_move_has_none():
    board = drawn(START, Arrow("e2e4", "#0072B2"), Arrow("O-O", "#D55E00"))
    (line,) = board.findall(f"{SVG}line")
    # The fifth column after the margin of 18; the seventh and the fifth row.
    assert [float(line.get(name)) for name in ("x1", "y1", "x2", "y2")] == [220.5, 292.5, 220.5, 202.5]


def many() -> list[dict]:
    late = "8/8/8/8/8/8/8/K1k5 w - - 0 60"
    return [row("e2e4") for _ in range(30)] + [row("d2d4", late, row=place) for place in range(20)]


def test_a_report_tells_the_phases_and_draws_the_board():
    figures, page = report_of(Moves, many())
    assert figures["details"]["phases"]["41 and later"]["accuracy"] == 0.0
    assert figures["details"]["places"][:3] == [30, 20, 0]
    assert 'id="moves"' in page
    address = page.split('src="data:image/svg+xml;base64,')[1].split('"')[0]
    assert len(ElementTree.fromstring(b64decode(address)).findall(f"{SVG}line")) == 2


def test_what_to_mend_is_named():
    figures, _ = report_of(Moves, many())
    titles = {finding["title"] for finding in figures["findings"]}
    assert {
        "Moves 41 and later are answered worst",
        "Most moves that are missed stand second or third",
    } <= titles


def test_moves_against_the_rules_are_counted_where_rows_name_the_legal_ones():
    figures, _ = report_of(Moves, [row("d2d4", legal=["d2d4"]) for _ in range(10)])
    assert figures["details"]["illegal"] == 10
    assert "Some answers are against the rules" in {finding["title"] for finding in figures["findings"]}


def test_rows_that_name_no_legal_moves_claim_nothing_of_them():
    assert Moves.from_rows([row("d2d4", legal=["d2d4"]), row("d2d4")]).details()["illegal"] is None


def test_too_much_confidence_is_named():
    rows = [row("d2d4") | {"probabilities": [0.95, 0.05, 0, 0, 0, 0]} for _ in range(10)]
    figures, _ = report_of(Moves, rows)
    assert "The model is surer than it is right" in {finding["title"] for finding in figures["findings"]}


def test_a_report_of_another_game_has_no_board():
    _, page = report_of(Moves, [row("4,4", "B[3,3]")] * 3)
    assert "data:image/svg+xml" not in page


def test_a_console_gets_the_table_of_phases():
    table = Moves.table({"per_phase": Moves.from_rows(many()).per_phase()})
    assert [cells[0] for cells in table.rows] == ["1 to 10", "41 and later"]


def test_the_page_draws_the_board_and_the_best_move(tmp_path):
    answer = {"position": START, "moves": [{"move": "e2e4", "probability": 0.5}]}
    headline, _, board, bars = json.loads(shown_on_the_page(Moves, answer, tmp_path))
    assert headline[2] == ["e2e4"]
    assert [tag for tag, *_ in board[2]].count("rect") == 64
    assert [attributes["x1"] for tag, attributes, _ in board[2] if tag == "line"] == ["202.5"]
    assert "50.0%" in json.dumps(bars)


def test_the_page_of_another_game_shows_moves_alone(tmp_path):
    answer = {"position": "B[3,3]", "moves": [{"move": "4,4", "probability": 0.5}]}
    assert "rect" not in shown_on_the_page(Moves, answer, tmp_path)
