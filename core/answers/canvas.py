"""What all pictures of a report share: size, colours that everybody can tell apart, and PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design (2008): told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#000000")
LINES = ("-", "--", ":", "-.")
WIDTH = 4.6  # inches; 10 points stay readable when a phone shows it 360 pixels wide
DOTS = 170  # an inch


def canvas(height: float = 3.4, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return an empty figure, sizes in inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def png(figure: Figure) -> bytes:
    """Return a figure as PNG, the same bytes each time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    # `savefig` would draw it twice: once to see how large it is.
    FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def line_style(place: int) -> dict[str, Any]:
    """Return colour and dashes of the line at a place, no two alike for the first thirty."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": LINES[place // len(COLOURS) % len(LINES)],
        "linewidth": 1.8,
    }
