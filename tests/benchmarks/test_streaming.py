"""Re-scoring five million samples from disk, against the same work in one pandas frame."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.benchmarks.conftest import RATIOS

N = 5_000_000

PANDAS = """
import numpy as np, pandas as pd
from rapidfuzz.distance import Levenshtein
frame = pd.read_parquet(PATH)
logprobs = np.array(frame["choice_logprobs"].tolist())
p = np.exp(logprobs - logprobs.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)
right = np.eye(4)[frame["gold"]]
frame["brier_sum"] = ((p - right) ** 2).sum(axis=1)
frame["exact_match"] = (frame["prediction"] == frame["target"]).astype(float)
frame["edit"] = [Levenshtein.distance(a, t) for a, t in zip(frame["prediction"], frame["target"])]
scores = frame.groupby(["model", "task"])[["exact_match", "edit", "brier_sum"]].mean()
print(scores.mean().to_dict())
"""

OURS = """
from emergekit.metrics import get, rescore
metrics = ["exact_match", get("character_edit_distance"), "brier_sum"]
results = rescore(PATH, metrics, by=["model", "task"])
print(results.groupby("metric")["score"].mean().to_dict())
"""

MEASURE = """
import json, resource
from pathlib import Path
used = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss holds the peak of the process that started this one as well; Linux tells our own.
status, peak = Path("/proc/self/status"), used.ru_maxrss
if status.exists():
    told = dict(line.split(":", 1) for line in status.read_text().splitlines())
    peak = int(told["VmHWM"].split()[0])
print(json.dumps([used.ru_utime + used.ru_stime, peak / 1024]))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Write samples of 20 models on 50 tasks, in ten row groups."""
    file = tmp_path_factory.mktemp("samples") / "samples.parquet"
    rng, rows = np.random.default_rng(0), N // 10
    writer = None
    for _ in range(10):
        target = rng.integers(10**6, 10**7, rows)
        answer = np.where(rng.random(rows) < 0.3, target, rng.integers(10**6, 10**7, rows))
        batch = pa.table(
            {
                "model": pa.array([f"m{i:02d}" for i in range(20)]).take(
                    pa.array(rng.integers(0, 20, rows))
                ),
                "task": pa.array([f"t{i:02d}" for i in range(50)]).take(
                    pa.array(rng.integers(0, 50, rows))
                ),
                "prediction": pa.array(answer).cast(pa.string()),
                "target": pa.array(target).cast(pa.string()),
                "choice_logprobs": pa.FixedSizeListArray.from_arrays(
                    pa.array(rng.normal(-5, 2, 4 * rows)), 4
                ).cast(pa.list_(pa.float64())),
                "gold": pa.array(rng.integers(0, 4, rows)),
            }
        )
        writer = writer or pa.parquet.ParquetWriter(file, batch.schema, compression="zstd")
        writer.write_table(batch)
    writer.close()
    return file


def measured(code, path):
    script = code.replace("PATH", repr(str(path))) + MEASURE
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    values, used = done.stdout.strip().splitlines()[-2:]
    return values, json.loads(used)


def test_five_million_samples_from_parquet(benchmark, path):
    _, (pandas_cpu, pandas_mib) = measured(PANDAS, path)
    _, (cpu, mib) = benchmark.pedantic(measured, args=(OURS, path), rounds=1)
    RATIOS.append(
        (f"5e6 samples: CPU {cpu:.1f} s of pandas' {pandas_cpu:.1f} s", cpu / pandas_cpu, "<= 0.9")
    )
    RATIOS.append(
        (
            f"5e6 samples: peak {mib:.0f} MiB of pandas' {pandas_mib:.0f} MiB",
            mib / pandas_mib,
            "<= 0.3",
        )
    )
    benchmark.extra_info.update(cpu=cpu / pandas_cpu, memory=mib / pandas_mib)
