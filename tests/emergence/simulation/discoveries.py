"""Sixty tasks judged together, twelve of which have a threshold."""

import pandas as pd

import emergekit as ek
from emergekit.emergence import simulate_world

WORLDS = ["em K=5", "em K=10", "mc smooth", "em K=2"] * 12 + ["em hinge K=5"] * 12


def discoveries(n_scales, seed):
    """Return how many tasks were called genuine, how many of these wrongly, how many missed."""
    parts = [
        simulate_world(world, n_scales, 500, 0.03, seed=1000 * seed + place).assign(
            task=f"{place:02d} {world}"
        )
        for place, world in enumerate(WORLDS)
    ]
    verdicts = ek.mirage_test(pd.concat(parts, ignore_index=True), x="flops", seed=seed)
    found = verdicts["verdict"] == "genuine"
    broken = verdicts["task"].str.contains("hinge")
    return int(found.sum()), int((found & ~broken).sum()), int((~found & broken).sum())
