"""A newer run is tried first in a process whose death costs nothing: `python -m core.serving.candidates`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from core.run import Run

COMMAND = (sys.executable, "-m", "core.serving.candidates")
REFUSED = 2
NICENESS = 10


async def try_apart(run: Run, kind: str, seconds: float) -> None:
    """Load and warm up a run in another process, which may run out of memory, crash, or never end.

    Args:
        run: That is to be served.
        kind: Of inputs, a key of `core.serving.kinds.KINDS`.
        seconds: After which it is given up.

    Raises:
        UserError: It could not be loaded.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "CUDA_VISIBLE_DEVICES": "",  # the memory of a GPU is for the run that is served
    }
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        str(run.folder),
        kind,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            _, said = await process.communicate()
    except TimeoutError:
        raise UserError(f"{run.folder} was not loaded within {seconds:g} s.") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == REFUSED:
        raise UserError(said.decode(errors="replace").strip().splitlines()[-1])
    if process.returncode:
        raise UserError(f"{run.folder} ends the process that loads it, with {_ending(process.returncode)}.")


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def main(folder: str, kind: str) -> int:
    """Load and warm up a run; return 0, or `REFUSED` after a line on standard error that says why not."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where there is such a file, whoever takes too much memory goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    from core.run import Run
    from core.serving.kinds import KINDS
    from core.serving.served import warm_up
    from core.serving.settings import Batching, Limits
    from core.silence import import_quietly

    try:
        run = Run(folder)
        _ = run.experiment
        import_quietly()
        warm_up(run, KINDS[kind], Batching(size=1), Limits())
    except Exception as error:  # whatever a damaged run may do
        told = (str(error).strip().splitlines() or [""])[0]
        print(told if isinstance(error, UserError) else f"{type(error).__name__}: {told}", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # TensorFlow's threads take a second to end
