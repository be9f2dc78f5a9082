"""Hands damaged configurations, runs and requests to what reads them: each is taken, or refused in a line.

    python -m benchmarks.fuzz [--seed 0] [--seconds 20] [READER...]

READER is one or more of yaml, run and http; by default all, each for so long.
The same seed makes the same inputs in the same order. Each failure is kept as a file, to be looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import signal
import socket
import string
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import UserError
from core.run import Run
from tests import small_data

SLOW = 10.0  # seconds after which an input counts as one that hangs a reader
LONGEST_LINE = 2000  # characters of a refusal
TOKENS = [
    *(
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "!!timestamp x",
        "!!int x",
        "<<: ",
        "? ",
        "- ",
        "[" * 60,
        "{" * 60,
    ),
    *(
        "null",
        "~",
        ".inf",
        ".nan",
        "1e999",
        "-1",
        "9" * 400,
        "0x",
        "2026-13-45",
        "'",
        '"',
        "\\",
        "\t",
        "\n",
        "\r",
    ),
    *(
        "\x00",
        "\ufeff",
        "\u202e",
        "é",
        "大",
        "=1+1",
        "@x",
        ",",
        ";",
        "::",
        ":",
        "#",
        "%",
        "${x}",
        "../",
        "tfds:",
    ),
]
STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    float("nan"),
    10**400,
    "",
    "x" * 5000,
    [],
    {},
    [[[[]]]],
    {"a": {"a": 1}},
]
Case = tuple[bytes, Callable[[], object]]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return a content with a few bytes or pieces changed, moved, lost or put in."""
    parts = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        place = chance.randrange(len(parts) + 1)
        length = chance.choice([1, 2, 8, 64, len(parts) // 2 + 1])
        kind = chance.randrange(6)
        if kind == 0 and parts:
            parts[place % len(parts)] = chance.randrange(256)
        elif kind == 1:
            del parts[place : place + length]
        elif kind == 2:
            parts[place:place] = parts[place : place + length]
        elif kind == 3:
            parts[place:place] = chance.choice(TOKENS).encode()
        elif kind == 4:
            parts[place:place] = chance.randbytes(length % 100)
        else:
            del parts[place:]
    return bytes(parts)


def damaged_tree(tree: Any, chance: random.Random) -> Any:
    """Return nested values in which one is another, is gone, or has another name."""
    if isinstance(tree, dict) and tree and chance.random() < 0.9:
        key = chance.choice(list(tree))
        if chance.random() < 0.1:
            return {name: value for name, value in tree.items() if name != key}
        if chance.random() < 0.1:
            return {chance.choice(string.ascii_letters) if name == key else name: tree[name] for name in tree}
        return {**tree, key: damaged_tree(tree[key], chance)}
    if isinstance(tree, list) and tree and chance.random() < 0.7:
        place = chance.randrange(len(tree))
        return [*tree[:place], damaged_tree(tree[place], chance), *tree[place + 1 :]]
    return chance.choice(STRANGE)


def yaml_cases(folder: Path, chance: random.Random) -> Iterator[Case]:
    """Yield configurations."""
    from core.experiment import configurations, load_experiment

    shipped = [path.read_bytes() for path in configurations().values()]
    path = folder / "mine.yaml"
    while True:
        content = damaged(chance.choice(shipped), chance)
        path.write_bytes(content)
        yield content, lambda: load_experiment(str(path))


def run_cases(folder: Path, chance: random.Random) -> Iterator[Case]:
    """Yield run folders with one damaged file, which are opened and reported."""
    from core import console
    from core.errors import damage_told
    from core.experiment import load_experiment
    from core.reporting import report_runs
    from core.training.train import train

    quick = ["fit.epochs=1", "fit.tensorboard=false", "fit.steps_per_execution=1", "audit.leaks=allow"]
    data = small_data.reviews(folder)
    # Pictures take a second each, and what reads files is what is tried.
    sys.modules["core.reporting.report"].pictures_of = lambda *_: {}
    console.console = lambda: Console(file=io.StringIO())
    run = train(load_experiment("nlp/sentiment", [f"data={data}", *quick]), folder / "run").folder
    whole = folder / "whole"
    shutil.copytree(run, whole)
    names = sorted(path.name for path in whole.iterdir() if path.is_file() and path.suffix != ".keras")

    def opened() -> None:
        damaged_run = Run(run)
        _ = (
            damaged_run.as_trained,
            damaged_run.metrics,
            damaged_run.encoder,
            damaged_run.calibration,
            damaged_run.compilation,
        )
        with damage_told(damaged_run.folder):
            console.print_figures(damaged_run.metrics, damaged_run.experiment.task)
        report_runs([damaged_run], with_data=False)

    while True:
        name = chance.choice(names)
        content = (whole / name).read_bytes()
        if name.endswith(".json") and chance.random() < 0.7:
            changed = json.dumps(damaged_tree(json.loads(content), chance)).encode()
        elif name.endswith(".jsonl") and chance.random() < 0.7:
            rows = content.splitlines()
            place = chance.randrange(len(rows))
            rows[place] = json.dumps(damaged_tree(json.loads(rows[place]), chance)).encode()
            changed = b"\n".join(rows) + b"\n"
        else:
            changed = damaged(content, chance)
        (run / name).write_bytes(changed)
        yield name.encode() + b"\n" + changed, opened
        (run / name).write_bytes(content)


def http_cases(folder: Path, chance: random.Random) -> Iterator[Case]:
    """Yield requests to a server, each on a connection of its own; after each it must still answer."""
    import httpx

    from tests.core.serving.fake_runs import Lengths, Sums, Tastes, write_run
    from tests.core.serving.server_of_fakes import served

    runs = {"lengths": Lengths, "sums": Sums, "tastes": Tastes}
    body = b'{"inputs": [{"user": "1", "item": "2"}, {"ratings": {"1": 4.0}}, "text"]}'
    with served(*(write_run(folder / name, task) for name, task in runs.items())) as (process, url):
        port = httpx.URL(url).port

        def asked(request: bytes) -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                answer = bytearray()
                with contextlib.suppress(ConnectionError, TimeoutError):
                    connection.sendall(request)
                    connection.shutdown(socket.SHUT_WR)
                    while part := connection.recv(65536):
                        answer += part
            assert process.poll() is None, "the server died"
            status = answer[9:12].decode()
            assert not status or (status != "500" and status[0] in "245"), f"status {status}"
            assert httpx.get(f"{url}/healthz").status_code == 200

        while True:
            name = chance.choice(list(runs))
            sent = damaged(body, chance) if chance.random() < 0.6 else body
            path = f"/v1/{name}/{chance.choice(['predict', 'explain'])}"
            head = (
                f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
            ).encode()
            request = (damaged(head, chance) if chance.random() < 0.6 else head) + sent
            yield request, lambda request=request: asked(request)


READERS = {
    "yaml": yaml_cases,
    "run": run_cases,
    "http": http_cases,
}


def outcome(read: Callable[[], object]) -> str:
    """Return how a reader ends: `taken`, `refused`, or what is wrong with it."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"takes more than {SLOW:g} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, SLOW)
    try:
        read()
        return "taken"
    except UserError as error:
        message = str(error)
        short = len(message.splitlines()) == 1 and len(message) <= LONGEST_LINE
        return (
            "refused" if short else f"a refusal of {len(message.splitlines())} lines, {len(message)} letters"
        )
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(frame.filename).name}, {frame.name}, line {frame.lineno}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> int:
    """Try all readers; return how many kinds of failures were found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], help="by default all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-found"), help="folder for the inputs that fail"
    )
    given = parser.parse_args()
    num_failures = 0
    for name in given.readers or READERS:
        counts = Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            cases = READERS[name](Path(folder), random.Random(f"{name} {given.seed}"))
            content, read = next(cases)  # what it takes to begin is not counted
            end = time.monotonic() + given.seconds
            while time.monotonic() < end:
                result = outcome(read)
                counts[result] += 1
                if result not in ("taken", "refused") and counts[result] == 1:
                    given.keep.mkdir(exist_ok=True)
                    (given.keep / f"{name}-{len(counts)}").write_bytes(content)
                content, read = next(cases)
            cases.close()
        wrong = {result: count for result, count in counts.items() if result not in ("taken", "refused")}
        num_failures += len(wrong)
        tally = f"{counts['taken']:,} taken, {counts['refused']:,} refused"
        print(f"{name}: {tally}, {len(wrong)} kinds of failures")
        for result, count in wrong.items():
            print(f"  {count} times {result}")
    return min(num_failures, 100)


if __name__ == "__main__":
    sys.exit(main())
