"""Logs become parquet once, and the parquet is scored as the logs are."""

import hashlib
import json
import os
import random
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

import emergekit as ek
from emergekit import load, rescore
from emergekit.errors import LoadError
from emergekit.files import INGESTED
from emergekit.loaders.ingestion import committing, moving, runs
from tests.loaders.ingestion.logs import STAMP, choice_line, write_folder, write_samples

LATER = "2026-02-02T03-04-05.000001"

KEYS = ["model", "task", "metric"]


@pytest.fixture
def logs(tmp_path):
    return write_folder(tmp_path / "logs")


def states(done):
    return done["state"].value_counts().to_dict()


def files_of(folder):
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*.parquet")
    }


def test_what_is_ingested_scores_as_what_is_loaded(logs, tmp_path):
    done = ek.ingest(logs, tmp_path / "parquet")
    assert states(done) == {"ingested": 4, "no samples": 2}
    assert done["n_samples"].sum() == 80
    metrics = ["acc", "brier_sum", "logprob_correct"]
    ours = rescore(tmp_path / "parquet", metrics).set_index(KEYS).sort_index()
    theirs = rescore(load(logs).samples, metrics).set_index(KEYS).sort_index()
    assert (ours["n_examples"] == 20).all()
    pd.testing.assert_frame_equal(ours, theirs[ours.columns], check_dtype=False)


def test_folders_are_named_by_model_and_task(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    names = {file.rpartition("/")[0] for file in files_of(tmp_path / "parquet")}
    assert names == {
        "",
        *(f"model=org%2F{m}/task={t}" for m in ("small", "large") for t in ("law", "sums")),
    }


def test_what_was_ingested_can_be_loaded(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    tables, before = load(tmp_path / "parquet"), load(logs)
    assert len(tables.samples) == len(before.samples)
    sizes = tables.models.set_index("model")["n_params"].to_dict()
    assert sizes == {"org/small": 10**7, "org/large": 10**8}
    assert not tables.notes["severity"].eq("error").any()


def test_the_second_call_does_nothing(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    for verify in (False, True):
        done = ek.ingest(logs, tmp_path / "parquet", verify=verify)
        assert states(done) == {"unchanged": 4, "no samples": 2}
        assert done["n_samples"].sum() == 80
        assert files_of(tmp_path / "parquet") == before


def test_a_changed_file_replaces_what_was_made_of_it(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    write_samples(logs / "small" / f"samples_law_{STAMP}.jsonl", 25, seed=7)
    assert states(ek.ingest(logs, tmp_path / "parquet")) == {
        "ingested": 1,
        "unchanged": 3,
        "no samples": 2,
    }
    counts = rescore(tmp_path / "parquet", "acc").set_index(["model", "task"])["n_examples"]
    assert counts.to_dict()["org/small", "law"] == 25
    assert counts.sum() == 85


def test_a_touched_file_is_known_by_its_checksum(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    for file in logs.rglob("*.jsonl"):
        os.utime(file, (1, 1))
    assert states(ek.ingest(logs, tmp_path / "parquet"))["unchanged"] == 4


def test_parts_that_no_longer_are_made_are_removed(tmp_path):
    rows = [{"model": m, "task": "t", "example_id": 1, "logprob": -1.0} for m in ("a", "b")]
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    ek.ingest(file, tmp_path / "parquet")
    file.write_text(json.dumps(rows[0]))
    ek.ingest(file, tmp_path / "parquet")
    assert {name.split("/")[0] for name in files_of(tmp_path / "parquet")} == {
        "model=a",
        "models.parquet",
    }
    assert not (tmp_path / "parquet" / "model=b").exists()


def test_lost_and_damaged_parts_are_made_again(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    first, second, *_ = [tmp_path / "parquet" / name for name in before if "task=" in name]
    first.unlink()
    assert states(ek.ingest(logs, tmp_path / "parquet"))["ingested"] == 1
    raw = bytearray(second.read_bytes())
    raw[len(raw) // 2] ^= 1
    second.write_bytes(raw)
    assert states(ek.ingest(logs, tmp_path / "parquet", verify=True))["ingested"] == 1
    assert files_of(tmp_path / "parquet") == before


def test_the_manifest_has_the_checksums_of_sources_and_parts(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    there, sources = files_of(tmp_path / "parquet"), set()
    for file in (tmp_path / "parquet" / INGESTED / "manifest").glob("*.json"):
        entry = json.loads(file.read_text())
        source = entry["source"]
        sources.add(source)
        with open(source, "rb") as stream:
            assert entry["sha256"] == hashlib.file_digest(stream, "sha256").hexdigest()
        for part in entry["parts"]:
            assert there[part["file"]] == part["sha256"]
    assert sources == {str(file) for file in logs.rglob("*.json*")}


def test_a_broken_file_is_named_and_the_others_are_ingested(logs, tmp_path):
    broken = logs / "small" / f"samples_law_{STAMP}.jsonl"
    broken.write_text(broken.read_text()[:-40])
    done = ek.ingest(logs, tmp_path / "parquet").set_index("state")
    assert done.loc["failed", "file"] == str(broken)
    assert f"{broken}: line 20: column" in done.loc["failed", "message"]
    assert not any("small/task=law" in name for name in files_of(tmp_path / "parquet"))
    assert len(done.loc["ingested"]) == 3
    assert not list((tmp_path / "parquet" / INGESTED / "staging").iterdir())


def test_what_breaks_later_keeps_what_was_made_of_it_before(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    (logs / "small" / f"samples_law_{STAMP}.jsonl").write_text("{")
    assert states(ek.ingest(logs, tmp_path / "parquet"))["failed"] == 1
    assert files_of(tmp_path / "parquet") == before


def test_the_folder_may_lie_in_that_of_the_logs(logs):
    for _ in range(2):
        done = ek.ingest(logs, logs / "parquet")
        assert len(done) == 6
    with pytest.raises(LoadError, match="holds nothing but what was ingested"):
        ek.ingest(logs / "parquet", logs / "parquet")


def test_kinds_that_differ_within_a_column_are_files_of_their_own(tmp_path):
    rows = [
        {"model": "a", "task": "t", "example_id": n, "prediction": "x", "target": target}
        for n, target in enumerate(["x", ["x", "y"], "x", None, ["y"]])
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    ek.ingest(file, tmp_path / "parquet")
    [row] = rescore(tmp_path / "parquet", "exact_match").to_dict("records")
    assert (row["score"], row["n_examples"], row["n_missing"]) == (0.75, 4, 1)


@pytest.mark.parametrize("name", ["a/b", "..", "é ü", "x=y", "%2F", "5", ".hidden", "a\nb", "CON"])
def test_names_of_models_come_back_from_folders(tmp_path, name):
    row = {"model": name, "task": name, "example_id": 1, "prediction": "x", "target": "x"}
    file = tmp_path / "log.jsonl"
    file.write_text(json.dumps(row))
    ek.ingest(file, tmp_path / "parquet")
    assert {path.parent.parent.parent for path in (tmp_path / "parquet").rglob("log*.parquet")} == {
        tmp_path / "parquet"
    }
    assert str(rescore(tmp_path / "parquet", "exact_match")["model"].item()) == name
    assert load(tmp_path / "parquet").samples["task"].item() == name


def test_a_name_longer_than_a_folder_takes_is_refused_by_name(tmp_path):
    row = {"model": "m" * 300, "task": "t", "example_id": 1, "logprob": -1}
    file = tmp_path / "log.jsonl"
    file.write_text(json.dumps(row))
    done = ek.ingest(file, tmp_path / "parquet")
    assert "log.jsonl: model 'mmm" in done["message"].item()
    assert "too long for the name of a folder" in done["message"].item()


def test_renamed_columns_and_constants_are_read_in_parts_too(tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_text(json.dumps({"who": "a", "example_id": 1, "prediction": "x", "target": "x"}))
    options = {"columns": {"who": "model"}, "constants": {"task": "t"}}
    assert states(ek.ingest(file, tmp_path / "p", **options)) == {"ingested": 1}
    assert states(ek.ingest(file, tmp_path / "p", **options)) == {"unchanged": 1}
    options["constants"] = {"task": "u"}
    assert states(ek.ingest(file, tmp_path / "p", **options)) == {"ingested": 1}
    assert rescore(tmp_path / "p", "exact_match")["task"].tolist() == ["u"]
    with pytest.raises(LoadError, match="Unknown option 'colums'"):
        ek.ingest(file, tmp_path / "p", colums={})


def test_a_place_that_cannot_be_written_is_named(logs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="file: cannot be written"):
        ek.ingest(logs, tmp_path / "file")


def test_two_processes_do_not_write_at_once(logs, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    ek.ingest(logs, tmp_path / "parquet")
    with (tmp_path / "parquet" / INGESTED / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LoadError, match="another process ingests into it now"):
            ek.ingest(logs, tmp_path / "parquet")


def test_a_damaged_manifest_costs_time_and_nothing_else(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    for file in (tmp_path / "parquet" / INGESTED / "manifest").glob("*.json"):
        file.write_text("{" if file.name < "8" else "[]")
    ek.ingest(logs, tmp_path / "parquet")
    assert files_of(tmp_path / "parquet") == before
    shutil.rmtree(tmp_path / "parquet" / INGESTED)
    ek.ingest(logs, tmp_path / "parquet")
    assert files_of(tmp_path / "parquet") == before


def test_contradicting_models_are_named_once_the_samples_are_in_place(tmp_path):
    for number, size in enumerate((1e6, 2e6)):
        row = {"model": "a", "task": f"t{number}", "example_id": 1, "logprob": -1, "n_params": size}
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row))
    with pytest.raises(LoadError, match=r"has n_params 1000000 in .*0\.jsonl and 2000000 in"):
        ek.ingest(tmp_path / "*.jsonl", tmp_path / "parquet")
    assert len(files_of(tmp_path / "parquet")) == 2


def test_models_that_differ_in_a_free_column_are_a_word_in_the_table(tmp_path):
    for number, kind in enumerate(("pretrained", "tuned")):
        row = {"model": "a", "type": kind, "n_params": 1e6, "n_tokens": 1e9, "loss": 2.0}
        pd.DataFrame([row]).to_csv(tmp_path / f"{number}.csv", index=False)
    row = {"model": "a", "task": "t", "example_id": 1, "logprob": -1}
    (tmp_path / "log.jsonl").write_text(json.dumps(row))
    done = ek.ingest(tmp_path, tmp_path / "parquet").set_index("file")
    told = done.loc[str(tmp_path / "1.csv"), "message"]
    assert "has type pretrained in" in told
    assert told.endswith("pretrained was kept")
    [model] = pd.read_parquet(tmp_path / "parquet" / "models.parquet").to_dict("records")
    assert model["type"] == "pretrained"


def test_a_count_that_no_column_takes_is_an_error_with_a_place(logs, tmp_path):
    [file] = (logs / "small").glob("results*")
    file.write_text(file.read_text().replace("10000000", "1" + "0" * 40))
    with pytest.raises(LoadError, match=r"models\.parquet: cannot be written"):
        ek.ingest(logs, tmp_path / "parquet")


def test_row_groups_are_many_samples(tmp_path):
    file = write_samples(tmp_path / f"samples_law_{STAMP}.jsonl", 9_000)
    ek.ingest(file, tmp_path / "parquet")
    [part] = [f for f in (tmp_path / "parquet").rglob("*.parquet") if "task=" in str(f)]
    about = pq.read_metadata(part)
    assert about.num_rows == 9_000
    assert about.num_row_groups == 1


def evaluated_again(logs, model="small", tasks=("law",)):
    """Write a second evaluation of some tasks of one model, with other answers."""
    inside = logs / model
    shutil.copy(inside / f"results_{STAMP}.json", inside / f"results_{LATER}.json")
    for task in tasks:
        write_samples(inside / f"samples_{task}_{LATER}.jsonl", 20, seed=99)


def keep_task(results, task):
    """Drop all tasks but one from a file of results, which may get another name by that."""
    content = json.loads(results.read_text())
    content["results"] = {task: next(iter(content["results"].values()))}
    results.write_text(json.dumps(content))


def assert_scored_as_loaded(logs, folder):
    ours, theirs = rescore(folder, "acc"), rescore(load(logs).samples, "acc")
    keys = [name for name in ("model", "run", "task") if name in theirs]
    assert ("run" in ours) == ("run" in theirs)
    ours, theirs = (
        t.fillna({"run": ""}).set_index(keys).sort_index() if "run" in t else t.set_index(keys)
        for t in (ours, theirs)
    )
    own = [name for name in theirs.columns if name in ours]
    pd.testing.assert_frame_equal(
        ours[own].sort_index(), theirs[own].sort_index(), check_dtype=False, check_index_type=False
    )


def test_two_evaluations_of_a_model_are_scored_apart_as_load_keeps_them(logs, tmp_path):
    evaluated_again(logs)
    done = ek.ingest(logs, tmp_path / "parquet")
    results = rescore(tmp_path / "parquet", "acc")
    assert (results["n_examples"] == 20).all()
    small = results[results["model"] == "org/small"]
    assert sorted(zip(small["task"], small["run"], strict=True)) == [
        ("law", STAMP),
        ("law", LATER),
        ("sums", STAMP),
    ]
    assert_scored_as_loaded(logs, tmp_path / "parquet")
    said = done[done["message"].str.contains("kept apart as runs")]["file"]
    assert len(said) == 3
    assert load(tmp_path / "parquet").samples.groupby("model")["run"].nunique().to_dict() == {
        "org/small": 2,
        "org/large": 0,
    }


def test_an_evaluation_that_comes_later_parts_what_is_there(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    evaluated_again(logs)
    assert states(ek.ingest(logs, tmp_path / "parquet"))["unchanged"] == 4
    assert_scored_as_loaded(logs, tmp_path / "parquet")
    for _ in range(2):
        assert states(ek.ingest(logs, tmp_path / "parquet", verify=True))["unchanged"] == 5
    other_examples = [choice_line(number, random.Random(1)) for number in range(100, 120)]
    [later] = logs.rglob(f"*{LATER}.jsonl")
    later.write_text("\n".join(other_examples))
    keep_task(logs / "small" / f"results_{LATER}.json", "other")
    ek.ingest(logs, tmp_path / "parquet")
    after = files_of(tmp_path / "parquet")
    assert {name: after.get(name) for name in before if "task" in name}.items() <= before.items()
    assert not any("run=" in name for name in after)


def test_evaluations_of_different_tasks_are_one_run(logs, tmp_path):
    shutil.move(
        logs / "small" / f"samples_law_{STAMP}.jsonl", logs / "small" / f"samples_law_{LATER}.jsonl"
    )
    shutil.copy(logs / "small" / f"results_{STAMP}.json", logs / "small" / f"results_{LATER}.json")
    keep_task(logs / "small" / f"results_{STAMP}.json", "sums")
    keep_task(logs / "small" / f"results_{LATER}.json", "law")
    ek.ingest(logs, tmp_path / "parquet")
    assert_scored_as_loaded(logs, tmp_path / "parquet")
    assert not any("run=" in name for name in files_of(tmp_path / "parquet"))


def test_moved_logs_keep_what_was_made_of_them(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    before = files_of(tmp_path / "parquet")
    moved = logs.rename(tmp_path / "elsewhere")
    assert states(ek.ingest(moved, tmp_path / "parquet")) == {"moved": 4, "no samples": 2}
    assert rescore(tmp_path / "parquet", "acc")["n_examples"].tolist() == [20] * 4
    assert files_of(tmp_path / "parquet") == before
    assert states(ek.ingest(moved, tmp_path / "parquet")) == {"unchanged": 4, "no samples": 2}
    entries = (tmp_path / "parquet" / INGESTED / "manifest").glob("*.json")
    assert {json.loads(file.read_text())["source"] for file in entries} == {
        str(file) for file in moved.rglob("*.json*")
    }


def test_a_copy_counts_once_and_the_table_says_so(logs, tmp_path):
    ek.ingest(logs, tmp_path / "parquet")
    copy = shutil.copytree(logs, tmp_path / "copy")
    for _ in range(2):
        done = ek.ingest(copy, tmp_path / "parquet")
        assert states(done) == {"duplicate": 4, "no samples": 2}
        assert rescore(tmp_path / "parquet", "acc")["n_examples"].tolist() == [20] * 4
    of = logs / "small" / f"samples_law_{STAMP}.jsonl"
    assert f"holds what {of} holds, and counts once" in done["message"].tolist()


def test_a_copy_is_taken_once_what_it_was_a_copy_of_has_changed(logs, tmp_path):
    copy = shutil.copytree(logs, tmp_path / "copy")
    ek.ingest(logs, tmp_path / "parquet")
    ek.ingest(copy, tmp_path / "parquet")
    write_samples(logs / "small" / f"samples_law_{STAMP}.jsonl", 25, seed=7)
    ek.ingest(logs, tmp_path / "parquet")
    assert states(ek.ingest(copy, tmp_path / "parquet"))["ingested"] == 1
    assert rescore(tmp_path / "parquet", "acc")["n_examples"].sum() == 25 + 80


def test_the_same_bytes_of_another_model_are_no_copy(logs, tmp_path):
    name = f"samples_law_{STAMP}.jsonl"
    shutil.copy(logs / "small" / name, logs / "large" / name)
    assert states(ek.ingest(logs, tmp_path / "parquet"))["ingested"] == 4
    counts = rescore(tmp_path / "parquet", "acc").groupby("model")["n_examples"].sum()
    assert counts.to_dict() == {"org/small": 40, "org/large": 40}


def test_evaluations_of_other_examples_are_apart_if_their_scores_are_there_twice(logs, tmp_path):
    evaluated_again(logs)
    other_examples = [choice_line(number, random.Random(1)) for number in range(100, 120)]
    [later] = logs.rglob(f"*{LATER}.jsonl")
    later.write_text("\n".join(other_examples))
    ek.ingest(logs, tmp_path / "parquet")
    assert_scored_as_loaded(logs, tmp_path / "parquet")
    assert (rescore(tmp_path / "parquet", "acc")["n_examples"] == 20).all()


@pytest.mark.parametrize("step", ["_link", "commit", "_put_in_place"])
def test_stopped_while_evaluations_are_parted_the_next_call_ends_it(
    logs, tmp_path, monkeypatch, step
):
    ek.ingest(logs, tmp_path / "parquet")
    evaluated_again(logs)

    def stop(*_):
        raise KeyboardInterrupt

    def move(manifest, name, entry, parts):
        where = committing if step == "_put_in_place" else runs
        with monkeypatch.context() as broken:
            broken.setattr(where, step, stop)
            actual_move(manifest, name, entry, parts)

    actual_move = runs._move
    with monkeypatch.context() as stopped:
        stopped.setattr(runs, "_move", move)
        with pytest.raises(KeyboardInterrupt):
            ek.ingest(logs, tmp_path / "parquet")
    assert states(ek.ingest(logs, tmp_path / "parquet"))["unchanged"] == 5
    assert_scored_as_loaded(logs, tmp_path / "parquet")
    assert not list((tmp_path / "parquet" / INGESTED / "staging").iterdir())


def test_stopped_while_a_source_is_moved_nothing_counts_twice(logs, tmp_path, monkeypatch):
    ek.ingest(logs, tmp_path / "parquet")
    moved = logs.rename(tmp_path / "elsewhere")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(moving.Manifest, "drop", stop)
        with pytest.raises(KeyboardInterrupt):
            ek.ingest(moved, tmp_path / "parquet")
    for _ in range(2):
        assert rescore(tmp_path / "parquet", "acc")["n_examples"].tolist() == [20] * 4
        ek.ingest(moved, tmp_path / "parquet")
    evaluated_again(moved)
    ek.ingest(moved, tmp_path / "parquet")
    assert_scored_as_loaded(moved, tmp_path / "parquet")
