"""All figures of speed that stand beside a rival's, in one table.

    python -m benchmarks TEXTS [--pytorch PYTHON]

TEXTS is SST-2 as a folder of tab-separated files without a header. What the peers need is installed in
environments of their own, which are removed at the end; PYTHON is an interpreter that has PyTorch already.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from benchmarks import embeddings, least_squares, nets, overhead, sentiment
from benchmarks.peers import environment
from benchmarks.table import print_table


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("texts", help="folder of SST-2")
    parser.add_argument("--pytorch", type=Path, help="interpreter that has PyTorch")
    given = parser.parse_args()
    with ExitStack() as stack:
        python = given.pytorch or stack.enter_context(environment(nets.PEER, "numpy"))
        lines = [*nets.lines(python)]
    lines += [
        overhead.line(),
        *sentiment.lines(given.texts, "text_column=0", "label_column=1"),
        *least_squares.lines(),
        *embeddings.lines(),
    ]
    print_table(lines)


if __name__ == "__main__":
    main()
