"""Fits cost in proportion to what they are given."""

import pytest

from emergekit.figures.cost import fitting_cost


@pytest.mark.parametrize(
    ("work", "sizes"),
    [("points", (10_000, 100_000, 1_000_000)), ("draws", (1_000, 10_000, 100_000))],
)
def test_ten_times_the_work_costs_about_ten_times_the_time(benchmark, work, sizes):
    points, resamples = (sizes, (10,)) if work == "points" else ((100,), sizes)
    _, table = benchmark.pedantic(fitting_cost, (points, resamples), rounds=1)
    seconds = table.loc[table["work"] == work, "cpu_seconds"].to_numpy()
    growth = (seconds[-1] / seconds[0]) ** 0.5
    benchmark.extra_info["growth"] = growth
    # Rows that no longer fit the cache take a little longer each.
    assert growth < 15, table
