from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.language.viterbi import StateGraph, best_paths, chain

RANDOM = np.random.default_rng(0)


def allowed(graph: StateGraph, path: tuple[int, ...]) -> bool:
    steps = all(
        after == before or before in graph.before[after].tolist()
        for before, after in itertools.pairwise(path)
    )
    return bool(graph.starts[path[0]] and graph.ends[path[-1]] and steps)


def likeliest(scores: np.ndarray, graph: StateGraph) -> list[int]:
    """Return the best of all paths, tried one by one."""
    every = itertools.product(range(len(graph.states)), repeat=len(scores))
    paths = [path for path in every if allowed(graph, path)]
    return list(max(paths, key=lambda path: scores[np.arange(len(path)), graph.states[list(path)]].sum()))


# Two ways from the first place to the last, one of which passes over the third.
FORKED = StateGraph(
    np.array([0, 1, 2, 0]),
    np.array([[-1, -1], [0, -1], [1, -1], [2, 1]]),
    np.array([True, True, False, False]),
    np.array([False, False, True, True]),
)


@pytest.mark.parametrize("graph", [chain([0, 2, 1]), FORKED])
def test_the_path_is_the_best_of_all_that_the_graph_allows(graph):
    for _ in range(5):
        scores = RANDOM.normal(size=(5, 3))
        (path,) = best_paths([scores], [graph])
        assert path is not None
        assert path.tolist() == likeliest(scores, graph)


def test_a_path_does_not_depend_on_the_sequences_beside_it():
    graphs = [chain([0, 1]), FORKED, chain([2, 1, 0, 1])]
    scores = [RANDOM.normal(size=(length, 3)) for length in (9, 4, 7)]
    together = best_paths(scores, graphs)
    for each, graph, path in zip(scores, graphs, together, strict=True):
        (alone,) = best_paths([each], [graph])
        np.testing.assert_array_equal(path, alone)


def test_too_few_frames_have_no_path():
    assert best_paths([np.zeros((2, 3)), np.zeros((0, 3))], [chain([0, 1, 2])] * 2) == [None, None]
