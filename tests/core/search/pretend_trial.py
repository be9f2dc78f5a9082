"""A trial that trains nothing: it speaks as `core.search.trial` does, and starts in a blink.

Its figure is best at a learning rate of 0.01 and grows with the epochs; a larger dimension makes it worse. A
momentum of the average below 0.5 makes it die, and PRETEND_SECONDS is what an epoch takes.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

import yaml


def main() -> None:
    order = json.loads(sys.stdin.readline())
    experiment = yaml.safe_load(order["experiment"])
    fit = experiment["fit"]
    with (Path(order["folder"]) / "started").open("a") as file:
        print(os.getpid(), file=file)
    answers: queue.Queue[str] = queue.Queue()
    threading.Thread(target=listen, args=(answers,), daemon=True).start()
    if (fit["average_weights"] or 1) < 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

    def say(step: int, **figures: float) -> str:
        print(json.dumps({"step": step, "figures": figures}), flush=True)
        return answers.get()

    def figure(epoch: int) -> float:
        distance = abs(math.log(fit["learning_rate"] / 0.01)) + experiment["task"].get("dim", 0) / 10
        return math.exp(-distance) * (1 - 0.5**epoch)

    size = {"parameters": 100 * fit["batch_size"]}
    answer, epoch = say(0, **size), 0
    last = min(fit["epochs"], order["stop_after"] or fit["epochs"])
    while answer == "go" and epoch < last:
        time.sleep(float(os.environ.get("PRETEND_SECONDS", "0")))
        epoch += 1
        if epoch < fit["epochs"]:
            answer = say(epoch, **{name: figure(epoch) for name in order["objectives"]})
    known = {"epochs": epoch, "seconds": 0.1, **size}
    print(json.dumps({"ended": known | {name: figure(epoch) for name in order["objectives"]}}), flush=True)
    os._exit(0)


def listen(answers: queue.Queue[str]) -> None:
    for line in sys.stdin:
        answers.put(line.strip())
    os._exit(1)


if __name__ == "__main__":
    main()
