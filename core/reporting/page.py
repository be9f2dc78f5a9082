"""The page of a report and the model card, from templates that are part of the package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core.answers.kind import Answers
from core.reporting.findings import SHOWN
from core.shown import Item, data_uri, marked


@dataclass(frozen=True)
class Mistake:
    """A wrong answer with its input.

    Args:
        answer: The row of `predictions.jsonl`.
        items: The input, where its data are still there, and the answer, ready for a page.
    """

    answer: Mapping[str, Any]
    items: Sequence[Item] = ()


@dataclass(frozen=True)
class Reported:
    """All that a page shows of one run.

    Args:
        figures: The tree of `report/figures.json`.
        pictures: Name to PNG.
        kind: Of the answers; nothing where reports know nothing of them.
        mistakes: The worst, first.
        notes: What a reader should know of this report, such as that the data are gone.
    """

    figures: Mapping[str, Any]
    pictures: Mapping[str, bytes]
    kind: type[Answers] | None = None
    mistakes: Sequence[Mistake] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def page_of(
    reports: Sequence[Reported],
    comparison: Mapping[str, Any] | None = None,
    comparison_pictures: Mapping[str, bytes] | None = None,
) -> str:
    """Return one HTML page that holds all it needs.

    Args:
        reports: One or more runs.
        comparison: The figures of `comparison_of`, with more than one run.
        comparison_pictures: Its pictures, name to PNG.
    """
    return _template("report.html").render(
        reports=reports,
        comparison=comparison,
        comparison_pictures=comparison_pictures or {},
        num_findings=SHOWN,
    )


def card_of(report: Reported, licence: str | None) -> str:
    """Return the model card of a run, as Markdown.

    Args:
        report: Of the run.
        licence: Of its data; nothing where it is not known.

    Source: Mitchell et al., Model Cards for Model Reporting (2019), for what a card should hold.
    """
    card = _template("card.md", finalize=in_markdown)
    return card.render(report=report, figures=report.figures, licence=licence)


def in_markdown(value: Any) -> str:
    """Return a value as Markdown that shows it and does nothing: no link, tag, heading or cell of a table.

    Example:

    >>> in_markdown("![x](http://a.org) <b>|macro_f1")
    '!\\\\[x\\\\](http://a.org) &lt;b&gt;\\\\|macro_f1'
    """
    text = " ".join(str(value).split("\n")).replace("\r", " ")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "&#96;")
    text = re.sub(r"([\\*\[\]|])", r"\\\1", text)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", re.sub(r"^(\s*)([#+=-])(?=\W)", r"\1\\\2", text))


def _template(name: str, **options: Any) -> Any:
    import jinja2

    environment = jinja2.Environment(
        # A kind of answers that refines another may take that one's section into its own.
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("core.reporting"), jinja2.PackageLoader("core.answers", "")]
        ),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        **options,
    )
    environment.globals |= {"section_of": partial(_section_of, environment), "marked": marked}
    environment.filters |= {"figure": figure, "size": size, "duration": duration, "png": _png_address}
    return environment.get_template(name)


def _section_of(environment: Any, report: Reported) -> Any:
    """Return the template of the section that the kind of a run's answers adds to a report, if any."""
    path = report.kind.file("report.html") if report.kind else None
    return environment.from_string(path.read_text(encoding="utf-8")) if path else None


def figure(value: Any, digits: int = 4) -> str:
    """Return a number as a page shows it; a dash for nothing.

    Example:

    >>> figure(0.93389), figure(54054), figure(None)
    ('0.9339', '54,054', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, float) and not (value.is_integer() and abs(value) > 1):
        return f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,.0f}"


def size(num_bytes: int | None) -> str:
    """Return a size in words.

    Example:

    >>> size(3_835_069), size(None)
    ('3.8 MB', '–')
    """
    if num_bytes is None:
        return "–"
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e5 else f"{num_bytes / 1e3:.1f} kB"


def duration(seconds: float | None) -> str:
    """Return a time in words.

    Example:

    >>> duration(671.5), duration(4.88)
    ('11 min 12 s', '4.9 s')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _png_address(content: bytes) -> str:
    return data_uri("image/png", content)
