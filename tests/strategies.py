"""Random inputs for property tests."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

# Scores are shares of whole items: multiples of a thousandth, whose differences are exact enough.
scores = st.integers(0, 1000).map(lambda count: count / 1000)
curves = st.lists(scores, min_size=2, max_size=15).map(np.array)

names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)


@st.composite
def result_tables(draw):
    """Return results of a few models on a few tasks, with model sizes, rows in any order."""
    tasks = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    sizes = draw(st.lists(st.integers(6, 48), min_size=2, max_size=6, unique=True))
    rows = [
        {"model": f"m{size}", "task": task, "metric": "exact_match", "n_params": 10.0 ** (size / 4)}
        for task in tasks
        for size in sizes
    ]
    table = pd.DataFrame(rows)
    table["score"] = draw(st.lists(scores, min_size=len(rows), max_size=len(rows)))
    return table.sample(frac=1, random_state=draw(st.integers(0, 99))).reset_index(drop=True)
