"""Answers that label each word, and so name the entities of a text, and answers that label the text too."""

from core.answers.tags.labelled import LabelledTags
from core.answers.tags.tags import Tags

__all__ = ["LabelledTags", "Tags"]
