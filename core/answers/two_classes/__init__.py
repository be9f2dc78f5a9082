"""Whether something happens: of two classes, how likely the second is."""

from core.answers.two_classes.two_classes import TwoClasses, figures_of

__all__ = ["TwoClasses", "figures_of"]
