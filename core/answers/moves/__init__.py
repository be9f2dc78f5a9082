"""Answers that are the next move of a game."""

from core.answers.moves.moves import Moves

__all__ = ["Moves"]
