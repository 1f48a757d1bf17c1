"""Peeling and density evolution: seconds beside their bars, and ratios against networkx."""

import json
import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emergekit.theory import (
    fixed_texts,
    giant_component,
    learning_curve,
    peel,
    random_graph,
    regular_skills,
)
from tests.benchmarks.conftest import TABLES, cpu_seconds

# The peak that getrusage tells of a process includes that of the one it was started by.
MEASURE = """
import json, re, time
from emergekit.theory import peel, random_graph
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024**2
peel(random_graph(1000, 1.2, 3.0), compiled=True)
before, start = peak(), time.process_time()
graph = random_graph(10_000_000, 1.2, 3.0)
made = time.process_time()
learned = peel(graph, compiled=True).learned.mean()
seconds = time.process_time() - made
print(json.dumps([made - start, seconds, peak() - before, peak(), learned]))
"""


def as_networkx(networkx, graph):
    """Return the graph with skills 0, 1, ... and texts -1, -2, ..."""
    joined = networkx.Graph()
    joined.add_nodes_from(range(-graph.n_texts, graph.n_skills))
    joined.add_edges_from(zip(graph.skills().tolist(), (~graph.texts).tolist(), strict=True))
    return joined


def peel_networkx(graph):
    """Learn skills as long as a text has one unknown skill; return how many are learned."""
    unknown = {node: degree for node, degree in graph.degree if node < 0}
    learned, ready = set(), deque(text for text, n in unknown.items() if n == 1)
    while ready:
        text = ready.popleft()
        new = [skill for skill in graph[text] if skill not in learned]
        if new:
            learned.add(new[0])
            for other in graph[new[0]]:
                unknown[other] -= 1
                if unknown[other] == 1:
                    ready.append(other)
    return len(learned)


@pytest.mark.parametrize("built", [False, True], ids=["from edges", "once networkx has built"])
@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "numba"])
def test_peeling_against_networkx(ratio, compiled, built):
    networkx = pytest.importorskip("networkx")
    if compiled:
        pytest.importorskip("numba")
    graph = random_graph(100_000, 1.2, 3.0)
    theirs = as_networkx(networkx, graph)
    # networkx cannot draw one skill of a text twice, which a few texts do here
    assert peel_networkx(theirs) == pytest.approx(peel(graph).learned.sum(), abs=20)
    name, start = "numba" if compiled else "numpy", "graph built" if built else "from edges"
    bar = (30 if built else 100) if compiled else (3 if built else 10)
    ratio(
        f"peeling 1e5 skills, {start}, {name}, against networkx",
        bar,
        lambda: peel(graph, compiled=compiled),
        1,
        lambda: peel_networkx(theirs if built else as_networkx(networkx, graph)),
        1,
    )


def test_giant_components_against_networkx(ratio):
    networkx = pytest.importorskip("networkx")
    graph = random_graph(100_000, 1.0, 2.0)
    learned = peel(graph).learned
    theirs = as_networkx(networkx, graph)
    theirs.remove_nodes_from(np.flatnonzero(~learned).tolist())

    def largest():
        found = max(networkx.connected_components(theirs), key=len)
        return sum(node >= 0 for node in found) / graph.n_skills

    assert largest() == pytest.approx(giant_component(graph, learned), abs=1e-3)
    ratio(
        "giant component of 1e5 skills, against a graph networkx has built",
        5,
        lambda: giant_component(graph, learned),
        1,
        largest,
        1,
    )


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "numba"])
def test_peeling_costs_in_proportion_to_edges(benchmark, compiled):
    if compiled:
        pytest.importorskip("numba")
    rows, last = [], 1_000_000
    for size in (10_000, 100_000, last):
        for ratio in (0.9, 1.2):
            graph = random_graph(size, ratio, 3.0)
            seconds = cpu_seconds(lambda graph=graph: peel(graph, compiled=compiled), 3)
            bar = (0.5 if compiled else 3.0) if (size, ratio) == (last, 1.2) else np.nan
            rows.append((size, ratio, graph.n_edges, seconds, 1e9 * seconds / graph.n_edges, bar))
    columns = ["n_skills", "ratio", "n_edges", "cpu_seconds", "ns_per_edge", "bar_seconds"]
    table = pd.DataFrame(rows, columns=columns)
    TABLES.append((f"peeling, {'numba' if compiled else 'numpy'}", table.round(4)))
    benchmark.pedantic(peel, (graph,), {"compiled": compiled}, rounds=1)
    # 100 times the edges: what no longer fits the caches costs a few times more an edge.
    costs = table.loc[table["ratio"] == 1.2, "ns_per_edge"].to_numpy()
    assert costs[-1] < 8 * costs[0], table


def test_ten_million_skills_fit_in_half_a_gigabyte(benchmark):
    pytest.importorskip("numba")
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak memory of a process that another started")

    def run():
        done = subprocess.run(
            [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    graph, seconds, gigabytes, whole, learned = benchmark.pedantic(run, rounds=1)
    told = {
        "drawing the graph, s": (graph, np.nan),
        "peeling, s": (seconds, 5.0),
        "peak memory above what imports take, GiB": (gigabytes, 0.5),
        "peak memory of the process, GiB": (whole, np.nan),
    }
    table = pd.DataFrame(told, index=["found", "bar"]).T
    TABLES.append(("1e7 skills, 3.6e7 edges, numba", table.round(3)))
    assert learned == pytest.approx(learning_curve(1.2, 3.0).learned, abs=1e-3)
    assert gigabytes < 0.5


@pytest.mark.parametrize(
    ("name", "degrees", "prior"),
    [("poisson", 3.0, 0.0), ("regular", regular_skills(3), 0.0), ("fixed", fixed_texts(5), 0.3)],
)
@pytest.mark.parametrize("learner", [1, 3])
def test_a_curve_of_two_hundred_ratios(benchmark, name, degrees, prior, learner):
    ratios = np.linspace(0.05, 3, 200)
    milliseconds = 1e3 * cpu_seconds(lambda: learning_curve(ratios, degrees, learner, prior))
    told = {f"{name} degrees, D = {learner}": (milliseconds, 50.0)}
    table = pd.DataFrame(told, index=["ms", "bar"]).T
    TABLES.append(("density evolution, 200 ratios", table.round(2)))
    benchmark(learning_curve, ratios, degrees, learner, prior)
