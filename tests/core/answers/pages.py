"""The report page of answers alone, as a run's would show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.answers.kind import Answers
from core.reporting.figures import figures_of_answers
from core.reporting.page import Mistake, Reported, page_of
from core.reporting.pictures import pictures_of


def page_of_rows(
    kind: type[Answers], rows: Sequence[Mapping[str, Any]], examples: Sequence[Mapping[str, Any]]
) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """Return the page, the figures and the pictures of rows, whose examples are given beside them."""
    figures = figures_of_answers(kind.from_rows(rows), {}, "Answers")
    pictures = pictures_of(figures, kind)
    mistakes = [
        Mistake(rows[place], kind.shown(rows[place], examples[place])) for place in figures["mistakes"]
    ]
    return page_of([Reported(figures, pictures, kind, mistakes)]), figures, pictures
