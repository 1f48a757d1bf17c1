"""The sandwich covariance where rows leave nothing to measure by."""

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_rows_without_scatter_leave_no_negative_variance():
    for seed in (8, 14, 22):  # where three matrices multiplied give a variance of -1e-46
        rng = np.random.default_rng(seed)
        flops = np.geomspace(1e18, 1e22, 5) * rng.uniform(1, 2)
        exact = pd.DataFrame({"flops": flops, "n_params": 0.1 * flops ** rng.uniform(0.3, 0.7)})
        variance = np.diag(fit(laws.optimal_power_law(), exact).cov)
        assert (variance >= 0).all(), seed
