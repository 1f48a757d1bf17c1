"""What is written as Every Eval Ever obeys its schemas, and comes back as it was."""

import json
import math
from types import MappingProxyType

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import emergekit as ek
from emergekit import load
from emergekit.errors import LoadError, TableError
from emergekit.tables import MODELS, SAMPLES, Tables
from tests.strategies import names, result_tables, scores

MODEL = MappingProxyType(
    {"model": "org/a", "run": "r1", "step": 3000, "family": "f", "n_params": 7e7, "n_tokens": 6e9}
    | {"flops": 2.5e18, "loss": 2.75, "loss_dataset": "pile"}
)
CHOICE = MappingProxyType(
    {"model": "org/a", "run": "r1", "step": 3000, "task": "t", "example_id": 7, "n_shots": 5}
    | {"choices": ["x", "y"], "gold": 1, "choice_logprobs": [-1.5, -0.25], "choice_bytes": [1, 1]}
)
ANSWER = MappingProxyType(
    {"model": "b", "task": "u", "example_id": "q", "prediction": "4", "target": ["4", "four"]}
    | {"token_logprobs": [-0.1, -math.inf], "logprob": -0.1, "filter": "strict"}
)
RESULT = MappingProxyType(
    {"model": "org/a", "run": "r1", "step": 3000, "task": "t", "metric": "acc", "score": 0.25}
    | {"stderr": 0.125, "n_examples": 12, "n_shots": 5, "higher_is_better": True, "chance": 0.25}
)


def tables_of(models=(), results=(), samples=()):
    parts = {"models": models, "results": results, "samples": samples}
    return Tables(**{name: pd.DataFrame(list(rows)) for name, rows in parts.items() if len(rows)})


def back(tables, folder):
    ek.write_every_eval_ever(tables, folder, retrieved=1750000000)
    return load(folder)


@settings(max_examples=20)
@given(table=result_tables(), data=st.data())
def test_value_error_count_and_direction_come_back(tmp_path_factory, table, data):
    some = st.one_of(st.none(), scores)
    n = len(table)
    table = table.drop(columns="n_params").assign(
        stderr=data.draw(st.lists(some, min_size=n, max_size=n)),
        n_examples=data.draw(
            st.lists(st.one_of(st.none(), st.integers(0, 10**9)), min_size=n, max_size=n)
        ),
        higher_is_better=data.draw(
            st.lists(st.sampled_from([True, False, None]), min_size=n, max_size=n)
        ),
        n_shots=data.draw(st.integers(0, 5)),
        low=data.draw(some),
        high=data.draw(st.sampled_from([None, 1.0, 100.0])),
        metric=data.draw(st.one_of(st.sampled_from(["acc", "bleu", "a/b.c"]), names)),
    )
    table["score"] *= data.draw(st.sampled_from([1.0, 100.0, -1 / 3]))
    found = back(Tables(results=table), tmp_path_factory.mktemp("written")).results
    keys = ["model", "task"]
    ours, theirs = (t.set_index(keys).sort_index() for t in (table, found))
    assert len(ours) == len(theirs)
    for name in ours:
        said = theirs[name] if name in theirs else pd.Series(np.nan, theirs.index)
        one, other = ([None if pd.isna(v) else v for v in values] for values in (ours[name], said))
        assert one == other, name


@pytest.mark.parametrize("rows", [CHOICE, ANSWER])
def test_samples_come_back_whole(tmp_path, rows):
    found = back(tables_of(samples=[rows]), tmp_path).samples.iloc[0]
    for name, value in rows.items():
        assert found[name] == value, name


def test_models_come_back_whole(tmp_path):
    models = [MODEL, {"model": "b", "seed": 3}]
    found = back(tables_of(models=models, results=[RESULT]), tmp_path).models
    for row in models:
        again = found[found["model"].eq(row["model"])].iloc[0]
        for name, value in row.items():
            assert again[name] == value, name


def test_checkpoints_are_files_of_their_own(tmp_path):
    results = [RESULT | {"step": step, "score": step / 1000} for step in (1, 2, 3)]
    files = ek.write_every_eval_ever(tables_of(results=results), tmp_path)
    assert len({file.name for file in files}) == 3
    found = load(tmp_path).results
    assert dict(zip(found["step"], found["score"], strict=True)) == {1: 0.001, 2: 0.002, 3: 0.003}


def test_writing_again_replaces_what_was_written(tmp_path):
    first = ek.write_every_eval_ever(tables_of(results=[RESULT]), tmp_path)
    second = ek.write_every_eval_ever(tables_of(results=[RESULT | {"score": 0.5}]), tmp_path)
    assert first == second
    assert load(tmp_path).results["score"].tolist() == [0.5]
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == first


def test_answers_are_scored_where_they_can_be(tmp_path):
    samples = [CHOICE, ANSWER, {"model": "b", "task": "u", "example_id": "none"}]
    found = back(tables_of(samples=samples), tmp_path).samples.set_index("example_id")
    assert found["score"].dropna().to_dict() == {7: 1.0, "q": 1.0}


def test_what_is_written_obeys_the_schemas(tmp_path, reference_files):
    folder = reference_files / "formats" / "every_eval_ever" / "schema"
    of_results, of_samples = (
        jsonschema.Draft7Validator(json.loads((folder / f"{name}.schema.json").read_text()))
        for name in ("eval", "instance_level_eval")
    )
    odd = {"model": "b", "task": "", "example_id": 1.5, "target": 3, "choices": [1, 2], "gold": 0}
    results = [
        RESULT,
        RESULT | {"metric": "loss", "score": 3, "stderr": None, "higher_is_better": False},
        {"model": "c d/é", "task": "t", "metric": "m", "score": 1e300, "lower": 0.1, "upper": 0.2},
    ]
    samples = [CHOICE, ANSWER, {**odd, "task": "t", "extra": pd.Timestamp("2026-01-01")}]
    ek.write_every_eval_ever(tables_of([MODEL], results, samples), tmp_path)
    files = [*tmp_path.rglob("*.json")]
    assert len(files) == 3
    for file in files:
        of_results.validate(json.loads(file.read_text()))
    for file in tmp_path.rglob("*.jsonl"):
        for line in file.read_text().splitlines():
            of_samples.validate(json.loads(line))


def test_what_was_read_from_the_standard_is_written_to_it(tmp_path, reference_files):
    tables = load(reference_files / "formats" / "every_eval_ever" / "*[0-9a-f].json*")
    found = back(tables, tmp_path)
    keys = ["model", "task"]
    for name in ("results", "samples"):
        one, other = (
            getattr(t, name).set_index(keys).sort_index().sort_index(axis=1)
            for t in (tables, found)
        )
        pd.testing.assert_frame_equal(one, other)


def test_the_samples_file_is_told_with_its_checksum(tmp_path):
    first, second = ek.write_every_eval_ever(tables_of(samples=[ANSWER]), tmp_path)
    said = json.loads(first.read_text())["detailed_evaluation_results"]
    assert tmp_path / said["file_path"] == second
    assert said["total_rows"] == 1


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(LoadError, match="the tables have no rows"):
        ek.write_every_eval_ever(Tables(), tmp_path)
    with pytest.raises(TableError, match="expected Tables"):
        ek.write_every_eval_ever(pd.DataFrame([RESULT]), tmp_path)
    with pytest.raises(ValueError, match="Unknown relationship 'friend'"):
        ek.write_every_eval_ever(tables_of(results=[RESULT]), tmp_path, relationship="friend")
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="cannot be written"):
        ek.write_every_eval_ever(tables_of(results=[RESULT]), tmp_path / "file")


def test_every_column_of_the_schemas_has_a_place(tmp_path):
    model = dict.fromkeys(MODELS.names, 1) | {"model": "m"}
    sample = dict.fromkeys(SAMPLES.names, 1) | {"model": "m", "task": "t"}
    found = back(tables_of([model], samples=[sample]), tmp_path)
    assert set(MODELS.names) <= set(found.models)
    assert set(SAMPLES.names) <= set(found.samples)


@pytest.mark.parametrize(
    ("harnesses", "versions", "name", "version"),
    [
        (["lm-evaluation-harness"] * 2, ["0.4.9"] * 2, "lm_eval", "0.4.9"),
        (["lm-evaluation-harness"] * 2, ["0.4.9", "0.4.8"], "lm_eval", "unknown"),
        (["HELM", "OLMES"], ["1"] * 2, "unknown", "unknown"),
        (["OLMES", None], [None, None], "unknown", "unknown"),
        (["OLMES"] * 2, [None, None], "OLMES", "unknown"),
    ],
)
def test_the_library_is_the_harness_that_all_results_have(
    tmp_path, harnesses, versions, name, version
):
    rows = [
        {"model": "a", "task": f"t{n}", "metric": "acc", "score": 0.5}
        | {"harness": harness, "harness_version": of}
        for n, (harness, of) in enumerate(zip(harnesses, versions, strict=True))
    ]
    [file] = ek.write_every_eval_ever(tables_of(results=rows), tmp_path)
    assert json.loads(file.read_text())["eval_library"] == {"name": name, "version": version}
    found = load(file).results
    said = found["harness"] if "harness" in found else pd.Series([None, None])
    assert [None if pd.isna(value) else value for value in said] == harnesses
