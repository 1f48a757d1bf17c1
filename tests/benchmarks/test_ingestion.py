"""Samples of lm-evaluation-harness into parquet, against one pandas frame of the same file."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.conftest import RATIOS
from tests.benchmarks.test_streaming import MEASURE
from tests.loaders.ingestion.logs import STAMP, write_samples

N = 150_000

PANDAS = """
import json, numpy as np, pandas as pd
rows = []
with open(PATH) as lines:
    for line in lines:
        record = json.loads(line)
        pairs = record["filtered_resps"]
        rows.append({
            "model": "m", "task": "law", "example_id": str(record["doc_id"]),
            "choices": [a["arg_1"].strip() for a in record["arguments"].values()],
            "choice_logprobs": [float(pair[0]) for pair in pairs],
            "gold": int(record["target"]), "doc_hash": record["doc_hash"],
        })
table = pd.DataFrame(rows)
table.to_parquet(TO, partition_cols=["model", "task"], compression="zstd")
print(len(table))
"""

OURS = """
from emergekit import ingest
print(ingest(PATH, TO)["n_samples"].sum())
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_samples(
        tmp_path_factory.mktemp("logs") / f"samples_law_{STAMP}.jsonl", N, padding=300
    )


def measured(code, path, to):
    script = code.replace("PATH", repr(str(path))).replace("TO", repr(str(to))) + MEASURE
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    n_rows, used = done.stdout.strip().splitlines()[-2:]
    assert int(n_rows) == N
    return json.loads(used)


def test_a_large_file_of_samples(benchmark, path, tmp_path):
    pandas_cpu, pandas_mib = measured(PANDAS, path, tmp_path / "pandas")
    cpu, mib = benchmark.pedantic(measured, args=(OURS, path, tmp_path / "ours"), rounds=1)
    size = path.stat().st_size / 1e6
    name = f"{size:.0f} MB of samples: {size / cpu:.0f} MB a second of CPU, of pandas' time"
    RATIOS.append((name, cpu / pandas_cpu, "<= 3, all checked"))
    name = f"{size:.0f} MB of samples: peak {mib:.0f} MiB of pandas' {pandas_mib:.0f} MiB"
    RATIOS.append((name, mib / pandas_mib, "<= 0.8, and 400 MiB"))
    benchmark.extra_info.update(cpu=cpu / pandas_cpu, memory=mib / pandas_mib)
    assert cpu <= 4 * pandas_cpu  # the bar, with room for a noisy machine
    assert mib <= 400
