"""Answers that are boxes around the objects of a picture."""

from core.answers.boxes.boxes import Boxes

__all__ = ["Boxes"]
