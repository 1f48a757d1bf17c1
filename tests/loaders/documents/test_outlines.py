import gzip
import json
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.loaders.documents import outline, outlines

CONTENT = {"results": {"t": {"acc": 1}}, "versions": [{"x": 1}], "n": 1, "s": "{", "f": True}


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_an_object_shows_its_fields_and_those_inside(write, name):
    raw = json.dumps(CONTENT, indent=2).encode()
    seen = outline(write(gzip.compress(raw) if name.endswith("gz") else raw, name))
    assert seen.shape == "object"
    assert seen.fields == {
        "results": "object", "versions": "list", "n": "number", "s": "text", "f": "flag"
    }  # fmt: skip
    assert seen.inner["results"] == {"t"}
    assert seen.has("results", "n")
    assert not seen.has("results", "x")


def test_lists_lines_archives_and_tables_are_told_apart(write, tmp_path):
    assert outline(write(json.dumps([CONTENT]), "b.json")).has("versions")
    lines = "\n".join([json.dumps(CONTENT)] * 2)
    for name in ("c.jsonl", "d.json"):
        seen = outline(write(lines, name))
        assert (seen.shape, seen.has("versions")) == ("lines", True)
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "e.parquet")
    assert "x" in outline(tmp_path / "e.parquet").fields
    with zipfile.ZipFile(tmp_path / "f.eval", "w") as file:
        file.writestr("header.json", "{}")
    assert outline(tmp_path / "f.eval").has("header.json")
    assert outline(write("a,b\n1,2", "g.csv")).first_line == "a,b"
    for path in (write("", "h.json"), tmp_path / "none.json", tmp_path):
        assert outline(path).shape == "nothing"


def test_a_file_that_was_changed_is_looked_at_again(write):
    assert outline(write('{"a": 1}', "a.json")).has("a")
    assert outline(write('{"bb": 1}', "a.json")).has("bb")


@given(st.recursive(st.text() | st.integers() | st.none(), lambda kids: st.lists(kids)
       | st.dictionaries(st.text(), kids), max_leaves=20), st.data())  # fmt: skip
def test_names_found_in_part_of_a_document_are_names_of_the_whole(value, data):
    whole = {"first": value, "x": {"y": value}, "last": 1}
    raw = json.dumps(whole).encode()
    cut = data.draw(st.integers(0, len(raw)))
    kinds, inner = outlines._names_in(raw)
    assert list(kinds) == list(whole)
    assert inner["x"] == {"y"}
    part, _ = outlines._names_in(raw[:cut])
    assert list(part) == list(whole)[: len(part)]
