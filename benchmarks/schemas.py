"""Holds the server against its own OpenAPI schema, with a run of every kind of input and answer.

    python -m benchmarks.schemas [--examples 50] [--schemathesis ST] [FAMILY...]

Schemathesis draws requests that the schema allows and requests that it forbids. What is allowed must be
answered as the schema says, what is forbidden refused, and nothing may end in a server error. The runs are
those of the families in miniature; ST is the `st` of an environment that has schemathesis already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load_generator import served
from benchmarks.peers import environment
from core.training.train import train
from tests.miniatures.families import FAMILIES

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
]


def trained(names: list[str], folder: Path) -> list[str]:
    """Train families in miniature, with those they start from; return the folders of their runs."""
    paths: list[str] = []
    for name in names:
        family = FAMILIES[name]
        start = folder / family.start if family.start else None
        if start and not start.exists():
            train(FAMILIES[family.start].experiment(None), start)
        if not (folder / name).exists():
            train(family.experiment(start), folder / name)
        paths.append(str(folder / name))
    return paths


def main() -> None:
    """Serve the runs, and hand the server to schemathesis."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="by default all")
    parser.add_argument("--examples", type=int, default=50, help="of each operation")
    parser.add_argument("--schemathesis", type=Path, help="its command `st`")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ["QUARTET_TRUST"] = "tests.miniatures"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = given.schemathesis or stack.enter_context(environment("schemathesis")).with_name("st")
        service = stack.enter_context(served(trained(given.families or list(FAMILIES), folder)))
        ended = subprocess.run(
            [
                *(str(command), "run", f"http://localhost:{service.port}/openapi.json"),
                *("--checks", ",".join(CHECKS), "--max-examples", str(given.examples)),
                *("--seed", str(given.seed), "--continue-on-failure", "--request-timeout", "60"),
                *("--suppress-health-check", "all", "--no-color"),
            ]
        )
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
