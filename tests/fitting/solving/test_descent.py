"""The search itself: from one start, from many, and of many problems side by side."""

import numpy as np
import pytest

from emergekit import laws
from emergekit.fitting.objectives import objective
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import balanced, solve, solve_near

OPTIMUM = {"E": 1.81721810, "A": 477.82587, "B": 2143.41736, "alpha": 0.3473105, "beta": 0.36717243}


def problem_of(runs, weights=None, name="huber_log", law=laws.CHINCHILLA, **options):
    fixed, bounds = options.pop("fixed", {}), options.pop("bounds", {})
    return Problem(
        law=law,
        columns={name: runs[name].to_numpy(dtype=float) for name in law.variables},
        observed=runs["loss"].to_numpy(dtype=float),
        weights=np.ones(len(runs)) if weights is None else weights,
        objective=objective(name, **options),
        coordinates=Coordinates(law, fixed, bounds),
    )


def starts_of(problem, n):
    return np.array(problem.coordinates.starts(n))


def resamples(n, n_rows=240, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n).astype(float)


def test_one_start_finds_the_global_optimum_and_proves_it(chinchilla_runs):
    # spec/scaling.md 2.1, verified there by two codes and 4,500 starts
    problem = problem_of(chinchilla_runs)
    found = solve(problem, starts_of(problem, 1))
    assert found.value <= 0.0010182740180
    assert found.gradient_norm < 1e-9
    assert found.curvature > 0.05
    assert found.converged
    for name, value in OPTIMUM.items():
        assert problem.coordinates.params(found.z)[name] == pytest.approx(value, rel=1e-7), name


def test_most_balanced_starts_lead_to_the_optimum(chinchilla_runs):
    problem = problem_of(chinchilla_runs)
    starts = starts_of(problem, 16)
    assert solve(problem, balanced(problem, starts)).n_agree >= 8
    np.testing.assert_array_equal(balanced(problem, starts)[::2], starts[::2])


def test_problems_side_by_side_are_those_one_by_one(chinchilla_runs):
    weights = resamples(5)
    starts = np.tile(starts_of(problem_of(chinchilla_runs), 1), (5, 1))
    together = solve_near(problem_of(chinchilla_runs, weights), starts)
    for place, weight in enumerate(weights):
        alone = solve_near(problem_of(chinchilla_runs, weight), starts[:1])
        np.testing.assert_allclose(together.z[place], alone.z[0], rtol=1e-9)


def test_groups_of_rows_are_problems_too(chinchilla_runs):
    halves = [chinchilla_runs.iloc[::2], chinchilla_runs.iloc[1::2]]
    alone = [problem_of(half) for half in halves]
    both = Problem(
        law=laws.CHINCHILLA,
        columns={name: np.array([one.columns[name] for one in alone]) for name in alone[0].columns},
        observed=np.array([one.observed for one in alone]),
        weights=np.ones((2, 120)),
        objective=alone[0].objective,
        coordinates=alone[0].coordinates,
    )
    start = starts_of(both, 1)
    together = solve_near(both, np.tile(start, (2, 1)))
    for place, one in enumerate(alone):
        np.testing.assert_allclose(together.z[place], solve_near(one, start).z[0], rtol=1e-9)


@pytest.mark.parametrize("name", ["least_squares", "least_squares_log", "huber_log", "lad_log"])
def test_sum_and_mean_give_one_fit(chinchilla_runs, name):
    start = starts_of(problem_of(chinchilla_runs), 1)
    total = solve(problem_of(chinchilla_runs, name=name), start)
    mean = solve(problem_of(chinchilla_runs, np.full(240, 1 / 240), name), start)
    tiny = solve(problem_of(chinchilla_runs, np.full(240, 1e-12), name), start)
    for other in (mean, tiny):
        np.testing.assert_allclose(other.z, total.z, rtol=1e-9)
        assert other.converged


def test_a_bound_holds_where_coordinates_are_correlated(chinchilla_runs):
    bounds = {"alpha": (0.0, 0.3), "beta": (0.4, 1.0)}
    problem = problem_of(chinchilla_runs, bounds=bounds)
    found = solve(problem, starts_of(problem, 4))
    assert problem.coordinates.params(found.z)["alpha"] == 0.3
    assert found.converged
    held = problem_of(chinchilla_runs, fixed={"alpha": 0.3, "beta": 0.4})
    assert found.value == pytest.approx(solve(held, starts_of(held, 4)).value, rel=1e-12)


def test_a_start_without_a_value_is_none(chinchilla_runs):
    problem = problem_of(chinchilla_runs)
    nowhere = np.full((1, 5), np.nan)
    assert np.isnan(solve_near(problem, nowhere).z).all()
    with pytest.raises(FloatingPointError):
        solve(problem, nowhere)


@pytest.mark.slow
def test_resamples_end_where_many_starts_end(chinchilla_runs):
    weights, rng = resamples(200), np.random.default_rng(1)
    full = problem_of(chinchilla_runs)
    start = solve(full, starts_of(full, 1)).z
    near = solve_near(problem_of(chinchilla_runs, weights), np.tile(start, (200, 1)))
    assert near.converged.all()
    spread = np.array([0.1, 1.0, 1.0, 0.1, 0.1])
    for place, weight in enumerate(weights):
        problem = problem_of(chinchilla_runs, weight)
        wild = np.clip(start + spread * rng.standard_normal((20, 5)), problem.lower, problem.upper)
        assert near.value[place] <= solve(problem, wild).value * (1 + 1e-9)
