"""The next moves of games, best first, beside those that were played."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.calibration import LEAST_PROBABILITY
from core.answers.canvas import COLOURS
from core.answers.kind import Answers, Table, Tree
from core.answers.moves.board import MOVE, Arrow, board_of, drawing
from core.answers.moves.findings import findings
from core.answers.moves.pictures import pictures
from core.answers.rows import Direction
from core.answers.significance import difference_p
from core.shown import Item, data_uri
from core.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

TOPS = (1, 3, 5)
PLACES = 10  # of the played move that a report counts
PHASES = ((10, "1 to 10"), (20, "11 to 20"), (30, "21 to 30"), (40, "31 to 40"))
LATE, UNKNOWN = "41 and later", "not known"
CONFIDENT = 0.9
PLAYED, ANSWERED = COLOURS[0], COLOURS[1]


class Moves(Answers):
    """Which moves were thought of in each position, and which was played.

    A row has the `position`, the `true` move, the `predicted` moves, best first, and their `probabilities`.
    It may have the `probability` of the true move, where the list is cut off above it, and all `legal` moves.
    The number of the move is read from positions of chess; a row of another game says it as `move_number`.

    Args:
        places: Of the true move in the list, from 1; 0 where it is not in it, shape `(num_positions,)`.
        probabilities: Of the true move, shape `(num_positions,)`.
        confidence: Of the best move, shape `(num_positions,)`.
        phases: When in the game each position is.
        illegal: Whether the best move is not legal, shape `(num_positions,)`; nothing where that is not said.
        truth: Position and true move, as one text.

    Example:

    >>> row = {"position": "", "true": "e2e4", "predicted": ["d2d4", "e2e4"], "probabilities": [0.75, 0.25]}
    >>> {name: round(value, 4) for name, value in Moves.from_rows([row]).statistics(np.arange(1)).items()}
    {'accuracy': 0.0, 'top_3': 1.0, 'top_5': 1.0, 'log_loss': 1.3863, 'mrr': 0.5}
    """

    kind: ClassVar[str] = "moves"
    mistakes_title: ClassVar[str] = "The worst moves"
    figures: ClassVar[Mapping[str, Direction]] = {
        "accuracy": "max",
        "top_3": "max",
        "top_5": "max",
        "log_loss": "min",
        "mrr": "max",
    }

    def __init__(
        self,
        places: np.ndarray,
        probabilities: np.ndarray,
        confidence: np.ndarray,
        phases: Sequence[str],
        illegal: np.ndarray | None,
        truth: np.ndarray,
    ) -> None:
        self.places = places
        self.confidence = confidence
        self.phases = np.asarray(phases)
        self.illegal = illegal
        self._truth = truth
        self.log_losses = -np.log(np.maximum(probabilities, LEAST_PROBABILITY))

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Moves:
        """Read rows with `position`, `true`, `predicted` and `probabilities`."""
        places, probabilities, confidence, phases, truth = [], [], [], [], []
        illegal: list[bool | None] = []
        for row in rows:
            moves, shares = list(row["predicted"]), list(row["probabilities"])
            place = moves.index(row["true"]) + 1 if row["true"] in moves else 0
            places.append(place)
            probabilities.append(shares[place - 1] if place else row.get("probability", 0.0))
            confidence.append(shares[0] if shares else 0.0)
            phases.append(phase_of(row))
            truth.append(f"{row['position']}\n{row['true']}")
            legal = row.get("legal")
            illegal.append(None if legal is None else bool(moves) and moves[0] not in legal)
        return cls(
            np.array(places, np.int64),
            np.array(probabilities, np.float64),
            np.array(confidence, np.float64),
            phases,
            None if None in illegal else np.array(illegal, bool),
            np.asarray(truth),
        )

    def __len__(self) -> int:
        return len(self.places)

    @property
    def truth(self) -> np.ndarray:
        """Each position with the move that was played: two runs can be paired where these are equal."""
        return self._truth

    @property
    def right(self) -> np.ndarray:
        """Whether the best move is the one that was played, bool."""
        return self.places == 1

    @cached_property
    def losses(self) -> np.ndarray:
        """1 for each position whose best move is not the one that was played, else 0."""
        return 1.0 - self.right

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the accuracy from the mean of `losses`."""
        return 1.0 - mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the positions at these indices, each as often as it stands there."""
        places = self.places[rows]
        tops = {f"top_{top}": float(((places > 0) & (places <= top)).mean()) for top in TOPS}
        return {
            "accuracy": tops.pop("top_1"),
            **tops,
            "log_loss": float(self.log_losses[rows].mean()),
            "mrr": float(np.where(places > 0, 1 / np.maximum(places, 1), 0.0).mean()),
        }

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the wrong moves whose true one was thought least likely, worst first."""
        wrong = np.flatnonzero(~self.right)
        order = np.lexsort((-self.confidence[wrong], -self.log_losses[wrong]))
        return wrong[order[:count]]

    def per_phase(self) -> dict[str, dict[str, Any]]:
        """Return the figures of each phase of the game, in order."""
        order = [*(name for _, name in PHASES), LATE, UNKNOWN]
        groups = {name: np.flatnonzero(self.phases == name) for name in order}
        return {
            name: {**self.statistics(rows), "positions": len(rows)}
            for name, rows in groups.items()
            if len(rows)
        }

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        counts = np.bincount(np.minimum(self.places, PLACES + 1), minlength=PLACES + 2)
        return {
            "phases": self._phases(),
            "places": counts[1 : PLACES + 1].tolist(),
            "below": int(counts[PLACES + 1] + counts[0]),
            "positions": len(self),
            "mistakes": int((~self.right).sum()),
            "second_or_third": int(np.isin(self.places, (2, 3)).sum()),
            "illegal": None if self.illegal is None else int(self.illegal.sum()),
            "mean_confidence": float(self.confidence.mean()),
            "accuracy": float(self.right.mean()),
            "confident_mistakes": int((~self.right & (self.confidence >= CONFIDENT)).sum()),
        }

    def _phases(self) -> dict[str, dict[str, Any]]:
        """Return `per_phase` with how likely chance alone sets each apart from the others."""
        from scipy.stats import false_discovery_control

        rows = self.per_phase()
        for name, row in rows.items():
            own = self.phases == name
            row["p"] = 1.0 if own.all() else difference_p(self.losses[own], self.losses[~own])
            row["others"] = None if own.all() else float(self.right[~own].mean())
        corrected = false_discovery_control([row["p"] for row in rows.values()])
        for row, p in zip(rows.values(), corrected, strict=True):
            row["p"] = float(p)
        return rows

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of the phases of a game, where `evaluate` gives one as `per_phase`."""
        per_phase = figures.get("per_phase")
        if not per_phase:
            return None
        header = ["moves", *next(iter(per_phase.values()))]
        return Table("", header, [[name, *map(number, row.values())] for name, row in per_phase.items()])

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the position, a board of chess drawn with both moves, and the answer."""
        items = [Item("position", "text", str(row["position"]) or "the start")]
        board = board_of(str(row["position"]))
        if board is not None:
            best = row["predicted"][0] if row["predicted"] else ""
            arrows = (Arrow(row["true"], PLAYED), Arrow(best, ANSWERED, dashed=True))
            svg = drawing(board, arrows).encode()
            items.append(
                Item("the board: played in blue, answered dashed", "picture", data_uri("image/svg+xml", svg))
            )
        return [*items, Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return the moves that were thought of beside the one that was played."""
        best = [
            f"{move} ({share:.3f})"
            for move, share in zip(row["predicted"][:3], row["probabilities"][:3], strict=True)
        ]
        place = row["predicted"].index(row["true"]) + 1 if row["true"] in row["predicted"] else None
        rank = f", played stands at place {place}" if place else ", played is not in the list"
        test_row = f", row {row['row']} of test" if "row" in row else ""
        return f"played {row['true']}, answered {', '.join(best) or 'nothing'}{rank}{test_row}"

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def phase_of(row: Mapping[str, Any]) -> str:
    """Return which moves of a game a row is among, by the number of its move.

    Example:

    >>> phase_of({"position": "e2e4 e7e5"}), phase_of({"position": "8/8/8/8/8/8/8/K1k5 b - - 3 57"})
    ('1 to 10', '41 and later')
    """
    number = row.get("move_number")
    if number is None:
        words = str(row["position"]).split()
        if all(map(MOVE.match, words)):
            number = len(words) // 2 + 1
        elif len(words) == 6 and words[5].isdecimal():
            number = int(words[5])
        else:
            return UNKNOWN
    return next((name for last, name in PHASES if number <= last), LATE)
