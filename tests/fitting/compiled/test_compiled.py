"""Compiled searches (extra `fast`): the same numbers as in NumPy, or NumPy itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import emergekit as ek
from emergekit import laws
from emergekit.errors import FitWarning
from emergekit.fitting.compiled import acceleration
from emergekit.fitting.compiled.acceleration import (
    descend_compiled,
    examined_compiled,
    why_not_compiled,
)
from emergekit.fitting.objectives import OBJECTIVES, objective
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.descent import descend
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import solve, solve_near
from emergekit.laws import Law, Parameter
from tests.laws.cases import BY_NAME, PARAMS, UNTRACED

pytestmark = pytest.mark.slow  # the compiler takes twenty seconds where it has left no cache
needs_numba = pytest.mark.skipif(
    acceleration.find_spec("numba") is None, reason="compiled searches need the extra `fast`"
)
FOLLOWED = sorted(name for name in BY_NAME if not name.startswith(UNTRACED))
# No gradient tells where a step is, or where a flat curve bends.
FIXED = {"step_in_loss": ["eta"], "broken2_in_n_tokens": ["d2", "f2"]}


def rows_of(law, noise=0.01, n=60):
    """Return rows of a law at realistic scales, with its values times some noise."""
    rng = np.random.default_rng(0)
    low, high = (2.5, 3.5) if law.name.startswith("broken") else (9, 12)
    table = pd.DataFrame(
        {
            "flops": 10 ** rng.uniform(15, 25, n),
            "n_params": 10 ** rng.uniform(7, 11, n),
            "n_tokens": 10 ** rng.uniform(low, high, n),
            "n_unique_tokens": 10 ** rng.uniform(8, 11, n),
            "loss": rng.uniform(1.5, 3.5, n),
            "n_finetune": 10 ** rng.uniform(1.8, 4.0, n),
            "n_target_tokens": rng.integers(1, 9, n).astype(float),
        }
    )
    errors = np.exp(noise * rng.standard_t(3, n))
    return table.assign(**{law.response: law.predict(table, PARAMS[law.name]) * errors})


def problem_of(law, rows, name, weights=None):
    fixed = {parameter: PARAMS[law.name][parameter] for parameter in FIXED.get(law.name, ())}
    return Problem(
        law=law,
        columns={x: rows[x].to_numpy(dtype=float) for x in law.variables},
        observed=rows[law.response].to_numpy(dtype=float),
        weights=np.ones(len(rows)) if weights is None else weights,
        objective=objective(name, delta=0.003),
        coordinates=Coordinates(law, fixed, {}),
    )


def resamples(n, n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n).astype(float)


def require_same(found, other, rtol=1e-9):
    np.testing.assert_allclose(found.z, other.z, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.value, other.value, rtol=rtol)
    np.testing.assert_allclose(found.curvature, other.curvature, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(found.converged, other.converged)
    np.testing.assert_array_equal(found.n_agree, other.n_agree)


def require_compiled(problem, z):
    assert descend_compiled(problem, z, np.ones((len(z), 1)), 1) is not None


@needs_numba
@pytest.mark.parametrize("name", FOLLOWED)
def test_every_law_that_can_be_followed_gives_the_same_numbers(name):
    law = BY_NAME[name]
    rows = rows_of(law)
    for goal in ("least_squares", "least_squares_log", "huber_log", "asymmetric_log"):
        problem = problem_of(law, rows, goal, resamples(3, len(rows)))
        starts = np.tile(problem.coordinates.z(PARAMS[name]), (3, 1))
        fast = replace(problem, compiled=True)
        require_compiled(fast, starts)
        require_same(solve_near(fast, starts), solve_near(problem, starts))


@needs_numba
@pytest.mark.parametrize("goal", [name for name in OBJECTIVES if name != "binomial"])
def test_every_objective_gives_the_same_numbers(chinchilla_runs, goal):
    problem = problem_of(laws.CHINCHILLA, chinchilla_runs, goal, resamples(5, 240))
    starts = np.tile(problem.coordinates.starts(1), (5, 1))
    require_same(solve_near(replace(problem, compiled=True), starts), solve_near(problem, starts))


@needs_numba
@pytest.mark.parametrize("fixed", [{}, {"A": 480.0, "beta": 0.37}])
@pytest.mark.parametrize("bounds", [{}, {"alpha": (0.0, 0.3), "beta": (0.4, 1.0)}])
def test_bounds_and_held_parameters_give_the_same_numbers(chinchilla_runs, fixed, bounds):
    bounds = {name: pair for name, pair in bounds.items() if name not in fixed}
    problem = replace(
        problem_of(laws.CHINCHILLA, chinchilla_runs, "huber_log"),
        coordinates=Coordinates(laws.CHINCHILLA, fixed, bounds),
    )
    starts = np.array(problem.coordinates.starts(4))
    require_same(solve(replace(problem, compiled=True), starts), solve(problem, starts))


@needs_numba
def test_a_floor_that_vanishes_vanishes_in_both(chinchilla_runs):
    rng = np.random.default_rng(1)
    loss = laws.CHINCHILLA.predict(chinchilla_runs, {**PARAMS["chinchilla"], "E": 0.0})
    table = chinchilla_runs.assign(loss=loss * np.exp(0.02 * rng.standard_normal(240)))
    with pytest.warns(FitWarning, match="E on a bound"):
        slow = ek.fit(laws.CHINCHILLA, table)
    with pytest.warns(FitWarning, match="E on a bound"):
        fast = ek.fit(laws.CHINCHILLA, table, compiled=True)
    assert fast.params["E"] == slow.params["E"] == 0
    np.testing.assert_allclose(fast.params, slow.params, rtol=1e-9)


@needs_numba
def test_more_rows_than_one_block_are_summed_up_alike(chinchilla_runs):
    rng = np.random.default_rng(0)
    rows = pd.concat([chinchilla_runs] * 5, ignore_index=True)
    rows["loss"] *= np.exp(0.01 * rng.standard_normal(len(rows)))
    problem = problem_of(laws.CHINCHILLA, rows, "huber_log")
    starts = np.array(problem.coordinates.starts(2))
    require_same(solve(replace(problem, compiled=True), starts), solve(problem, starts))


@needs_numba
def test_groups_that_have_rows_of_their_own_give_the_same_numbers():
    rows = pd.concat([rows_of(laws.logistic(), n=20).assign(task=task) for task in range(3)])
    rows["score"] += 0.05 * np.random.default_rng(0).standard_normal(len(rows))
    slow = ek.fit_groups(laws.logistic(), rows, "task")
    fast = ek.fit_groups(laws.logistic(), rows, "task", compiled=True)
    pd.testing.assert_frame_equal(fast, slow, rtol=1e-8)


@needs_numba
def test_draws_are_the_same(chinchilla_fit):
    slow = ek.bootstrap(chinchilla_fit, n=200)
    fast = ek.bootstrap(chinchilla_fit, n=200, compiled=True)
    np.testing.assert_allclose(fast.draws, slow.draws, rtol=1e-9)
    np.testing.assert_allclose(fast.cov, slow.cov, rtol=1e-7)


@needs_numba
@pytest.mark.slow
def test_thousands_of_draws_are_the_same(chinchilla_fit):
    slow = ek.bootstrap(chinchilla_fit, n=4000)
    fast = ek.bootstrap(chinchilla_fit, n=4000, compiled=True)
    np.testing.assert_allclose(fast.draws, slow.draws, rtol=1e-9)


@needs_numba
def test_the_search_itself_takes_the_same_steps(chinchilla_runs):
    problem = problem_of(laws.CHINCHILLA, chinchilla_runs, "huber_log", resamples(2, 240))
    fast = replace(problem, compiled=True)
    starts = np.tile(problem.coordinates.starts(1), (2, 1))
    deltas = np.tile([np.inf, 0.03], (2, 1))
    for most_steps in (1, 2, 4, 8):  # least squares, whose second-order part comes last, first
        np.testing.assert_allclose(
            descend(fast, starts, deltas, most_steps)[0],
            descend(problem, starts, deltas, most_steps)[0],
            rtol=1e-6,
        )


def level(flops, a):
    return a * np.ones_like(flops)


def level_slope(flops, a):
    return (np.ones_like(flops),)


@needs_numba
def test_a_law_that_reads_no_column_is_one_too():
    law = Law("level", ("flops",), "score", (Parameter("a", start=1.0),), level, level_slope)
    rows = pd.DataFrame({"flops": [1e20, 1e21, 1e22], "score": [0.2, 0.3, 0.7]})
    assert ek.fit(law, rows, compiled=True).params["a"] == pytest.approx(0.4, rel=1e-12)


def floor_and_power(flops, E, b, c):
    return E + b * flops**-c


@needs_numba
def test_a_plain_function_is_searched_like_a_law_with_a_gradient():
    own = laws.offset_power_law()
    plain = Law("plain", own.variables, own.response, own.parameters, floor_and_power)
    rows = rows_of(own)
    problem = problem_of(own, rows, "huber_log")
    starts = np.array(problem.coordinates.starts(2))
    slow, fast = (replace(problem, law=plain, compiled=c) for c in (False, True))
    require_compiled(fast, starts)
    for other in (slow, fast):
        require_same(solve(other, starts), solve(problem, starts))


@needs_numba
def test_a_start_without_a_value_leads_nowhere(chinchilla_runs):
    problem = problem_of(laws.CHINCHILLA, chinchilla_runs, "huber_log", resamples(2, 240))
    starts = np.array([[np.nan] * 5, problem.coordinates.starts(1)[0]])
    ends, rested = descend(replace(problem, compiled=True), starts, np.full((2, 1), np.inf))
    assert np.isnan(ends[0]).all()
    assert np.isfinite(ends[1]).all()
    assert not rested[0]


@needs_numba
def test_what_compiled_code_does_not_know_is_searched_in_numpy(chinchilla_runs):
    iterated = problem_of(laws.m4(), rows_of(laws.m4()), "least_squares_log")
    binomial = problem_of(laws.logistic(), rows_of(laws.logistic()), "binomial")
    zero = problem_of(
        laws.CHINCHILLA, chinchilla_runs.assign(n_params=0.0), "huber_log"
    )  # log 0 is no number that a column could hold
    for problem in (iterated, binomial, zero):
        z = problem.coordinates.starts(1)[0][None]
        assert descend_compiled(problem, z, np.ones((1, 1)), 1) is None
        assert examined_compiled(problem, z) is None
    assert why_not_compiled(laws.m4()).startswith("the code of m4_in_n_tokens cannot be followed")
    assert "binomial" in why_not_compiled(laws.logistic(), "binomial")
    assert why_not_compiled(laws.logistic()) is None
    starts = np.array(iterated.coordinates.starts(2))
    fast, slow = (solve(replace(iterated, compiled=c), starts) for c in (True, False))
    np.testing.assert_array_equal(fast.z, slow.z)


@needs_numba
def test_one_compilation_serves_all_laws_and_tables(chinchilla_runs):
    from emergekit.fitting.compiled import descents, sums

    frozen = chinchilla_runs["loss"].to_numpy().copy()
    frozen.flags.writeable = False
    for law in (laws.CHINCHILLA, laws.KAPLAN):
        problem = problem_of(law, chinchilla_runs, "huber_log", resamples(4, 240)[::2])
        starts = np.tile(problem.coordinates.starts(1), (4, 1))[::2]
        solve_near(replace(problem, observed=frozen, compiled=True), starts)
    assert len(descents.descend_each.signatures) == 1
    assert len(sums.examine_each.signatures) == 1


@pytest.mark.parametrize("verb", [ek.fit, ek.fit_groups, ek.bootstrap])
def test_without_numba_one_sentence_names_the_extra(monkeypatch, chinchilla_fit, verb):
    monkeypatch.setattr(acceleration, "find_spec", lambda _: None)
    runs = chinchilla_fit.data
    arguments = {
        ek.fit: (laws.CHINCHILLA, runs),
        ek.fit_groups: (laws.CHINCHILLA, runs, "n_params"),
        ek.bootstrap: (chinchilla_fit,),
    }[verb]
    with pytest.raises(ModuleNotFoundError, match=r"'fast': pip install 'emergekit\[fast\]'"):
        verb(*arguments, compiled=True)
