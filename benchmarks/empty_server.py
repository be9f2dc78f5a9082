"""A server that reads requests and answers nothing of use: what HTTP alone costs on a machine.

    python -m benchmarks.empty_server PORT

It stands beside those of runs in `benchmarks.serving`.
"""

from __future__ import annotations

from typing import Any

import uvicorn

from benchmarks.table import given

HEADERS = [(b"content-type", b"application/json")]
ANSWER = b'{"predictions": [{}]}'


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer whatever is asked, once its body is there."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body", False):
        pass
    length = (b"content-length", str(len(ANSWER)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    [port] = given(__doc__, "PORT", nargs=1)
    uvicorn.run(application, port=int(port), log_level="warning", lifespan="off", access_log=False)
