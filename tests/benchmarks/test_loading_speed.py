"""Ten thousand files of results from one folder, against reading the same files one by one."""

import json
import time

import pandas as pd
import pytest

from emergekit import load
from tests.benchmarks.conftest import RATIOS

N = 10_000
N_PEER = 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write 100 models at 100 steps, 20 tasks each, as lm-evaluation-harness 0.3 does."""
    root = tmp_path_factory.mktemp("evals")
    for number in range(N):
        model, step = divmod(number, 100)
        right = {f"task-{t}": 1 + (number + t) % 98 for t in range(20)}
        results = {
            task: {"acc": k / 99, "acc_stderr": (k / 99 * (1 - k / 99) / 98) ** 0.5}
            for task, k in right.items()
        }
        config = {"model_args": f"pretrained=acme/m{model},revision=step{step}", "num_fewshot": 0}
        content = {"results": results, "versions": dict.fromkeys(results, 0), "config": config}
        path = root / f"m{model}" / f"step{step}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2))
    return root


def one_by_one(folder):
    """Read files as a notebook does: json, one frame a file, all put together."""
    frames = []
    for path in sorted(folder.rglob("*.json"))[:N_PEER]:
        content = json.loads(path.read_text())
        frame = pd.DataFrame(content["results"]).T.rename_axis("task").reset_index()
        frames.append(frame.assign(model=content["config"]["model_args"]))
    return pd.concat(frames, ignore_index=True)


def test_a_folder_of_ten_thousand_results(benchmark, folder):
    one_by_one(folder)  # warms up
    start = time.process_time()
    one_by_one(folder)
    middle = time.process_time()
    tables = benchmark.pedantic(load, args=(folder,), rounds=1)
    own = (time.process_time() - middle) / N
    found = (middle - start) / N_PEER / own
    assert (len(tables.models), len(tables.results)) == (N, 20 * N)
    assert (tables.results["n_examples"] == 99).all()
    name = f"10,000 result files, {1 / own:,.0f} a second, checked, of json and pandas"
    RATIOS.append((name, found, ">= 1"))
    assert found >= 1
