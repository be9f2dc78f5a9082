"""The likeliest way through hidden states, for many sequences at once (Viterbi); NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEVER = -np.inf
AT_ONCE = 64  # sequences, of like length


@dataclass(frozen=True, eq=False)
class StateGraph:
    """Places that a path goes through, each for a frame or more, and which may follow which.

    Args:
        states: The hidden state of each place, which is the column of its scores, int, `(num_places,)`.
        before: The places that each may be entered from beside itself, padded with -1, int,
            `(num_places, most)`.
        starts: Whether a path may begin there, bool, `(num_places,)`.
        ends: Whether a path may end there, bool, `(num_places,)`.
    """

    states: np.ndarray
    before: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def chain(states: Sequence[int]) -> StateGraph:
    """Return the graph of states that follow one another, none of which is passed over.

    Args:
        states: At least one.
    """
    places = np.arange(len(states))
    return StateGraph(np.array(states), places[:, None] - 1, places == 0, places == len(states) - 1)


def best_paths(scores: Sequence[np.ndarray], graphs: Sequence[StateGraph]) -> list[np.ndarray | None]:
    """Return the likeliest path of each sequence of frames through its graph.

    Source: Viterbi, Error bounds for convolutional codes and an asymptotically optimum decoding algorithm
    (1967).

    Args:
        scores: Logarithms of how likely each state is in each frame, each `(num_frames, num_states)`.
        graphs: One for each of them.

    Returns:
        The place that each frame is in, int64, `(num_frames,)`; nothing where the frames are too few.

    Example:

    >>> scores = np.log([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9]])
    >>> [path.tolist() for path in best_paths([scores], [chain([0, 1])])]
    [[0, 0, 1]]
    """
    paths: list[np.ndarray | None] = [None] * len(scores)
    order = sorted(range(len(scores)), key=lambda row: len(scores[row]))
    for start in range(0, len(order), AT_ONCE):
        rows = order[start : start + AT_ONCE]
        found = _paths_at_once([scores[row] for row in rows], [graphs[row] for row in rows])
        for row, path in zip(rows, found, strict=True):
            paths[row] = path
    return paths


def _paths_at_once(scores: Sequence[np.ndarray], graphs: Sequence[StateGraph]) -> list[np.ndarray | None]:
    lengths = np.array([len(each) for each in scores])
    states, before, starts, ends = _stacked(graphs)
    batch, num_places = states.shape
    emitted = np.full((lengths.max(initial=0), batch, num_places), NEVER)
    for row, each in enumerate(scores):
        emitted[: len(each), row] = each[:, states[row]]
    rows = np.arange(batch)[:, None, None]
    # One more place, never reached, stands for those that are none.
    total = np.full((batch, num_places + 1), NEVER)
    came = np.zeros((len(emitted), batch, num_places), np.int8)
    for frame, emission in enumerate(emitted):
        if frame == 0:
            entered = np.where(starts, 0.0, NEVER)
        else:
            ways = np.concatenate([total[:, :-1, None], total[rows, before]], axis=2)
            came[frame] = ways.argmax(axis=2)
            entered = ways.max(axis=2)
        running = (frame < lengths)[:, None]
        total[:, :-1] = np.where(running, entered + emission, total[:, :-1])
    last = np.where(ends, total[:, :-1], NEVER)
    reached = np.isfinite(last.max(axis=1)) & (lengths > 0)
    traced = _traced(last.argmax(axis=1), came, before, lengths)
    return [traced[: lengths[row], row] if reached[row] else None for row in range(batch)]


def _stacked(graphs: Sequence[StateGraph]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the states, places before, starts and ends of graphs, padded to the size of the largest."""
    num_places = max(len(graph.states) for graph in graphs)
    most = max(graph.before.shape[1] for graph in graphs)
    states = np.zeros((len(graphs), num_places), np.int64)
    before = np.full((len(graphs), num_places, most), num_places)
    starts, ends = (np.zeros((len(graphs), num_places), bool) for _ in range(2))
    for row, graph in enumerate(graphs):
        size, ways = graph.before.shape
        states[row, :size] = graph.states
        before[row, :size, :ways] = np.where(graph.before < 0, num_places, graph.before)
        starts[row, :size], ends[row, :size] = graph.starts, graph.ends
    return states, before, starts, ends


def _traced(last: np.ndarray, came: np.ndarray, before: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the places of each frame, `(num_frames, batch)`, from those of the last frames backwards."""
    rows = np.arange(len(last))
    places = np.zeros(came.shape[:2], np.int64)
    place = last
    for frame in range(len(came) - 1, -1, -1):
        inside = frame < lengths
        places[frame] = place
        way = came[frame, rows, place]
        entered = np.where(way > 0, before[rows, place, np.maximum(way - 1, 0)], place)
        place = np.where(inside, entered, place)
    return places
