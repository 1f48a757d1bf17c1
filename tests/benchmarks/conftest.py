"""Ratios against named peers: measured in one process, in CPU seconds, as medians."""

import statistics
import time

import pytest

RATIOS = []
SECONDS = []
TABLES = []


def pytest_collection_modifyitems(config, items):
    if config.getoption("benchmark_disable") and not config.getoption("benchmark_enable"):
        skip = pytest.mark.skip(reason="benchmarks run with --benchmark-enable")
        for item in items:
            if "benchmarks" in item.path.parts:
                item.add_marker(skip)


def cpu_seconds(function, rounds=5):
    """Return the median CPU time of a function, after one call to warm up."""
    function()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


@pytest.fixture
def ratio(benchmark):
    """Return a function that measures how many times faster ours is, per item, and notes it."""

    def measure(name, bar, ours, n_ours, peer, n_peer):
        own = cpu_seconds(ours) / n_ours
        other = cpu_seconds(peer, rounds=3) / n_peer
        found = other / own
        benchmark.extra_info["ratio"] = found
        RATIOS.append((name, found, bar))
        benchmark.pedantic(ours, rounds=3)
        return found

    return measure


@pytest.fixture
def clock(benchmark):
    """Return a function that measures the CPU time of some work and notes it beside its bar.

    Such times are those of a machine and its neighbours: they are shown, never asserted.
    """

    def measure(name, bar, function, rounds=5):
        found = cpu_seconds(function, rounds)
        benchmark.extra_info["cpu_seconds"] = found
        SECONDS.append((name, found, bar))
        benchmark.pedantic(function, rounds=1)
        return found

    return measure


def pytest_terminal_summary(terminalreporter):
    if RATIOS:
        terminalreporter.section("ratios against peers, CPU seconds per item, medians of one run")
        for name, found, bar in RATIOS:
            terminalreporter.write_line(f"{name:<58} {found:>9.2f}   bar {bar}")
    if SECONDS:
        terminalreporter.section("CPU seconds, one thread, medians; bars as on an idle machine")
        for name, found, bar in SECONDS:
            terminalreporter.write_line(f"{name:<58} {found:>9.4f}   bar {bar:g}")
    for title, table in TABLES:
        terminalreporter.section(title)
        terminalreporter.write_line(table.to_string())
