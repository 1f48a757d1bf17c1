"""Laws without public runs: truth is recovered from simulated ones, and covered as claimed."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from emergekit import bootstrap, fit, fit_groups, laws
from emergekit.fitting import envelope, fit_optima
from tests.laws.cases import PARAMS

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

LEVEL = 0.9


def sizes_and_tokens():
    sizes, tokens = np.meshgrid(np.geomspace(1e7, 1e10, 8), np.geomspace(1e9, 1e12, 8))
    return pd.DataFrame({"n_params": sizes.ravel(), "n_tokens": tokens.ravel()})


def with_repetition():
    table = sizes_and_tokens()
    parts = [table.assign(n_unique_tokens=table["n_tokens"] / epochs) for epochs in (1, 6, 36, 200)]
    return pd.concat(parts, ignore_index=True)


def along_compute():
    return pd.DataFrame({"flops": np.geomspace(1e17, 1e25, 80)})


CASES = {
    "kaplan": (laws.KAPLAN, sizes_and_tokens()),
    "repetition": (laws.REPETITION, with_repetition()),
    "u_shaped_in_flops": (laws.u_shaped(), along_compute()),
    "inverted_u_shaped_in_flops": (laws.inverted_u_shaped(), along_compute()),
}


def simulated(name, n, noise=0.01):
    """Return n noisy tables of a law, told apart by the column seed."""
    law, table = CASES[name]
    parts = []
    for seed in range(n):
        error = noise * np.random.default_rng(seed).standard_normal(len(table))
        values = law.predict(table, PARAMS[name])
        seen = values * np.exp(error) if law.response == "loss" else values + error
        parts.append(table.assign(**{law.response: seen}, seed=seed))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("name", CASES)
def test_the_truth_is_recovered_from_noisy_runs(name):
    law, _ = CASES[name]
    found = fit(law, simulated(name, 1, noise=0.003), objective="least_squares")
    assert found.stats["converged"].iloc[0]
    ends = found.to_frame(level=0.999).set_index("term")
    for term, value in PARAMS[name].items():
        assert ends.loc[term, "lower"] < value < ends.loc[term, "upper"], term
        assert ends.loc[term, "stderr"] < 0.5 * max(abs(value), 0.1), term


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_the_truth_as_often_as_they_say(name):
    n = 200
    law, _ = CASES[name]
    objective = "least_squares_log" if law.response == "loss" else "least_squares"
    fitted = fit_groups(law, simulated(name, n), "seed", objective=objective, level=LEVEL)
    truth = fitted["term"].map(PARAMS[name])
    inside = fitted["lower"].le(truth) & fitted["upper"].ge(truth)
    known = fitted["converged"] & fitted["stderr"].notna()
    assert known.groupby(fitted["term"]).mean().min() > 0.95
    share = inside[known].groupby(fitted["term"][known]).mean()
    fewest, most = binom.ppf([0.0005, 0.9995], n, LEVEL) / n
    assert share.between(fewest, most).all(), share


@pytest.mark.slow
def test_the_exponent_of_an_envelope_lies_in_the_intervals_of_whole_runs():
    # Approach 1: seeds that differ by 0.3 % move a whole training curve, and every optimum it wins.
    truth, n = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}, 60
    sizes = np.geomspace(1e7, 3e10, 24)
    tokens = np.geomspace(1e8, 3e12, 80)
    table = pd.DataFrame({"n_params": np.repeat(sizes, 80), "n_tokens": np.tile(tokens, 24)})
    table["run"] = table["n_params"].map(dict(zip(sizes, range(24), strict=True)))
    loss, budgets = laws.CHINCHILLA.predict(table, truth), np.geomspace(1e18, 3e22, 200)
    held = 0
    for seed in range(n):
        luck = np.exp(0.003 * np.random.default_rng(seed).standard_normal(24))
        optima = envelope(table.assign(loss=loss * luck[table["run"]]), budgets)
        line = fit_optima(optima)
        drawn = bootstrap(line, 200, "cluster", optima.loc[line.data.index, "run"])
        ends = drawn.to_frame(LEVEL).set_index("term").loc["a"]
        held += ends["lower"] <= 0.37 / 0.72 <= ends["upper"]
    fewest, most = binom.ppf([0.0005, 0.9995], n, LEVEL)
    assert fewest <= held <= most, held / n
