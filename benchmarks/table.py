"""The one table that figures of speed stand in, with the day, the versions and the hardware."""

from __future__ import annotations

import argparse
import datetime
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One figure of ours beside the rival's, taken by turns in one run.

    Args:
        what: Is measured.
        unit: Of both figures.
        ours: One figure a round, at least one.
        rival: Who stands beside.
        theirs: One figure a round; none where the figure stands alone.
        more: Whether a larger figure is better.
        note: What else belongs to it, such as which way was the fastest.
    """

    what: str
    unit: str
    ours: Sequence[float]
    rival: str
    theirs: Sequence[float] = ()
    more: bool = False
    note: str = ""

    @property
    def gain(self) -> float | None:
        """How many times better ours is, by the medians."""
        if not self.theirs:
            return None
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return ours / theirs if self.more else theirs / ours

    def __str__(self) -> str:
        gain = "" if self.gain is None else f"{self.gain:.2f}"
        cells = (
            f"{self.what}, {self.unit}",
            _spread(self.ours),
            _spread(self.theirs),
            self.rival,
            gain,
            self.note,
        )
        return f"| {' | '.join(cells)} |"


def _spread(figures: Sequence[float]) -> str:
    if not figures:
        return ""
    middle, least, most = (
        _rounded(each) for each in (statistics.median(figures), min(figures), max(figures))
    )
    return middle if least == most else f"{middle} ({least} to {most})"


def _rounded(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def print_table(lines: Sequence[Line]) -> None:
    """Print lines as a table in Markdown, under where and when they were measured."""
    from core.surroundings import surroundings

    here = surroundings()
    versions = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    print(f"{datetime.date.today()}; {here['processors']} cores of {_processor()}; {versions}\n")
    print("| what | ours: median (least to most) | rival's | rival | times better | |")
    print("|---|---|---|---|---|---|")
    for line in lines:
        print(line)


def _processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    known = Path("/proc/cpuinfo")
    if known.is_file():
        for line in known.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def given(about: str | None, name: str = "", nargs: str = "*") -> list[str]:
    """Return what the command line gives; `--help` describes the benchmark.

    Args:
        about: What `--help` says of it.
        name: Of the values that it takes, if any.
        nargs: How many, as `argparse` says it.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    if name:
        parser.add_argument(name, nargs=nargs)
    return vars(parser.parse_args()).get(name, [])
