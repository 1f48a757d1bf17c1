"""Laws without public runs: their truth is recovered from simulated ones, and covered as claimed."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from emergekit import bootstrap, fit, laws
from emergekit.errors import FitWarning
from emergekit.fitting import envelope, fit_optima

LEVEL = 0.9
KAPLAN = {"N_c": 8.8e13, "D_c": 5.4e13, "alpha_N": 0.076, "alpha_D": 0.095}
REPETITION = {"E": 1.87, "A": 521.0, "B": 1488.0, "alpha": 0.35, "beta": 0.35}
REPETITION |= {"R_D": 15.4, "R_N": 5.3}
HUMP = {"low": 0.2, "high": 0.5, "x0": 20.5, "k": 3.0}


def grid():
    sizes, tokens = np.meshgrid(np.geomspace(1e7, 1e10, 9), np.geomspace(1e9, 1e12, 9))
    return pd.DataFrame({"n_params": sizes.ravel(), "n_tokens": tokens.ravel()})


def repeated():
    once = grid()
    parts = [once.assign(n_unique_tokens=once["n_tokens"] / epochs) for epochs in (1, 4, 16, 64)]
    return pd.concat(parts, ignore_index=True)


def along():
    return pd.DataFrame({"flops": np.geomspace(1e18, 1e24, 60)})


def truth_of(law):
    """Return the parameters of a hump that starts within its bounds, moved off the start."""
    return {p.name: p.start for p in law.parameters}


CASES = {
    "kaplan": (laws.KAPLAN, grid, KAPLAN, True),
    "repetition": (laws.REPETITION, repeated, None, True),
    "u_shaped": (laws.u_shaped(), along, None, False),
    "inverted_u": (laws.inverted_u_shaped(), along, None, False),
}
