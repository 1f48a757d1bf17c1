"""Fixtures that the whole suite shares."""

import os
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from hypothesis import settings

from emergekit import datasets, fit, laws
from emergekit.errors import FitWarning

mpl.use("agg")

# The same examples on every machine, so that a run that passed passes again; new ones are sought
# with `pytest --hypothesis-profile=explore`.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def _no_figure_outlives_its_test():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def reference_files():
    """Return the folder of real files and reference tables; its tests skip without it."""
    folder = os.environ.get("EMERGEKIT_REFERENCE_FILES")
    if not folder:
        pytest.skip("EMERGEKIT_REFERENCE_FILES names no folder of reference files")
    return Path(folder)


@pytest.fixture(scope="session")
def chinchilla_runs():
    """Return the 240 runs of the published fits."""
    runs = datasets.load_chinchilla()
    return runs[runs["used_in_fit"]]


@pytest.fixture(scope="session")
def chinchilla_fit(chinchilla_runs):
    """Return the fit under the law's own objective, Huber on log loss with delta 1e-3."""
    with pytest.warns(FitWarning, match="A and alpha are correlated"):
        return fit(laws.CHINCHILLA, chinchilla_runs)
