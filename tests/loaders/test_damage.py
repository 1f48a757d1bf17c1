"""Whatever was done to a file, loading it ends in tables or in one sentence."""

import io
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emergekit import load
from emergekit.errors import LoadError
from emergekit.tables import Tables

ROWS = [
    {"model": "a", "task": "t", "metric": "acc", "score": 0.1, "n_params": 1e6},
    {"model": "b", "task": "t", "metric": "bleu", "score": 30, "n_params": 1e7},
]
PARQUET = io.BytesIO()
pd.DataFrame(ROWS).to_parquet(PARQUET)
WHOLE = {
    "csv": pd.DataFrame(ROWS).to_csv(index=False).encode(),
    "json": json.dumps(ROWS).encode(),
    "jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "parquet": PARQUET.getvalue(),
}
PIECES = [b"", b"\0", b'"', b",", b"\n", b"[", b"}", b"NaN", b"1e999", b"%", b"\xff", b"9" * 50]
cuts = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 10), st.sampled_from(PIECES)),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=cuts, percent=st.sampled_from([None, True, False, "acc"]))
def test_a_damaged_file_is_tables_or_one_sentence(tmp_path, kind, cuts, percent):
    content = bytearray(WHOLE[kind])
    for place, length, piece in cuts:
        start = place % len(content) if content else 0
        content[start : start + length] = piece
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(bytes(content))
    said = outcome(path, percent)
    assert said is None or (said.startswith((str(path), "percent=")) and "\n" not in said)


def outcome(path, percent):
    """Return None if tables come out, else what the error says."""
    try:
        assert isinstance(load(path, percent=percent), Tables)
    except LoadError as error:
        return str(error)
    return None
