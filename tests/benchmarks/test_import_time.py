"""What the first line of a notebook costs: a fresh interpreter with and without the package."""

import subprocess
import sys

import pytest


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize(
    "code", ["pass", "import emergekit"], ids=["bare interpreter", "import emergekit"]
)
def test_import(benchmark, code):
    benchmark(subprocess.run, [sys.executable, "-c", code], check=True)
