from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse.linalg import cg

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.factors import ridge_regressions
from apps.recommendation.factors.least_squares import (
    ExplicitLeastSquares,
    Factorisation,
    ImplicitLeastSquares,
    Solver,
)

NUM_USERS, NUM_ITEMS, DIM = 13, 9, 3


@pytest.fixture
def data() -> Interactions:
    """Ratings of all users but the last, who is known and has none; one user has rated nearly all."""
    random = np.random.default_rng(0)
    chosen = random.random((NUM_USERS, NUM_ITEMS)) < 0.4
    chosen[4] = True
    chosen[0] = chosen[:, 0] = chosen[-1] = False
    users, items = np.nonzero(chosen)
    ratings = random.integers(1, 6, len(users)).astype(np.float32)
    return Interactions(users.astype(np.int32), items.astype(np.int32), ratings, NUM_USERS, NUM_ITEMS)


@pytest.fixture
def start() -> Factorisation:
    random = np.random.default_rng(1)
    users, items = (random.normal(0, 0.1, (rows, DIM)).astype(np.float32) for rows in (NUM_USERS, NUM_ITEMS))
    users[0] = items[0] = 0
    return Factorisation(users, items, np.zeros(NUM_USERS, np.float32), np.zeros(NUM_ITEMS, np.float32))


def explicit(data: Interactions, solver: Solver = "exact") -> ExplicitLeastSquares:
    return ExplicitLeastSquares(
        data, mean=float(data.ratings.mean()), penalty=0.7, bias_penalty=0.3, exponent=0.5, solver=solver
    )


def implicit(data: Interactions, solver: Solver = "exact") -> ImplicitLeastSquares:
    return ImplicitLeastSquares(data, penalty=0.2, exponent=0.5, unobserved=0.3, solver=solver)


def slow_explicit_users(data: Interactions, start: Factorisation) -> tuple[np.ndarray, np.ndarray]:
    """The users' half of a sweep, user by user, by NumPy's least squares with the penalty as further rows."""
    vectors, biases = np.zeros((NUM_USERS, DIM)), np.zeros(NUM_USERS)
    for user in range(NUM_USERS):
        rated = data.users == user
        if not rated.any():
            continue
        features = np.c_[start.items[data.items[rated]], np.ones(rated.sum())]
        penalty = rated.sum() ** 0.5 * np.array([0.7] * DIM + [0.3])
        targets = data.ratings[rated] - data.ratings.mean() - start.item_bias[data.items[rated]]
        solution, *_ = np.linalg.lstsq(
            np.r_[features, np.diag(np.sqrt(penalty))], np.r_[targets, np.zeros(DIM + 1)], rcond=None
        )
        vectors[user], biases[user] = solution[:-1], solution[-1]
    return vectors, biases


def slow_implicit_users(data: Interactions, start: Factorisation) -> np.ndarray:
    """The users' half of a sweep, over every pair of a user and an item."""
    dim = start.items.shape[1]
    vectors = np.zeros((NUM_USERS, dim))
    for user in range(1, NUM_USERS):
        rated = np.isin(np.arange(NUM_ITEMS), data.items[data.users == user])
        if not rated.any():
            continue
        weights = rated + 0.3
        penalty = 0.2 * (rated.sum() + 0.3 * (NUM_ITEMS - 1)) ** 0.5
        squares = start.items.T @ (weights[:, None] * start.items) + penalty * np.eye(dim)
        vectors[user] = np.linalg.solve(squares, start.items.T @ rated.astype(float))
    return vectors


def test_value_of_an_explicit_half_is_that_of_a_loop_over_users(data, start):
    vectors, biases = slow_explicit_users(data, start)
    swept = explicit(data).sweep(start)
    np.testing.assert_allclose(swept.users, vectors, atol=1e-5)
    np.testing.assert_allclose(swept.user_bias, biases, atol=1e-5)


def test_value_of_an_implicit_half_is_that_of_a_loop_over_users(data, start):
    np.testing.assert_allclose(implicit(data).sweep(start).users, slow_implicit_users(data, start), atol=1e-5)


def test_value_of_the_implicit_objective_is_the_sum_over_all_pairs(data, start):
    swept = implicit(data).sweep(start)
    scores = (swept.users @ swept.items.T)[1:, 1:]
    chosen = np.zeros((NUM_USERS, NUM_ITEMS))
    chosen[data.users, data.items] = 1
    chosen = chosen[1:, 1:]
    counts = chosen.sum(axis=1), chosen.sum(axis=0)
    expected = (chosen * (1 - scores) ** 2 + 0.3 * scores**2).sum()
    for vectors, count, others in ((swept.users, counts[0], NUM_ITEMS), (swept.items, counts[1], NUM_USERS)):
        expected += (0.2 * (count + 0.3 * (others - 1)) ** 0.5) @ (vectors[1:] ** 2).sum(axis=1)
    np.testing.assert_allclose(implicit(data).objective(swept), expected / len(data), rtol=1e-5)


@pytest.mark.parametrize("solver", ["exact", "conjugate_gradient"])
@pytest.mark.parametrize("problem", [explicit, implicit])
def test_the_objective_falls_with_every_sweep(problem, solver, data, start):
    solved = problem(data, solver)
    factors, objectives = start, [solved.objective(start)]
    for _ in range(6):
        factors = solved.sweep(factors)
        objectives.append(solved.objective(factors))
    assert all(later < earlier for earlier, later in pairwise(objectives))


@pytest.mark.parametrize("problem", [explicit, implicit])
def test_as_many_steps_of_conjugate_gradient_as_weights_are_the_exact_solution(
    problem, data, start, monkeypatch
):
    monkeypatch.setattr(ridge_regressions, "STEPS", DIM + 2)
    exact, stepped = problem(data).sweep(start), problem(data, "conjugate_gradient").sweep(start)
    np.testing.assert_allclose(stepped.users, exact.users, atol=1e-4)
    np.testing.assert_allclose(stepped.item_bias, exact.item_bias, atol=1e-4)


def test_steps_of_conjugate_gradient_are_those_of_scipy_from_the_same_start(data, start, monkeypatch):
    monkeypatch.setattr(ridge_regressions, "STEPS", 2)
    items = start.items.astype(float)
    swept = implicit(data, "conjugate_gradient").sweep(start)
    for user in range(1, NUM_USERS - 1):
        rated = np.isin(np.arange(NUM_ITEMS), data.items[data.users == user])
        penalty = 0.2 * (rated.sum() + 0.3 * (NUM_ITEMS - 1)) ** 0.5
        squares = items.T @ ((rated + 0.3)[:, None] * items) + penalty * np.eye(DIM)
        stepped, _ = cg(squares, items.T @ rated, start.users[user], rtol=0, maxiter=2)
        np.testing.assert_allclose(swept.users[user], stepped, atol=1e-5)


@pytest.mark.parametrize("problem", [explicit, implicit])
def test_two_sweeps_from_the_same_factors_are_equal_to_the_bit(problem, data, start):
    first, second = (problem(data, "conjugate_gradient").sweep(start) for _ in range(2))
    assert np.array_equal(first.items, second.items)


@pytest.mark.parametrize("solver", ["exact", "conjugate_gradient"])
@pytest.mark.parametrize("problem", [explicit, implicit])
def test_the_unknown_and_those_without_ratings_stay_at_zero(problem, solver, data, start):
    swept = problem(data, solver).sweep(start)
    for values in (swept.users, swept.user_bias):
        assert not values[[0, -1]].any()
    assert not swept.items[0].any()


@pytest.mark.parametrize("problem", [explicit, implicit])
def test_the_size_of_the_blocks_does_not_change_the_factors(problem, data, start, monkeypatch):
    whole = problem(data).sweep(start)
    monkeypatch.setattr(ridge_regressions, "BLOCK_BYTES", 128)
    np.testing.assert_allclose(problem(data).sweep(start).items, whole.items, atol=1e-5)


@pytest.mark.parametrize("problem", [explicit, implicit])
def test_what_the_ratings_add_sums_to_the_score_of_the_solved_user(problem, data, start):
    solved = problem(data)
    factors = start
    for _ in range(60):
        factors = solved.sweep(factors)
    user, item = 4, 3
    parts = solved.user_problem(user, item, factors)
    mean = getattr(solved, "mean", 0.0)
    score = factors.scores(np.array([user]), np.array([item]))[0] + mean
    assert parts.base + parts.adds().sum() == pytest.approx(score, rel=0.02)
    assert parts.scores(np.ones((1, len(parts.items))))[0] == pytest.approx(parts.base + parts.adds().sum())


def test_without_any_rating_the_base_is_left(data, start):
    parts = explicit(data).user_problem(4, 3, explicit(data).sweep(start))
    assert parts.scores(np.zeros((1, len(parts.items))))[0] == pytest.approx(parts.base)


def test_value_of_more_factors_than_anybody_has_ratings_is_that_of_a_loop_over_users(data):
    items = np.random.default_rng(2).normal(0, 0.5, (NUM_ITEMS, 30)).astype(np.float32)
    items[0] = 0
    wide = Factorisation(
        np.zeros((NUM_USERS, 30), np.float32), items, np.zeros(NUM_USERS), np.zeros(NUM_ITEMS)
    )
    expected = slow_implicit_users(data, wide)
    users, _ = implicit(data).users_given(wide)
    np.testing.assert_allclose(users, expected, atol=1e-5)
