"""A chess board as a position says it, played on by moves, and drawn.

It knows how pieces are set and carried, not which moves the rules allow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
SIZE = 8
FILES = "abcdefgh"
PLACEMENT = re.compile(r"^[pnbrqkPNBRQK1-8]+(?:/[pnbrqkPNBRQK1-8]+){7}$")
MOVE = re.compile(r"^([a-h][1-8])([a-h][1-8])([nbrq]?)$")
SQUARE = 45  # units of the drawing along an edge
LIGHT, DARK = "#eeeeee", "#a9b4c2"
MARGIN = 18  # for the letters and numbers
FIGURES = {"k": "♚", "q": "♛", "r": "♜", "b": "♝", "n": "♞", "p": "♟"}
AS_TEXT = "\ufe0e"  # asks for a letter where a font has a coloured picture too


class Arrow(NamedTuple):
    """A move that is drawn.

    Args:
        move: Such as `e2e4`; what is no such move is not drawn.
        colour: As SVG writes it.
        dashed: Whether the line is, so that two are told apart without their colours.
    """

    move: str
    colour: str
    dashed: bool = False


class Board:
    """The pieces on their squares, whose turn it is, and the number of the move.

    Args:
        pieces: From a square, such as `e4`, to the letter of its piece, a capital for White.
        white_to_move: Whose turn it is.
        move_number: From 1, one for both sides.
    """

    def __init__(self, pieces: dict[str, str], white_to_move: bool, move_number: int) -> None:
        self.pieces = pieces
        self.white_to_move = white_to_move
        self.move_number = move_number

    def play(self, move: str) -> bool:
        """Carry out a move, castling and taking in passing among them; whether that was possible.

        Args:
            move: From square to square, then the piece that a pawn becomes: `e2e4`, `e7e8q`.
        """
        match = MOVE.match(move)
        if match is None or match[1] not in self.pieces:
            return False
        start, end, promotion = match.groups()
        piece = self.pieces.pop(start)
        if piece in "Pp" and start[0] != end[0] and end not in self.pieces:
            self.pieces.pop(end[0] + start[1], None)
        if piece in "Kk" and abs(FILES.index(start[0]) - FILES.index(end[0])) == 2:
            corner, beside = ("h", "f") if end[0] == "g" else ("a", "d")
            if (rook := self.pieces.pop(corner + start[1], None)) is not None:
                self.pieces[beside + start[1]] = rook
        if promotion:
            piece = promotion.upper() if piece.isupper() else promotion
        self.pieces[end] = piece
        self.move_number += not self.white_to_move
        self.white_to_move = not self.white_to_move
        return True

    def placement(self) -> str:
        """Return the pieces as Forsyth and Edwards write them, from the eighth rank down."""
        ranks = []
        for rank in range(SIZE, 0, -1):
            row = "".join(self.pieces.get(f"{file}{rank}", " ") for file in FILES)
            ranks.append(re.sub(" +", lambda blanks: str(len(blanks[0])), row))
        return "/".join(ranks)


def board_of(position: str) -> Board | None:
    """Return the board of a position of chess; nothing where the text is none.

    Args:
        position: In Forsyth-Edwards notation, or the moves since the start: `e2e4 e7e5`.

    Example:

    >>> board_of("e2e4 e7e5").placement()
    'rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR'
    >>> board_of("a position of another game") is None
    True
    """
    words = position.split()
    if words and "/" in words[0]:
        return _of_notation(words)
    board = _of_notation(START.split())
    return board if board is not None and all(board.play(move) for move in words) else None


def _of_notation(words: Sequence[str]) -> Board | None:
    if not PLACEMENT.match(words[0]):
        return None
    pieces: dict[str, str] = {}
    for rank, row in zip(range(SIZE, 0, -1), words[0].split("/"), strict=True):
        squares = re.sub("[1-8]", lambda digit: " " * int(digit[0]), row)
        if len(squares) != SIZE:
            return None
        pieces |= {f"{file}{rank}": piece for file, piece in zip(FILES, squares, strict=True) if piece != " "}
    number = words[5] if len(words) > 5 else ""
    return Board(pieces, words[1:2] != ["b"], int(number) if number.isdecimal() else 1)


def drawing(board: Board, arrows: Sequence[Arrow] = ()) -> str:
    """Return a board as SVG, seen by the side whose turn it is.

    Args:
        board: What stands where.
        arrows: Moves, the last on top.
    """
    edge = SIZE * SQUARE + MARGIN
    size = f'viewBox="0 0 {edge} {edge}" width="{edge}" height="{edge}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    parts += [_square(board, file, rank) for rank in range(1, SIZE + 1) for file in FILES]
    parts += [_labels(board, place) for place in range(SIZE)]
    parts += [_arrow(board, arrow) for arrow in arrows if MOVE.match(arrow.move)]
    return "".join([*parts, "</svg>"])


def _corner(board: Board, square: str) -> tuple[int, int]:
    """Return where a square begins in the drawing, from the left and from the top."""
    column, row = FILES.index(square[0]), SIZE - int(square[1])
    if not board.white_to_move:
        column, row = SIZE - 1 - column, SIZE - 1 - row
    return MARGIN + column * SQUARE, row * SQUARE


def _square(board: Board, file: str, rank: int) -> str:
    x, y = _corner(board, f"{file}{rank}")
    light = (FILES.index(file) + rank) % 2 == 0
    shade = LIGHT if light else DARK
    drawn = f'<rect x="{x}" y="{y}" width="{SQUARE}" height="{SQUARE}" fill="{shade}"/>'
    piece = board.pieces.get(f"{file}{rank}")
    if piece is None:
        return drawn
    fill, stroke = ("#ffffff", "#111111") if piece.isupper() else ("#111111", "#ffffff")
    return (
        f'{drawn}<text x="{x + SQUARE / 2}" y="{y + SQUARE * 0.82}" font-size="{SQUARE * 0.9:.0f}" '
        f'text-anchor="middle" fill="{fill}" stroke="{stroke}" stroke-width="0.8">'
        f"{FIGURES[piece.lower()]}{AS_TEXT}</text>"
    )


def _labels(board: Board, place: int) -> str:
    x, y = _corner(board, f"{FILES[place]}{place + 1}")
    style = 'font-size="12" font-family="sans-serif" fill="#555555" text-anchor="middle"'
    below = f'<text x="{x + SQUARE / 2}" y="{SIZE * SQUARE + 13}" {style}>{FILES[place]}</text>'
    return f'{below}<text x="{MARGIN / 2}" y="{y + SQUARE / 2 + 4}" {style}>{place + 1}</text>'


def _arrow(board: Board, arrow: Arrow) -> str:
    (x1, y1), (x2, y2) = (_corner(board, arrow.move[at : at + 2]) for at in (0, 2))
    half = SQUARE / 2
    dashes = ' stroke-dasharray="9 6"' if arrow.dashed else ""
    return (
        f'<line x1="{x1 + half}" y1="{y1 + half}" x2="{x2 + half}" y2="{y2 + half}" stroke="{arrow.colour}" '
        f'stroke-width="6" stroke-linecap="round" opacity="0.85"{dashes}/>'
        f'<circle cx="{x2 + half}" cy="{y2 + half}" r="9" fill="{arrow.colour}" opacity="0.85"/>'
    )
