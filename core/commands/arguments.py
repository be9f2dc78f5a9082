"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task such as nlp/sentiment, a YAML file, or a run folder")
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Overrides, such as data=reviews.tsv fit.epochs=3"),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run")]
Data = Annotated[
    str | None, typer.Option(help="Where the run's data are now; by default where they were when it trained")
]
