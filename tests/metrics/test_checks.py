import numpy as np
import pytest

from emergekit.metrics.comparisons import paired_difference
from emergekit.metrics.pass_rates import beta_binomial_posterior, fit_beta_binomial
from emergekit.metrics.resolution import is_resolution_limited
from emergekit.metrics.uncertainty import proportion_interval


@pytest.mark.parametrize(
    ("successes", "examples", "message"),
    [
        ([1, -1], 10, "n_successes must be a whole number, 0 or more; entry 1 is -1"),
        ([1, np.nan], 10, "n_successes must be a whole number, 0 or more; entry 1 is nan"),
        ([1.5], 10, "n_successes must be a whole number, 0 or more; entry 0 is 1.5"),
        ([1, 2], [10, 0], "n_examples must be a whole number, 1 or more; entry 1 is 0"),
        ([1, 2], [10, np.inf], "n_examples must be a whole number, 1 or more; entry 1 is inf"),
        ([3, 11], 10, "n_successes must be at most n_examples; entry 1 is 11"),
        ([1, 2], [3, 4, 5], r"pair up or broadcast; their shapes are \(2,\) and \(3,\)"),
    ],
)
def test_bad_counts_are_named(successes, examples, message):
    for function in (proportion_interval, beta_binomial_posterior):
        with pytest.raises(ValueError, match=message):
            function(successes, examples)
    with pytest.raises(ValueError, match=message):
        is_resolution_limited(successes, examples, 0.1)
    with pytest.raises(ValueError, match=message.replace("n_examples", "n_trials")):
        fit_beta_binomial(successes, examples)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, np.nan])
def test_levels_lie_inside_zero_and_one(level):
    message = r"level must lie inside \(0, 1\), such as 0.95; it is "
    with pytest.raises(ValueError, match=message):
        proportion_interval(1, 10, level)
    with pytest.raises(ValueError, match=message):
        beta_binomial_posterior(1, 10, level=level)
    with pytest.raises(ValueError, match=message):
        paired_difference([0, 1], [1, 1], level=level)
    with pytest.raises(ValueError, match=message):
        is_resolution_limited(0, 10, 0.1, level)
