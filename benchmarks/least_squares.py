"""Times alternating least squares on choices beside the library `implicit`, at the same objective and start.

    python -m benchmarks.least_squares
    python -m benchmarks.least_squares synthetic --sweeps 5 --rounds 2

The peer is installed in an environment of its own, which is removed at the end, and has its best setting: as
many threads as cores, and one for BLAS. Both get the same pairs, start and number of sweeps, one after the
other in each round, so equal solvers give equal figures: on the last choice of each user, over the whole
catalogue. On cores that others use too, compare the processor time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from apps.recommendation.catalogue.encoder import RatingsEncoder
from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.catalogue.judging import ScoreUsers, ranking_figures
from apps.recommendation.factors.least_squares import Factorisation, ImplicitLeastSquares, Solver
from benchmarks.peers import environment
from benchmarks.table import Line, print_table
from core.experiment import load_experiment

PEER = "implicit==0.7.3"
DIM, PENALTY, UNOBSERVED = 64, 2.0, 0.1
JUDGED_USERS = 5_000
SYNTHETIC_USERS, SYNTHETIC_ITEMS, SYNTHETIC_PAIRS, TASTES = 50_000, 10_000, 3_000_000, 20

# Of one sweep, wall and processor time; the first, which may still load code, is left out.
Seconds = list[tuple[float, float]]

# Our objective, with scores times 1 + UNOBSERVED, and divided by the weight of a pair that nobody chose.
PEER_SCRIPT = """
import sys, time
import numpy as np
from scipy.sparse import csr_matrix
from implicit.als import AlternatingLeastSquares
given = np.load(sys.argv[1])
pairs = csr_matrix((given["confidence"], given["items"], given["offsets"]), shape=tuple(given["shape"]))
model = AlternatingLeastSquares(
    factors=given["user_factors"].shape[1], regularization=float(given["penalty"]),
    iterations=int(given["sweeps"]), use_cg=bool(given["conjugate"]),
)
model.user_factors, model.item_factors = given["user_factors"], given["item_factors"]
walls, clocks = [], []
def swept(sweep, seconds, loss):
    walls.append(seconds)
    clocks.append(time.process_time())
model.fit(pairs, show_progress=False, callback=swept)
seconds = np.stack([walls[1:], np.diff(clocks)], axis=1)
np.savez(sys.argv[2], seconds=seconds, users=model.user_factors, items=model.item_factors)
"""


def started(data: Interactions) -> Factorisation:
    """Return the factors from which all start."""
    random = np.random.default_rng(0)
    users, items = (
        random.normal(0, 0.1, (rows, DIM)).astype(np.float32) for rows in (data.num_users, data.num_items)
    )
    users[0] = items[0] = 0
    return Factorisation(
        users, items, np.zeros(data.num_users, np.float32), np.zeros(data.num_items, np.float32)
    )


def ours(data: Interactions, sweeps: int, solver: Solver) -> tuple[Seconds, ScoreUsers]:
    """Return the seconds of each sweep, and what scores users then."""
    problem, factors = ImplicitLeastSquares(data, PENALTY, 0.0, UNOBSERVED, solver), started(data)
    seconds = []
    for _ in range(sweeps):
        wall, processor = time.perf_counter(), time.process_time()
        factors = problem.sweep(factors)
        seconds.append((time.perf_counter() - wall, time.process_time() - processor))
    return seconds[1:], lambda users: factors.users[users] @ factors.items.T


def peer(python: Path, data: Interactions, sweeps: int, conjugate: bool) -> tuple[Seconds, ScoreUsers]:
    """Return the same of `implicit`.

    Args:
        python: Of the environment that has it.
        data: The choices.
        sweeps: At least two.
        conjugate: Three steps of conjugate gradient a row, its default, and not the exact solution.
    """
    rows, start = data.items_by_user(), started(data)
    scale = np.float32((1 + UNOBSERVED) ** 0.5)
    with tempfile.TemporaryDirectory() as folder:
        given, solution = Path(folder) / "given.npz", Path(folder) / "solution.npz"
        np.savez(
            given,
            items=rows.values,
            offsets=rows.offsets,
            confidence=np.full(len(rows.values), (1 + UNOBSERVED) / UNOBSERVED, np.float32),
            shape=(data.num_users, data.num_items),
            user_factors=start.users * scale,
            item_factors=start.items * scale,
            penalty=PENALTY * (1 + UNOBSERVED) / UNOBSERVED,
            sweeps=sweeps,
            conjugate=conjugate,
        )
        variables = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        command = [python, "-c", PEER_SCRIPT, given, solution]
        subprocess.run(command, check=True, capture_output=True, env=variables)
        with np.load(solution) as read:
            seconds, users, items = read["seconds"].tolist(), read["users"], read["items"]
    return seconds, lambda numbers: users[numbers] @ items.T


def real(data: str) -> tuple[Interactions, Interactions]:
    """Return the training and the test part of the rankings task."""
    task = load_experiment("recommendation/rankings", [f"data={data}"]).task
    splits = task.load()
    encoder = task.encode(splits.train)
    assert isinstance(encoder, RatingsEncoder)
    return encoder.interactions(splits.train), encoder.interactions(splits.test)


def synthetic() -> tuple[Interactions, Interactions]:
    """Return choices of popular items, half of them to the user's taste, and one more of each user."""
    random = np.random.default_rng(0)
    activity = random.lognormal(0, 1, SYNTHETIC_USERS)
    popularity = 1 / np.arange(1, SYNTHETIC_ITEMS + 1) ** 0.8
    drawn = SYNTHETIC_PAIRS * 3 // 2
    users = random.choice(SYNTHETIC_USERS, drawn, p=activity / activity.sum())
    items = random.choice(SYNTHETIC_ITEMS, drawn, p=popularity / popularity.sum())
    items = np.where(random.random(drawn) < 0.5, items // TASTES * TASTES + users % TASTES, items)
    pairs = random.permutation(np.unique(users * SYNTHETIC_ITEMS + items))[:SYNTHETIC_PAIRS]
    users, items = pairs // SYNTHETIC_ITEMS + 1, pairs % SYNTHETIC_ITEMS + 1
    held = np.zeros(len(pairs), bool)
    held[np.unique(users, return_index=True)[1]] = True
    train, test = (
        Interactions(
            users[part].astype(np.int32),
            items[part].astype(np.int32),
            np.ones(part.sum(), np.float32),
            SYNTHETIC_USERS + 1,
            SYNTHETIC_ITEMS + 1,
        )
        for part in (~held, held)
    )
    return train, test


def lines(data: str = "sample", sweeps: int = 15, rounds: int = 3) -> Iterator[Line]:
    """Yield the processor time of a sweep, then its time by the clock, of each solver beside the peer's.

    Args:
        data: MovieLens-style, `synthetic` or `sample`.
        sweeps: Of a fit, at least two.
        rounds: In which all take their turns.
    """
    train, test = synthetic() if data == "synthetic" else real(data)
    seconds: dict[str, Seconds] = {}
    scores: dict[str, ScoreUsers] = {}
    with environment(PEER) as python:
        for _ in range(rounds):
            for name, run in {
                "exact": lambda: ours(train, sweeps, "exact"),
                f"{PEER}, exact": lambda: peer(python, train, sweeps, conjugate=False),
                "conjugate gradient": lambda: ours(train, sweeps, "conjugate_gradient"),
                f"{PEER}, conjugate gradient": lambda: peer(python, train, sweeps, conjugate=True),
            }.items():
                taken, scores[name] = run()
                seconds.setdefault(name, []).extend(taken)
    ndcg = {
        name: ranking_figures(score, test, train.matrix(), JUDGED_USERS)["ndcg@10"]
        for name, score in scores.items()
    }
    for solver in ("exact", "conjugate gradient"):
        rival = f"{PEER}, {solver}"
        for place, kind in enumerate(("by the clock", "of processor time")):
            yield Line(
                f"least squares on {len(train):,} choices, a sweep, {solver}",
                f"ms {kind}",
                [1000 * each[place] for each in seconds[solver]],
                rival,
                [1000 * each[place] for each in seconds[rival]],
                note=f"NDCG@10 {ndcg[solver]:.4f} and {ndcg[rival]:.4f}",
            )


def main() -> None:
    """Print the table, and the kernels that BLAS ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", default="sample", help="MovieLens-style, 'synthetic' or 'sample'")
    parser.add_argument("--sweeps", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    print_table(list(lines(**vars(parser.parse_args()))))
    kernels = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    print(f"\nBLAS kernels: {', '.join(sorted(kernels))}; {DIM} factors")


if __name__ == "__main__":
    main()
