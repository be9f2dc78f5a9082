"""The process in which a newer run is tried: `python -m core.serving.candidate FOLDER`."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from core.errors import UserError
from core.serving.candidates import REFUSED

NICENESS = 10


def main(folder: str) -> int:
    """Load and warm up a run; return 0, or `REFUSED` after a line on standard error that says why not."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where there is such a file, whoever takes too much memory goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    from core.inputs.limits import Limits
    from core.run import Run
    from core.serving.served import schema_of, warm_up
    from core.serving.settings import Batching
    from core.silence import import_quietly

    try:
        run = Run(folder)
        _ = run.experiment
        import_quietly()
        warm_up(run, schema_of(run, Limits()), Batching(size=1))
    except Exception as error:  # whatever a damaged run may do
        reason = (str(error).strip().splitlines() or [""])[0]
        print(
            reason if isinstance(error, UserError) else f"{type(error).__name__}: {reason}", file=sys.stderr
        )
        return REFUSED
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # TensorFlow's threads take a second to end
