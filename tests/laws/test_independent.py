"""Laws against their formulas written again, SciPy's own least squares, and fits by others."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from emergekit import fit, laws
from emergekit.errors import FitWarning


def m2(x, eps_inf, beta, c):
    # Alabdulmohsin et al. 2022, section 2, M2: y - eps_inf = beta x^c, with our sign of c
    return eps_inf + beta / x**c


def multiplicative(x, E, A, a_n_params, a_n_tokens):
    # simple-scaling-laws, multiplicative-power: E + A prod x_i^-alpha_i (spec/scaling.md, 1)
    return E + A / (x[0] ** a_n_params * x[1] ** a_n_tokens)


def logistic(x, low, high, x0, k):
    return low + (high - low) / (1 + np.exp(-k * (np.log10(x) - x0)))


def logistic_in_loss(x, low, high, x0, k):
    return low + (high - low) / (1 + np.exp(-k * (x0 - x)))


def power_hinge(x, c, b, eta, q):
    # spec/loss_and_transitions.md, section 1: c + b max(0, eta - x)^q
    return np.where(x < eta, c + b * np.clip(eta - x, 0, None) ** q, c)


def hump(x, c, rise, x_rise, k_rise, fall, x_fall, k_fall):
    up = rise / (1 + np.exp(-k_rise * (np.log10(x) - x_rise)))
    down = fall / (1 + np.exp(k_fall * (np.log10(x) - x_fall)))
    return c + up + down


FLOPS = np.geomspace(1e17, 1e25, 160)
LOSS = np.linspace(2.2, 3.4, 160)
SIZES = np.array([[n, d] for n in np.geomspace(1e7, 1e11, 12) for d in np.geomspace(1e9, 1e13, 12)])

# law, formula, its variables, truth, deviation of the noise, objective
CASES = {
    "m2": (
        laws.m2(),
        m2,
        [np.geomspace(1e7, 1e13, 160)],
        {"eps_inf": 1.8, "beta": 90.0, "c": 0.25},
        0.01,
    ),
    "multiplicative": (
        laws.multiplicative_law(),
        multiplicative,
        list(SIZES.T),
        {"E": 1.6, "A": 300.0, "a_n_params": 0.15, "a_n_tokens": 0.1},
        0.01,
    ),
    "logistic": (
        laws.logistic(),
        logistic,
        [FLOPS],
        {"low": 0.26, "high": 0.9, "x0": 21.5, "k": 1.6},
        0.02,
    ),
    "logistic_in_loss": (
        laws.logistic("loss"),
        logistic_in_loss,
        [LOSS],
        {"low": 0.26, "high": 0.9, "x0": 2.7, "k": 9.0},
        0.02,
    ),
    "power_hinge": (
        laws.power_hinge(),
        power_hinge,
        [LOSS],
        {"c": 0.25, "b": 0.5, "eta": 2.83, "q": 0.6},
        0.01,
    ),
    "u_shaped": (
        laws.u_shaped(),
        hump,
        [FLOPS],
        {
            "c": 0.2,
            "rise": 0.6,
            "x_rise": 22.8,
            "k_rise": 3.0,
            "fall": 0.3,
            "x_fall": 19.0,
            "k_fall": 2.5,
        },
        0.01,
    ),
    "inverted_u_shaped": (
        laws.inverted_u_shaped(),
        hump,
        [FLOPS],
        {
            "c": 0.1,
            "rise": 0.5,
            "x_rise": 19.0,
            "k_rise": 3.0,
            "fall": 0.3,
            "x_fall": 22.8,
            "k_fall": 2.5,
        },
        0.01,
    ),
}
EVERY_CASE = pytest.mark.parametrize("case", CASES)


@EVERY_CASE
def test_a_law_is_its_formula_written_again(case):
    law, formula, variables, truth, _ = CASES[case]
    predicted = law.predict(dict(zip(law.variables, variables, strict=True)), truth)
    x = variables if len(variables) > 1 else variables[0]
    np.testing.assert_allclose(predicted, formula(x, *truth.values()), rtol=1e-12)


@pytest.mark.parametrize(
    ("law", "row", "params", "value"),
    [  # each worked out by hand
        (laws.m2("n"), {"n": 16}, {"eps_inf": 1.5, "beta": 8, "c": 0.5}, 1.5 + 8 / 4),
        (
            laws.multiplicative_law(("n", "d")),
            {"n": 4, "d": 27},
            {"E": 1.5, "A": 6, "a_n": 0.5, "a_d": 1 / 3},
            1.5 + 6 / (2 * 3),
        ),
        (laws.power_hinge(), {"loss": 1}, {"c": 0.25, "b": 0.1, "eta": 5, "q": 0.5}, 0.45),
        (laws.power_hinge(), {"loss": 6}, {"c": 0.25, "b": 0.1, "eta": 5, "q": 0.5}, 0.25),
        (  # a slope of ln 3 a decade: a decade past the middle the odds are 3 to 1
            laws.logistic(),
            {"flops": 1e22},
            {"low": 0.2, "high": 0.6, "x0": 21, "k": np.log(3)},
            0.2 + 0.4 * 0.75,
        ),
        (
            laws.logistic("loss"),
            {"loss": 3.5},
            {"low": 0.2, "high": 0.6, "x0": 2.5, "k": np.log(3)},
            0.2 + 0.4 * 0.25,
        ),
        (  # a decade past the rise and a decade before the fall
            laws.inverted_u_shaped(),
            {"flops": 1e20},
            {
                "c": 0.1,
                "rise": 0.4,
                "x_rise": 19,
                "k_rise": np.log(3),
                "fall": 0.2,
                "x_fall": 21,
                "k_fall": np.log(9),
            },
            0.1 + 0.4 * 0.75 + 0.2 * 0.9,
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_laws_have_the_values_of_a_calculation_by_hand(law, row, params, value):
    columns = {name: np.array([float(number)]) for name, number in row.items()}
    assert law.predict(columns, params)[0] == pytest.approx(value, rel=1e-12)


@EVERY_CASE
def test_truth_with_noise_comes_back_as_from_least_squares_of_scipy(case):
    law, formula, variables, truth, noise = CASES[case]
    rng = np.random.default_rng(5)
    x = np.array(variables) if len(variables) > 1 else variables[0]
    y = formula(x, *truth.values()) + noise * rng.standard_normal(len(variables[0]))
    table = pd.DataFrame(dict(zip(law.variables, variables, strict=True)) | {law.response: y})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # of correlations, which these forms have
        found = fit(law.started_at(table), table, objective="least_squares")
    near = [value * 1.02 for value in truth.values()]
    theirs, cov = curve_fit(
        formula, x, y, p0=near, x_scale=np.abs(near), method="trf", xtol=1e-12, ftol=1e-12
    )
    deviation = np.sqrt(np.diag(cov))
    for place, name in enumerate(truth):
        # Both stand at one minimum, well inside the error of the estimate.
        assert abs(found.params[name] - theirs[place]) < 0.01 * deviation[place], name
        assert abs(found.params[name] - truth[name]) < 4 * deviation[place], name
    rmse = np.sqrt(np.mean((y - formula(x, *theirs)) ** 2))
    assert found.stats["rmse"].iloc[0] <= rmse * (1 + 1e-6)


# spec/loss_and_transitions.md, section 5: MMLU in letter format against the loss on C4, fitted on
# a grid by others; run, then eta and rmse of the power hinge, x0, w and rmse of the logistic
OLMO = [
    ("peteish13_eval_full", 2.679, 0.0072, 2.650, 0.067, 0.0116),
    ("peteish7_eval_full", 2.701, 0.0078, 2.673, 0.042, 0.0129),
    ("peteish7_medlr_eval_full", 2.714, 0.0096, 2.699, 0.020, 0.0141),
]


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize(("run", "eta", "hinge_rmse", "x0", "w", "logistic_rmse"), OLMO)
def test_thresholds_of_mmlu_are_those_that_others_found(
    reference_files, run, eta, hinge_rmse, x0, w, logistic_rmse
):
    parts = ("humanities", "other", "social_sciences", "stem")
    columns = [f"mmlu_{part}_test_mc_5shot_len_norm" for part in parts]
    path = reference_files / "loss" / "olmo_ladder_checkpoints.parquet"
    rows = pd.read_parquet(path, columns=["run", "step", "c4_en_ce", *columns])
    rows = rows[(rows["run"] == run) & (rows["step"] > 0)].dropna()
    table = pd.DataFrame(
        {"loss": rows["c4_en_ce"].astype(float), "score": rows[columns].mean(axis=1).astype(float)}
    )
    hinge = fit(laws.power_hinge().started_at(table), table)
    assert hinge.params["eta"] == pytest.approx(eta, abs=0.005)
    assert hinge.stats["rmse"].iloc[0] <= hinge_rmse + 5e-5
    smooth = fit(laws.logistic("loss").started_at(table), table)
    assert smooth.params["x0"] == pytest.approx(x0, abs=6e-4)
    assert 1 / smooth.params["k"] == pytest.approx(w, abs=6e-4)
    assert smooth.stats["rmse"].iloc[0] == pytest.approx(logistic_rmse, abs=6e-5)
