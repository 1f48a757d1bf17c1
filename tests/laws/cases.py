"""Every law at parameters and on rows of realistic scale, by name."""

import warnings

import numpy as np
import pandas as pd

from emergekit import fit, laws
from emergekit.errors import FitWarning

RUNS = pd.DataFrame(
    {
        "n_params": [1.2e8, 1e9, 7e10, 3e8],
        "n_tokens": [2e9, 3e11, 1.4e12, 5e10],
        "flops": [1e18, 2e21, 6e23, 1e20],
        "n_unique_tokens": [1e9, 1e10, 7e11, 4e9],
        "n_finetune": [64.0, 512.0, 128.0, 2048.0],
        "loss": [2.9, 2.4, 1.9, 2.6],
        "n_target_tokens": [1.0, 5.0, 2.0, 1.0],
    }
)
ADDITION = pd.DataFrame({"n_tokens": [544.0, 608.0, 672.0, 928.0]})

# spec/scaling.md, section 2.5, four-digit addition, printed digits
BNSL = {"a": 0.41388, "b": 2.27727, "c0": 0.055077, "c1": 5.66291, "d1": 612.58, "f1": 0.059193}

PARAMS = {
    "power_in_flops": {"b": 30.0, "c": 0.05},
    "offset_power_in_flops": {"E": 1.7, "b": 900.0, "c": 0.15},
    "m1_in_n_tokens": {"beta": 15.0, "c": 0.08},
    "m2_in_n_tokens": {"eps_inf": 1.8, "beta": 800.0, "c": 0.3},
    "m3_in_n_tokens": {"beta": 70.0, "gamma": 1e-11, "c": 0.14},
    "m4_in_n_tokens": {"beta": 90.0, "c": 0.3, "eps_inf": 1.8, "eps_0": 11.0, "alpha": 0.7},
    "broken1_in_n_tokens": BNSL,
    "broken2_in_n_tokens": {**BNSL, "c2": -5.0, "d2": 1200.0, "f2": 0.2},
    "chinchilla": {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37},
    "kaplan": {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
    "overtraining": {"E": 1.5083, "a": 141.28, "b": 189.52, "eta": 0.12124},
    "repetition": {
        "E": 1.87,
        "A": 521.0,
        "B": 1488.0,
        "alpha": 0.34,
        "beta": 0.36,
        "R_D_star": 15.4,
        "R_N_star": 5.3,
    },
    "multiplicative": {"E": 1.6, "A": 300.0, "a_n_params": 0.15, "a_n_tokens": 0.1},
    "linear_in_loss": {"a": 1.6, "b": 0.5},
    "quadratic_in_flops": {"a": 7.0, "b": -0.9, "d": 0.03},
    "logistic_in_flops": {"low": 0.26, "high": 0.9, "x0": 21.5, "k": 1.3},
    "logistic_in_loss": {"low": 0.26, "high": 0.9, "x0": 2.4, "k": 5.0},
    "chance_logistic_in_flops": {"x0": 21.5, "k": 1.3},
    "chance_logistic_in_loss": {"x0": 2.4, "k": 5.0},
    "exponential_in_loss": {"eps": 0.85, "k": 2.1, "gamma": 0.8},
    "exponential_in_flops": {"eps": 0.85, "k": 3e-5, "gamma": 0.4},
    "direct_in_n_params_and_n_tokens": {
        "A_n_params": 300.0,
        "A_n_tokens": 900.0,
        "a_n_params": 0.32,
        "a_n_tokens": 0.3,
    },
    "direct_in_flops": {"A_flops": 2e3, "a_flops": 0.17},
    "hinge_in_loss": {"c": 0.25, "b": 0.4, "eta": 3.0},
    "hinge_in_flops": {"c": 0.25, "b": 0.1, "eta": 17.5},
    "power_hinge_in_loss": {"c": 0.25, "b": 0.4, "eta": 3.0, "q": 0.35},
    "softplus_hinge_in_loss": {"c": 0.25, "b": 0.4, "eta": 2.3, "w": 0.2},
    "step_in_loss": {"c": 0.25, "b": 0.4, "eta": 2.3},
    "u_shaped_in_flops": {
        "c": 0.2,
        "rise": 0.6,
        "x_rise": 22.5,
        "k_rise": 2.0,
        "fall": 0.3,
        "x_fall": 19.5,
        "k_fall": 1.5,
    },
    "emergence_log_power": {"B": 0.25, "A": 0.6, "k": 0.04, "alpha": 1.3, "C": 1.9},
    "optimal_n_params": {"k": 0.09, "a": 0.5},
    "optimal_n_tokens": {"k": 1.85, "a": 0.5},
    "quanta": {"E": 1.8, "A": 480.0, "B": 100.0, "alpha": 0.35},
    "hutter_in_n_tokens": {"A": 30.0, "a": 0.5},
    "exact_match": {"N_c": 1e9, "alpha": 0.5},
    "composition_in_flops": {"x0": 20.5, "k": 1.3, "n": 3.0},
    "composition_in_loss": {"x0": 2.4, "k": 5.0, "n": 3.0},
    "random_energy_in_flops": {"x0": 20.5, "k": 0.6},
    "learner_learned_in_n_tokens": {"x0": 11.9, "c": 2.0},
    "learner_understood_in_n_tokens": {"x0": 11.9, "c": 2.0},
    "giant_component_in_n_params": {"x0": 7.5, "b": 0.2, "n": 3.0},
    "bipartite_component_in_n_tokens": {"x0": 9.2, "b": 0.3},
    "skill_guarantee_k8_tuples1": {"E": 1.7, "f": 0.002},
}
PARAMS["inverted_u_shaped_in_flops"] = {
    **PARAMS["u_shaped_in_flops"],
    "x_rise": 19.5,
    "x_fall": 22.5,
}
TABLES = {"broken1_in_n_tokens": ADDITION, "broken2_in_n_tokens": ADDITION}
BY_NAME = {law.name: law for law in laws.LAWS}

UNTRACED = ("m4_", "learner_", "giant_component_", "bipartite_component_", "skill_guarantee_")
"""Laws whose code a trace cannot follow are named, so that no other joins them unseen."""


def columns_of(law, table):
    """Return the variables of a law, then its parameters, as its functions take them."""
    return [table[name].to_numpy(float) for name in law.variables] + [
        np.asarray(PARAMS[law.name][name]) for name in law.names
    ]


def fitted(law, table, **options):
    """Return the parameters of a fit from the law's guess, whatever it warns about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(law.started_at(table), table, **options).params
