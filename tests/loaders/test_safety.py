"""Files that nobody vouches for: nothing in them runs, fills the memory, or goes on for ever."""

import gzip
import io
import json
import pickle
import random
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from emergekit import ingest, load, rescore
from emergekit.errors import LoadError
from tests.loaders.ingestion.logs import STAMP, choice_line

GOOD = "model,task,metric,score\nwhole,t,acc,0.5\n"
ANSWERS = [
    {"model": "a", "task": "t", "example_id": n, "prediction": text, "target": "é"}
    for n, text in enumerate(["é", "e", "\u2028"])
]
LINES = b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in ANSWERS)


class Trap:
    """What writes a file as soon as it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def pickled(trap):
    frame = pd.DataFrame({"model": ["a"], "task": "t", "metric": "m", "score": [trap]})
    array = io.BytesIO()
    np.save(array, np.array([trap], dtype=object), allow_pickle=True)
    archive = io.BytesIO()
    np.savez(archive, x=np.array([trap], dtype=object))
    return [pickle.dumps(frame), pickle.dumps(trap, 0), array.getvalue(), archive.getvalue()]


ENDINGS = (".pkl", ".pickle", ".npy", ".npz", ".json", ".jsonl", ".csv", ".parquet", ".eval", "")


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_pickled_is_never_unpickled(tmp_path, write, ending):
    sprung = tmp_path / "sprung"
    for number, raw in enumerate(pickled(Trap(sprung))):
        path = write(raw, f"in/{number}{ending}")
        with pytest.raises(LoadError):
            load(path)
    write(GOOD, "in/good.csv")
    assert load(tmp_path / "in").results["model"].tolist() == ["whole"]
    done = ingest(tmp_path / "in", tmp_path / "parquet")
    assert not done["state"].eq("ingested").any()
    assert not sprung.exists()


def test_yaml_makes_no_objects(tmp_path, write):
    sprung = tmp_path / "sprung"
    text = f"model-index: !!python/object/apply:builtins.open ['{sprung}', 'w']\n"
    card = write(f"---\n{text}---\n", "in/README.md")
    results = write(f"- value: 1\n  dataset: {text[13:]}", "in/.eval_results/x.yaml")
    for path in (card, results):
        with pytest.raises(LoadError):
            load(path)
    assert not sprung.exists()


def test_bombs_and_members_that_lead_out_are_refused_beside_good_files(tmp_path, write):
    write(GOOD, "in/good.csv")
    for name, member in (("bomb", "header.json"), ("out", "../header.json")):
        with zipfile.ZipFile(tmp_path / "in" / f"{name}.eval", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(member, b"[" + b"0," * (20 << 20) + b"0]" if name == "bomb" else b"{}")
            file.writestr("samples/1.json", b"{}")
    tables = load(tmp_path / "in")
    assert tables.results["model"].tolist() == ["whole"]
    said = " ".join(tables.notes["message"])
    assert "bomb.eval" in " ".join(tables.notes["file"])
    assert "out.eval" in " ".join(tables.notes["file"])
    assert not (tmp_path / "header.json").exists()
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_packed_bomb_is_refused(write):
    bomb = write(gzip.compress(b'{"a": "' + b"x" * (300 << 20)), "bomb.jsonl.gz")
    with pytest.raises(LoadError, match="line 1 is longer than 256 MiB"):
        load(bomb, format="lm_eval_samples")


def test_links_in_circles_end(tmp_path, write):
    write(LINES, "in/a/answers.jsonl")
    (tmp_path / "in" / "a" / "again").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "self").symlink_to(tmp_path / "in" / "self")
    assert len(load(tmp_path / "in").samples) == 3
    done = ingest(tmp_path / "in", tmp_path / "parquet")
    assert done.set_index("state").loc["ingested", "n_samples"] == 3


def scores_or_reason(path):
    try:
        return load(path).results["score"].to_numpy(dtype=float)
    except LoadError as error:
        return str(error)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_scores_that_are_no_numbers_are_no_scores(write, number):
    result = '{"results": {"t": {"acc": %s}, "u": {"acc": 0.5}}, "versions": {}, "config": {}}'
    content = [
        write(result % number, "lm_eval.json"),
        write(f'[{{"model": "a", "task": "t", "metric": "acc", "score": {number}}}]', "table.json"),
        write(f"model,task,metric,score\na,t,acc,{number}\n", "table.csv"),
    ]
    for path in content:
        scores = scores_or_reason(path)
        assert str(path) in scores if isinstance(scores, str) else np.isfinite(scores).all()


@pytest.mark.parametrize("number", ["1e999", "-1e999", "Infinity"])
def test_a_score_too_large_is_named_and_the_others_are_read(write, number):
    said = '"acc,none": %s, "acc_norm,none": 0.25, "acc_norm_stderr,none": %s'
    results = f'{{"t": {{{said % (number, number)}}}, "u": {{"acc,none": 0.5}}}}'
    path = write(
        f'{{"results": {results}, "configs": {{}}, "versions": {{}}, "model_name": "a"}}', "r.json"
    )
    tables = load(path)
    assert tables.results["score"].tolist() == [0.25, 0.5]
    assert "stderr" not in tables.results or tables.results["stderr"].isna().all()
    [told] = tables.notes.query("field == 'score'")["message"]
    assert told == f"{float(number)} is no score; t acc was left out"


def test_a_file_with_no_other_score_names_task_and_metric(write):
    path = write('{"results": {"t": {"acc": 1e999}}, "versions": {}, "config": {}}', "r.json")
    with pytest.raises(LoadError, match=r"no score in it is a number \(t acc is inf\)"):
        load(path)


@pytest.mark.parametrize("name", ["answers.jsonl", f"samples_t_{STAMP}.jsonl", "x.json"])
def test_what_is_nested_too_deep_is_named(tmp_path, write, name):
    deep = "[" * 100_000 + "]" * 100_000
    line = f'{{"doc_id": 1, "doc": {{}}, "target": "x", "filtered_resps": {deep}}}'
    if name == "answers.jsonl":
        line = f'{{"model": "a", "task": "t", "example_id": 1, "prediction": {deep}}}'
    path = write(line, name)
    with pytest.raises(LoadError, match=r"nested too deep|depth limit exceeded"):
        load(path)
    done = ingest(path, tmp_path / "parquet")
    assert done["state"].tolist() == ["failed"]


PACKINGS = {
    "plain": (LINES, ""),
    "bom": (b"\xef\xbb\xbf" + LINES, ""),
    "crlf": (LINES.replace(b"\n", b"\r\n") + b"\r\n\r\n", ""),
    "gzip": (gzip.compress(LINES, mtime=0), ".gz"),
    "zstd": (pa.Codec("zstd").compress(LINES, asbytes=True), ".zst"),
}


@pytest.mark.parametrize("how", PACKINGS)
def test_packed_marked_and_foreign_lines_are_the_same(tmp_path, write, how):
    raw, ending = PACKINGS[how]
    path = write(raw, f"answers.jsonl{ending}")
    assert load(path).samples["prediction"].tolist() == ["é", "e", "\u2028"]
    ingest(path, tmp_path / "parquet")
    assert rescore(tmp_path / "parquet", "exact_match")["score"].item() == pytest.approx(1 / 3)


@pytest.mark.parametrize("how", ["plain", "crlf", "bom"])
def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path, write, how):
    raw, _ = PACKINGS[how]
    lines = raw.split(b"\n")
    lines[1] = lines[1].replace(b'"e"', b'"\xff"')
    path = write(b"\n".join(lines), "answers.jsonl")
    with pytest.raises(LoadError, match=r"answers\.jsonl: line 2.* holds byte 0xff"):
        load(path)
    done = ingest(path, tmp_path / "parquet")
    assert "line 2" in done["message"].item()


@pytest.mark.slow
def test_a_line_of_a_hundred_megabytes_is_read(tmp_path):
    path = tmp_path / f"samples_t_{STAMP}.jsonl"
    record = json.loads(choice_line(1, random.Random(0)))
    record["doc"] = {"text": "x" * 100_000_000}
    path.write_text(json.dumps(record) + "\n" + json.dumps(record | {"doc_id": 2, "doc": {}}))
    assert len(load(path).samples) == 2
    assert ingest(path, tmp_path / "parquet")["n_samples"].tolist() == [2]
