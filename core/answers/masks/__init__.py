"""Answers that say of each pixel of a picture what it shows."""

from core.answers.masks.agreement import agreement
from core.answers.masks.masks import Masks

__all__ = ["Masks", "agreement"]
