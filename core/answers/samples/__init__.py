"""Answers that are pictures drawn from a distribution, which real ones are compared with as a whole."""

from core.answers.samples.samples import Samples

__all__ = ["Samples"]
