"""A newer run is tried first in a process whose death costs nothing: `core.serving.candidate`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from core.errors import UserError
from core.processes import import_environment, python_module

if TYPE_CHECKING:
    from core.run import Run

COMMAND = tuple(python_module("core.serving.candidate"))
REFUSED = 2  # what that ends with where it can't load the run


async def try_apart(run: Run, seconds: float) -> None:
    """Load and warm up a run in another process, which may run out of memory, crash, or never end.

    Args:
        run: That is to be served.
        seconds: After which it is given up.

    Raises:
        UserError: It could not be loaded.
    """
    # The memory of a GPU is for the run that is served.
    environment = {**import_environment(), "CUDA_VISIBLE_DEVICES": ""}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        str(run.folder),
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
