"""The dask engine, on a real cluster of two worker processes."""

import numpy as np
import pandas as pd
import pytest

from emergekit import metrics
from emergekit.compute import run
from tests.test_compute import draw, fail_at_two, square

distributed = pytest.importorskip(
    "dask.distributed", reason="the extra 'distributed' is not installed"
)

pytestmark = pytest.mark.filterwarnings("default")  # of the cluster's own machinery


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


def test_a_cluster_gives_the_serial_numbers(cluster):
    assert run(square, range(20), engine="dask") == run(square, range(20))
    assert run(draw, range(20), engine="dask", seed=3) == run(draw, range(20), seed=3)


def test_a_failure_on_a_cluster_names_what_failed(cluster):
    with pytest.raises(ValueError, match="two is bad"):
        run(fail_at_two, range(4), engine="dask")


def test_a_cluster_rescores_a_parquet_file_as_memory_does(cluster, tmp_path):
    rng = np.random.default_rng(0)
    n = 20_000
    samples = pd.DataFrame(
        {
            "model": rng.choice(["a", "b"], n),
            "task": rng.choice(["t", "u", "v"], n),
            "example_id": np.arange(n),
            "prediction": rng.choice(["1 2", "2 1", "3"], n),
            "target": "1 2",
            "choice_logprobs": list(rng.normal(-50, 5, (n, 4))),
            "gold": rng.integers(0, 4, n),
        }
    )
    samples.to_parquet(tmp_path / "samples.parquet", row_group_size=3_000)
    wanted = ["exact_match", "token_edit_distance", "brier_sum", "logprob_correct", "ece"]
    memory = metrics.rescore(samples, wanted)
    keys = ["model", "task", "metric"]
    for engine in ("serial", "processes", "dask"):
        again = metrics.rescore(tmp_path / "samples.parquet", wanted, engine=engine, n_workers=2)
        both = memory.merge(again, on=keys, suffixes=("", "_again"))
        assert len(both) == len(memory)
        for name in ("score", "stderr", "n_examples", "chance"):
            np.testing.assert_allclose(
                both[name], both[f"{name}_again"], rtol=1e-12, err_msg=engine
            )
