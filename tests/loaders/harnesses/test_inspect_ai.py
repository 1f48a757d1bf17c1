import importlib.util
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.harnesses.inspect_ai import documents

POLL = Path(__file__).parents[2] / "files" / "inspect_ai" / "poll.json"


@pytest.fixture(params=["ours", "theirs"])
def reading(request, monkeypatch):
    """Return which of the two ways to read a log is taken."""
    if request.param == "theirs" and importlib.util.find_spec("inspect_ai") is None:
        pytest.skip("inspect-ai is not installed")
    if request.param == "ours":
        monkeypatch.setattr(documents, "_through_inspect_ai", lambda path: None)
    return request.param


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def members(log):
    header = {name: value for name, value in log.items() if name != "samples"}
    named = {f"samples/{s['id']}_epoch_{s['epoch']}.json": s for s in log["samples"]}
    return {
        name: json.dumps(one).encode() for name, one in ({"header.json": header} | named).items()
    }


def zstd_archive(path, content):
    """Write an archive as newer versions of Inspect AI pack it: the standard library cannot."""
    body, directory = b"", b""
    for name, raw in content.items():
        packed = pa.compress(raw, codec="zstd", asbytes=True)
        sizes = struct.pack("<III", zlib.crc32(raw), len(packed), len(raw))
        shared = (
            struct.pack("<HHHHH", 20, 0, 93, 0, 0x21) + sizes + struct.pack("<HH", len(name), 0)
        )
        tail = struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        directory += b"PK\1\2" + struct.pack("<H", 20) + shared + tail
        body += b"PK\3\4" + shared + name.encode() + packed
    n = len(content)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, n, n, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def test_scores_keep_scorer_epochs_and_what_was_asked(reading):
    tables = load(POLL)
    rows = tables.results.set_index(["filter", "metric"])
    assert rows["score"].to_dict() == {
        ("choice", "accuracy"): 0.375, ("judge", "style/mean"): 0.375, ("judge", "style/max"): 0.5
    }  # fmt: skip
    assert rows.loc[("choice", "accuracy"), "stderr"] == 0.375
    assert rows["stderr"].notna().sum() == 1
    assert set(rows["n_examples"]) == {2}
    assert set(rows["n_shots"]) == {4}
    assert set(rows["subtask"]) == {"level=easy"}
    assert "the status of the evaluation is 'error': the connection broke;" in said(tables)
    assert "only 3 of 9 examples were asked" in said(tables)
    assert "1 without a score, which broke or were not reached, left out" in said(tables)


def test_letters_are_scores_and_epochs_repeats(reading):
    samples = load(POLL).samples
    choice = samples[samples["filter"] == "choice"].set_index(["example_id", "repeat"])
    assert choice["reported_score"].to_dict() == {
        ("1", 0): 1.0, ("2", 0): 0.0, ("1", 1): 0.5, ("2", 1): 0.0
    }  # fmt: skip
    assert choice["gold"].tolist() == [1, 0, 1, 0]
    assert choice.loc[("2", 0), "prediction"] == "I say B"  # out of parts, and an attachment
    assert choice.loc[("1", 0), "output_token_logprobs"] == [-0.25]
    judge = samples[samples["filter"] == "judge"]
    assert judge["reported_style"].tolist() == [0.5, 0.25, 0.5, 0.25]
    assert choice["reported_score"].mean() == 0.375


@pytest.mark.parametrize("packing", ["deflate", "zstd"])
def test_an_archive_holds_the_same_log(reading, packing, tmp_path):
    path, content = tmp_path / "poll.eval", members(json.loads(POLL.read_text()))
    if packing == "zstd":
        zstd_archive(path, content)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, raw in content.items():
                archive.writestr(name, raw)
    one, other = load(POLL), load(path)
    assert one.samples.equals(other.samples)
    assert one.results.drop(columns="source").equals(other.results.drop(columns="source"))


def test_damaged_archives_are_told(reading, tmp_path):
    content = members(json.loads(POLL.read_text()))
    path = zstd_archive(tmp_path / "poll.eval", content)
    raw = bytearray(path.read_bytes())
    place = raw.find(b"samples/1_epoch_1.json") + len("samples/1_epoch_1.json") + 20
    raw[place : place + 8] = b"\xff" * 8
    path.write_bytes(bytes(raw))
    with pytest.raises(LoadError, match=r"member 'samples/1_epoch_1\.json' is damaged"):
        load(path)
    zstd_archive(path, content | {"samples/1_epoch_1.json": b'{"id": 1, "scores": 3}'})
    with pytest.raises(LoadError, match=r"'samples.0.scores' must be an object"):
        load(path)
    zstd_archive(path, content | {"header.json": b'{"version": 2, "status": '})
    with pytest.raises(LoadError, match=r"'header\.json'.*cut off or broken"):
        load(path)
    zstd_archive(path, {"header.json": content["header.json"], "../out.json": b"{}"})
    with pytest.raises(LoadError, match="leads out of the archive"):
        load(path)


def test_an_evaluation_that_did_not_end_is_read_from_its_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "_through_inspect_ai", lambda path: None)
    log = json.loads(POLL.read_text())
    content = members(log)
    content.pop("header.json")
    start = {"version": 2, "eval": log["eval"], "plan": log["plan"]}
    content = {"_journal/start.json": json.dumps(start).encode()} | content
    tables = load(zstd_archive(tmp_path / "poll.eval", content))
    assert (len(tables.results), len(tables.samples)) == (0, 8)
    assert "the status of the evaluation is 'started'" in said(tables)
    path = zstd_archive(
        tmp_path / "empty.eval", {"_journal/start.json": json.dumps(start).encode()}
    )
    with pytest.raises(LoadError, match=r"holds no scores \(the status of the evaluation is 'star"):
        load(path)
    summaries = [{"id": "a", "epoch": 1, "target": "x", "scores": {"match": {"value": "C"}}}]
    content = {"header.json": json.dumps(log).encode(), "summaries.json": json.dumps(summaries)}
    content["summaries.json"] = content["summaries.json"].encode()
    assert load(zstd_archive(path, content)).samples["reported_score"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "is a log of version 1, and without inspect-ai version 2 is read"),
        ({"eval": {"task": "t"}}, "'eval.model' is absent"),
        (
            {"results": {"scores": [{"name": "a", "metrics": {"acc": 3}}]}},
            "'results.scores.0.metri",
        ),
        ({"samples": [{"id": 1, "scores": {"a": "C"}}]}, "'samples.0.scores.a' must be an object"),
        ({"samples": [{"id": True, "scores": {"a": {}}}]}, "'samples.0.id' must be text"),
        ({"results": None, "samples": []}, "holds no scores"),
    ],
)
def test_wrong_fields_are_named(change, message, tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "_through_inspect_ai", lambda path: None)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(json.loads(POLL.read_text()) | change))
    with pytest.raises(LoadError, match=message):
        load(path)


def test_real_logs_give_the_numbers_of_their_files(reading, reference_files):
    folder = reference_files / "formats" / "inspect"
    tables = load(folder)
    assert len(tables.models) == 5
    for path in folder.glob("*.json"):
        log = json.loads(path.read_text())
        stated = log["results"]["scores"][0]
        mine = tables.results.set_index("source").loc[path.name]
        assert mine["score"] == stated["metrics"]["accuracy"]["value"]
        assert mine["stderr"] == stated["metrics"]["stderr"]["value"]
        answers = tables.samples[tables.samples["evaluation"] == mine["evaluation"]]
        assert answers["reported_score"].mean() == pytest.approx(mine["score"], abs=1e-12)
        assert answers["target"].tolist() == [sample["target"] for sample in log["samples"]]
    assert "the status of the evaluation is 'cancelled'" in said(tables)
    archived = tables.samples[tables.samples["model"] == "openai/gpt-4o"].iloc[0]
    assert (archived["target"], archived["prediction"], archived["gold"]) == ("A", "C", 0)
    assert archived["choices"] == ["6.0 e", "6.8 eV", "12.2 eV", "13.6 eV"]


def test_samples_of_an_archive_are_unpacked_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "_through_inspect_ai", lambda path: None)
    log = json.loads(POLL.read_text())
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as file:
        for name, raw in members(log).items():
            file.writestr(name, raw)
    parsed = []
    monkeypatch.setattr(documents, "parse", lambda raw, place: parsed.append(1) or json.loads(raw))
    _, samples = documents.document(tmp_path / "a.eval")
    assert len(parsed) == 1  # the header
    next(iter(samples))
    assert len(parsed) == 2


def test_scales_are_known_where_the_scorer_tells(reading):
    rows = load(POLL).results.set_index("metric")[["low", "high", "higher_is_better"]]
    assert rows.loc["accuracy"].tolist() == [0.0, 1.0, True]
    assert rows.loc["style/mean"].isna().all()  # a judge of somebody's own
