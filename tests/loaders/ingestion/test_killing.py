"""Killed at any point, ingestion shows nothing half written and goes on where it was."""

import random
import shutil
import subprocess
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest

import emergekit as ek
from emergekit import rescore
from emergekit.files import INGESTED
from emergekit.loaders.ingestion import committing, making
from tests.loaders.ingestion.logs import write_folder

CODE = "import sys; from emergekit.loaders import ingest; ingest(sys.argv[1], sys.argv[2])"
TASKS = ("law", "sums", "words")
N_LINES = 20


def seen(folder):
    """Return how many samples of which model and task are to be seen, each in a whole file."""
    counts = {}
    for file in folder.rglob("model=*/**/*.parquet"):
        assert not file.name.startswith(".")
        about = pq.ParquetFile(file)
        assert about.read().num_rows == about.metadata.num_rows
        place = file.parent.parent.name, file.parent.name
        assert place not in counts
        counts[place] = about.metadata.num_rows
    return counts


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("logs"), tasks=TASKS, n_lines=N_LINES)


@pytest.fixture(scope="module")
def whole(logs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    ek.ingest(logs, folder)
    return rescore(folder, "acc")


class Killed(BaseException):
    """Stops a call as a signal would."""


def stopping_at(number, function):
    """Return a function that stops its caller at the given call, before or after its work."""
    calls = iter(range(10_000))

    def stopped(*arguments, **named):
        call = next(calls)
        if call == number:
            raise Killed
        result = function(*arguments, **named)
        if call == number - 0.5:
            raise Killed
        return result

    return stopped


@pytest.mark.parametrize("place", [0, 0.5, 2.5])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (committing, "_put_in_place"),
        (making, "commit"),
        (making, "_size_and_date"),
    ],
    ids=lambda value: getattr(value, "__name__", value).rpartition(".")[2],
)
def test_stopped_between_any_two_steps_it_goes_on(
    logs, whole, tmp_path, monkeypatch, module, name, place
):
    with monkeypatch.context() as patch:
        patch.setattr(module, name, stopping_at(place + 0.5, getattr(module, name)))
        # what would tidy up after an exception does not run after a kill
        patch.setattr(making.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            ek.ingest(logs, tmp_path)
    assert set(seen(tmp_path).values()) <= {N_LINES}
    ek.ingest(logs, tmp_path)
    assert len(seen(tmp_path)) == 2 * len(TASKS)
    pd.testing.assert_frame_equal(rescore(tmp_path, "acc"), whole)
    assert not list((tmp_path / INGESTED / "staging").iterdir())


@pytest.mark.slow
def test_killed_at_random_points_it_ends_as_if_it_had_not_been(tmp_path):
    rng = random.Random(0)
    logs = write_folder(tmp_path / "logs", tasks=TASKS, n_lines=3000)
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", CODE, logs, whole], check=True)
    takes = time.monotonic() - start
    ended = 0
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", CODE, logs, folder])
        try:
            process.wait(timeout=rng.uniform(0.3, 1.0) * takes)
        except subprocess.TimeoutExpired:
            process.kill()
        ended += process.wait() == 0
        if folder.exists():
            assert set(seen(folder).values()) <= {3000}
        if ended and rng.random() < 0.5:
            shutil.rmtree(folder)
    subprocess.run([sys.executable, "-c", CODE, logs, folder], check=True)
    pd.testing.assert_frame_equal(rescore(folder, "acc"), rescore(whole, "acc"))
