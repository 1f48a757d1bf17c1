"""Whatever happened to a file of any format, loading it ends in tables or in one sentence.

Every file of `tests/files` is cut, has bytes flipped or pieces put in, and, where it is JSON, types
swapped and keys taken out. The good file beside the damaged one is loaded all the same.
"""

import copy
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emergekit import load

FILES = Path(__file__).parent.parent / "files"
WHOLE = [
    file
    for file in sorted(FILES.rglob("*"))
    if file.is_file() and file.suffix in (".json", ".jsonl", ".csv", ".eval", ".yaml", ".parquet")
]
NAMES = [str(file.relative_to(FILES)) for file in WHOLE]
PIECES = [b"", b"\0", b'"', b",", b"\n", b"[", b"}", b"NaN", b"1e999", b"-", b"\xff", b"9" * 50]
VALUES = [
    None,
    True,
    0,
    -1,
    0.5,
    1e300,
    10**30,
    "",
    "x",
    "N/A",
    "-inf",
    [],
    [1],
    [[]],
    {},
    {"a": 1},
]
GOOD = {"results": {"t": {"acc": 0.5}}, "versions": {}, "config": {"model_args": "pretrained=good"}}

flips = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 40), st.sampled_from(PIECES)),
    min_size=1,
    max_size=3,
)
steps = st.lists(st.integers(0, 10**6), min_size=1, max_size=8)


def flipped(raw, changes):
    content = bytearray(raw)
    for place, length, piece in changes:
        start = place % len(content) if content else 0
        content[start : start + length] = piece
    return bytes(content)


def documents(raw):
    """Return the JSON values of a file, None if it is no JSON."""
    try:
        return [json.loads(raw)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in raw.splitlines() if line.strip()]
    except ValueError:
        return None


def swapped(raw, path, value, how):
    """Return the file with one value of its JSON replaced, taken out, or put in twice."""
    found = documents(raw)
    if not found:
        return raw
    found = copy.deepcopy(found)
    here = found
    for step in path:
        key = list(here)[step % len(here)] if isinstance(here, dict) else step % len(here)
        inner = here[key]
        if step == path[-1] or not isinstance(inner, dict | list) or not inner:
            if how == "out":
                del here[key]
            elif how == "name" and isinstance(here, dict):
                here[str(value)] = here.pop(key)
            else:
                here[key] = value
            break
        here = inner
    return "\n".join(map(json.dumps, found)).encode()


def assert_in_words(tmp_path, name, raw):
    """Load a folder of the damaged file, those beside it, and a good one."""
    folder = tmp_path / "x"
    if not folder.exists():
        shutil.copytree((FILES / name).parent, folder)
        (folder / "good.json").write_text(json.dumps(GOOD))
    damaged = folder / Path(name).name
    damaged.write_bytes(raw)
    tables = load(folder)
    assert "good" in set(tables.results["model"])
    for said in tables.notes.query("severity == 'error'")["message"]:
        assert said.startswith(str(folder)), said
        assert "\n" not in said


def run(n_cases):
    """Return the checks of one file, n cases of each kind."""

    @settings(max_examples=n_cases, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(changes=flips)
    def flip(tmp_path, name, changes):
        assert_in_words(tmp_path, name, flipped((FILES / name).read_bytes(), changes))

    @settings(max_examples=n_cases, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(path=steps, value=st.sampled_from(VALUES), how=st.sampled_from(["value", "out", "name"]))
    def swap(tmp_path, name, path, value, how):
        raw = (FILES / name).read_bytes()
        assert_in_words(tmp_path, name, swapped(raw, path, value, how))

    return flip, swap


N_FEW = max(2, 500 // (2 * len(WHOLE)) + 1)
N_MANY = 10_000 // (2 * len(WHOLE)) + 1
few_flips, few_swaps = run(N_FEW)
many_flips, many_swaps = run(N_MANY)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_tables_or_one_sentence(tmp_path, name):
    few_flips(tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_swapped_types_and_missing_keys_are_tables_or_one_sentence(tmp_path, name):
    few_swaps(tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_damaged_files_are_tables_or_one_sentence(tmp_path, name):
    many_flips(tmp_path, name)
    many_swaps(tmp_path, name)
