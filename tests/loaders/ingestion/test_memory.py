"""Memory is flat in the size of the file."""

import subprocess
import sys

import pytest

from tests.loaders.ingestion.logs import STAMP, write_samples

CODE = """
import sys
from pathlib import Path
from emergekit.loaders import ingest
assert ingest(sys.argv[1], sys.argv[2])["n_samples"].sum() == int(sys.argv[3])
# ru_maxrss would hold the peak of the process that started this one.
told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(told["VmHWM"].split()[0]) / 1024)
"""


def peak(tmp_path, n_lines):
    file = write_samples(tmp_path / f"samples_law_{STAMP}.jsonl", n_lines, padding=600)
    command = [sys.executable, "-c", CODE, file, tmp_path / str(n_lines), str(n_lines)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_five_times_the_file_takes_no_more_memory(tmp_path):
    small, large = peak(tmp_path, 40_000), peak(tmp_path, 200_000)  # 54 and 270 MB
    assert large < small + 60
    assert large < 400
