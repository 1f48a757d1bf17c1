"""Small tables to report on."""

import pandas as pd
import pytest

from emergekit import Tables


@pytest.fixture
def toy():
    """Return a maker of three models with one score each, and columns as wanted."""

    def make(**columns):
        table = pd.DataFrame(
            {"model": ["a", "b", "c"], "task": "t", "metric": "acc", "score": [0.1, 0.2, 0.8]}
            | columns
        )
        models = pd.DataFrame({"model": ["a", "b", "c"], "n_params": [1e7, 1e8, 1e9]})
        return Tables(models=models, results=table)

    return make


@pytest.fixture
def grid():
    """Return a maker of scores with their sizes, for every task, metric and family."""

    def make(tasks=("t",), metrics=("acc",), families=("f",), **columns):
        rows = [
            {
                "model": f"{family}{size:g}",
                "family": family,
                "task": task,
                "metric": metric,
                "n_params": size,
                "score": score if metric != "word_perplexity" else 100 * (1 - score),
            }
            for task in tasks
            for metric in metrics
            for family in families
            for size, score in zip([1e7, 1e8, 1e9, 1e10], [0.1, 0.15, 0.2, 0.8], strict=True)
        ]
        return pd.DataFrame(rows).assign(**columns)

    return make
