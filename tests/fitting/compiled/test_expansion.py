"""Second derivatives that are read from the code of a law."""

import numpy as np
import pytest

from emergekit import laws
from emergekit.fitting.compiled.expansion import expansion_of, why_not_expanded
from emergekit.fitting.compiled.graphs import Schedule
from emergekit.fitting.objectives import objective
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.neighbourhood import _differenced, second_order
from emergekit.fitting.solving.problem import Problem
from emergekit.laws import Law, Parameter
from tests.laws.cases import PARAMS, RUNS, TABLES, UNTRACED, columns_of

KNOWN = [law for law in laws.LAWS if not law.name.startswith(UNTRACED)]
EVERY_KNOWN_LAW = pytest.mark.parametrize("law", KNOWN, ids=[law.name for law in KNOWN])


def expanded(law):
    return expansion_of(law, (True,) * len(law.names))


def split(law, arguments):
    return arguments[: len(law.variables)], arguments[len(law.variables) :]


def user_law(function, gradient):
    return Law(
        name="own",
        variables=("flops",),
        response="loss",
        parameters=(Parameter("a", start=1.0), Parameter("b", start=2.0)),
        function=function,
        gradient=gradient,
    )


@EVERY_KNOWN_LAW
def test_what_was_recorded_gives_what_the_law_gives(law):
    arguments = columns_of(law, TABLES.get(law.name, RUNS))
    expansion = expanded(law)
    found = Schedule([expansion.value, *expansion.slopes]).run(*split(law, arguments))
    truth = [law.function(*arguments), *law.gradient(*arguments)]
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose(*np.broadcast_arrays(one, other), rtol=1e-12)


@EVERY_KNOWN_LAW
def test_second_derivatives_are_those_of_the_gradient(law):
    arguments = columns_of(law, TABLES.get(law.name, RUNS))
    expansion, n = expanded(law), len(law.variables)
    parts = expansion.bending.run(*split(law, arguments))
    found = dict(zip(expansion.bends, parts, strict=True))
    for place in range(len(law.names)):
        size = 1e-5 * abs(arguments[n + place])
        ends = [
            law.gradient(
                *arguments[: n + place],
                arguments[n + place] + shift,
                *arguments[n + place + 1 :],
            )
            for shift in (-size, size)
        ]
        for first in range(place, len(law.names)):
            change = (ends[1][first] - ends[0][first]) / (2 * size)
            scale = np.abs(ends[0][first]).max() / abs(arguments[n + place])
            np.testing.assert_allclose(
                found.get((first, place), 0.0) + 0 * change,
                change,
                rtol=1e-6,
                atol=1e-7 * scale + 1e-300,
                err_msg=f"{law.names[first]}, {law.names[place]}",
            )


def test_a_law_solved_by_iteration_is_not_followed_and_says_so():
    assert expanded(laws.m4()) is None
    assert why_not_expanded(laws.m4()) == "it calls any, which is not known"
    assert why_not_expanded(laws.CHINCHILLA) is None


def clipped(flops, a, b):
    return np.clip(a * np.log(flops) + b, 0, 1)


def branching(flops, a, b):
    return a * flops if a > 0 else b * flops


def holding_rows(flops, a, b):
    return a * flops + b * np.arange(4.0)


def summing(flops, a, b):
    return a * flops + np.add.reduce(b * flops)


def failing(flops, a, b):
    return a.real * flops + b


def slopes(flops, a, b):
    return np.log(flops), np.ones_like(flops)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (clipped, "it calls clip, which is not known"),
        (branching, "it looks at the values of its arrays"),
        (holding_rows, "it holds a ndarray of its own"),
        (summing, "it calls add in a way that is not known"),
        (failing, "it fails on arrays that only record"),
    ],
)
def test_code_that_cannot_be_followed_is_left_to_differences(function, reason):
    law = user_law(function, slopes)
    assert expanded(law) is None
    assert reason in why_not_expanded(law)


def endless(flops, a, b):
    for _ in range(3000):
        a = np.exp(-a) + b * flops
    return a


def test_an_algorithm_is_no_formula():
    assert expanded(user_law(endless, slopes)) is None


def everything(flops, a, b):
    x = np.log10(flops) / 20
    parts = (
        np.sqrt(np.square(a) + x),
        np.tanh(a * x),
        np.absolute(-b) * np.log1p(a * x),
        np.minimum(a * x, b) * np.maximum(a, x * b),
        np.expm1(a * x) / np.reciprocal(b),
        np.where(x < a, a**2, b**x),
        np.where((x > b) + (x >= 2 * b), a, 1.0) ** b,
    )
    return sum(parts)


def its_gradient(flops, a, b):
    # Nobody's own: enough to be differentiated once more.
    return everything(flops, a, b), everything(flops, b, a)


def test_every_operation_that_is_known_has_its_derivative():
    law = user_law(everything, its_gradient)
    x, a, b, step = np.array([1e18, 1e21, 1e24]), np.asarray(1.3), np.asarray(0.7), 1e-6
    expansion = expanded(law)
    parts = expansion.bending.run([x], [a, b])
    found = dict(zip(expansion.bends, parts, strict=True))
    by_a = (everything(x, a + step, b) - everything(x, a - step, b)) / (2 * step)
    by_b = (everything(x, b + step, a) - everything(x, b - step, a)) / (2 * step)
    by_other = (everything(x, b, a + step) - everything(x, b, a - step)) / (2 * step)
    np.testing.assert_allclose(found[0, 0], by_a, rtol=1e-8)
    np.testing.assert_allclose(found[1, 0], by_other, rtol=1e-8)
    np.testing.assert_allclose(found[1, 1], by_b, rtol=1e-8)


@pytest.mark.parametrize(
    "name", ["huber", "asymmetric_log", "least_squares_log", "least_squares_log1p"]
)
@pytest.mark.parametrize("fixed", [{}, {"A": 400.0}])
def test_bending_of_the_objective_is_that_found_by_differences(chinchilla_runs, name, fixed):
    law = laws.CHINCHILLA
    coordinates = Coordinates(law, fixed, {})
    problem = Problem(
        law=law,
        columns={x: chinchilla_runs[x].to_numpy() for x in law.variables},
        observed=chinchilla_runs["loss"].to_numpy(),
        weights=np.ones((2, 240)),
        objective=objective(name),
        coordinates=coordinates,
    )
    z = coordinates.z(PARAMS["chinchilla"]) + np.array([[0.0], [0.01]])
    predicted = problem.predict(z)
    arguments = (problem, z, predicted, problem.slopes(z, predicted), problem.residuals(z))
    exact, rough = second_order(*arguments), _differenced(*arguments)
    np.testing.assert_allclose(exact, rough, atol=1e-5 * np.abs(exact).max())
