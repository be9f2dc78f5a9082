"""Times alternating least squares on choices beside the library `implicit`, at the same objective.

    python -m benchmarks.least_squares [DATA]

DATA is a MovieLens-style file or folder; by default the sample, MovieLens 100K. The peer is installed in an
environment of its own, which is removed at the end. Both get the same pairs, factors and sweeps, one after
the other in each round, and are judged on the last choice of each user over the whole catalogue.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from apps.recommendation.encoder import RatingsEncoder
from apps.recommendation.interactions import Interactions
from apps.recommendation.judging import ScoreUsers, ranking_figures
from apps.recommendation.least_squares import Factorisation, ImplicitLeastSquares
from core.experiment import load_experiment

PEER = "implicit==0.7.3"
DIM, SWEEPS, PENALTY, UNOBSERVED = 64, 15, 2.0, 0.1
ROUNDS = 3

# Our objective, with scores times 1 + UNOBSERVED, and divided by the weight of a pair that nobody chose.
PEER_SCRIPT = """
import sys, time
import numpy as np
from scipy.sparse import csr_matrix
from implicit.als import AlternatingLeastSquares
given = np.load(sys.argv[1])
pairs = csr_matrix((given["confidence"], given["items"], given["offsets"]), shape=tuple(given["shape"]))
model = AlternatingLeastSquares(
    factors=int(given["dim"]), regularization=float(given["penalty"]), iterations=int(given["sweeps"]),
    use_cg=bool(given["conjugate"]), random_state=0,
)
start = time.perf_counter()
model.fit(pairs, show_progress=False)
seconds = time.perf_counter() - start
np.savez(sys.argv[2], seconds=seconds, users=model.user_factors, items=model.item_factors)
"""


def ours(data: Interactions) -> tuple[float, ScoreUsers]:
    """Return the seconds of all sweeps, and what scores users then."""
    random = np.random.default_rng(0)
    tables = (random.normal(0, 0.1, (n, DIM)).astype(np.float32) for n in (data.num_users, data.num_items))
    factors = Factorisation(
        *tables, np.zeros(data.num_users, np.float32), np.zeros(data.num_items, np.float32)
    )
    problem = ImplicitLeastSquares(data, PENALTY, 0.0, UNOBSERVED)
    problem.sweep(factors)  # compiles
    start = time.perf_counter()
    for _ in range(SWEEPS):
        factors = problem.sweep(factors)
    return time.perf_counter() - start, lambda users: factors.users[users] @ factors.items.T


def peer(python: Path, data: Interactions, conjugate: bool) -> tuple[float, ScoreUsers]:
    """Return the same of `implicit`.

    Args:
        python: Of the environment that has it.
        data: The choices.
        conjugate: Three steps of conjugate gradient a row, its default, and not the exact solution.
    """
    rows = data.items_by_user()
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(
            given,
            items=rows.values,
            offsets=rows.offsets,
            confidence=np.full(len(rows.values), (1 + UNOBSERVED) / UNOBSERVED, np.float32),
            shape=(data.num_users, data.num_items),
            dim=DIM,
            penalty=PENALTY * (1 + UNOBSERVED) / UNOBSERVED,
            sweeps=SWEEPS,
            conjugate=conjugate,
        )
        subprocess.run([python, "-c", PEER_SCRIPT, given, found], check=True, capture_output=True)
        with np.load(found) as read:
            seconds, users, items = float(read["seconds"]), read["users"], read["items"]
    return seconds, lambda numbers: users[numbers] @ items.T


def main() -> None:
    """Print the seconds a sweep and the figures of each."""
    overrides = [f"data={sys.argv[1]}"] if len(sys.argv) > 1 else []
    task = load_experiment("recommendation/rankings", overrides).task
    splits = task.load()
    encoder = task.encode(splits.train)
    assert isinstance(encoder, RatingsEncoder)
    train, test = encoder.interactions(splits.train), encoder.interactions(splits.test)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
        seconds: dict[str, list[float]] = {}
        scores: dict[str, ScoreUsers] = {}
        for _ in range(ROUNDS):
            for name, (taken, score) in {
                "quartet, exact": ours(train),
                f"{PEER}, exact": peer(python, train, conjugate=False),
                f"{PEER}, conjugate gradient": peer(python, train, conjugate=True),
            }.items():
                seconds.setdefault(name, []).append(taken / SWEEPS)
                scores[name] = score
    print(f"{len(train):,} choices, {train.num_users:,} users, {train.num_items:,} items, {DIM} factors")
    for name, times in seconds.items():
        figures = ranking_figures(scores[name], test, train.matrix())
        print(
            f"{name:36s}{1000 * statistics.median(times):8.1f} ms a sweep "
            f"({1000 * min(times):.1f} to {1000 * max(times):.1f})   NDCG@10 {figures['ndcg@10']:.4f}"
        )


if __name__ == "__main__":
    main()
