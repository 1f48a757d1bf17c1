import json
import math

import pytest

from emergekit.errors import LoadError
from emergekit.loaders.documents import read_json, read_lines


def test_numbers_that_python_writes_into_json_are_read(write):
    text = '{"a": NaN, "b": -Infinity, "c": 1e999, "d": 123456789012345678901234567890}'
    content = read_json(write(text, "a.json"))
    assert math.isnan(content["a"])
    assert (content["b"], content["c"]) == (-math.inf, math.inf)
    assert content["d"] == pytest.approx(1.2345678901234568e29)


def test_an_answer_cut_inside_a_character_is_read(write):
    path = write('{"answer": "so \\ud83d", "whole": "\\ud83d\\ude00 \\u00e9"}', "a.json")
    assert read_json(path) == {"answer": "so \ufffd", "whole": "\U0001f600 é"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"a": 1', r"line 1, column 8: the JSON is cut off"),
        (b'{"a": 1}\n{"a": 2}', r"name should end in \.jsonl"),
        (b'{"a": "\xff"}', "line 1 holds byte 0xff, which is not UTF-8"),
        (b"[" * 2000 + b"]" * 2000, "nested too deep"),
        (b"[NaN, " + b"[" * 2000 + b"]" * 2000 + b"]", "nested too deep"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", None),
        (b"nonsense", "cut off or broken"),
    ],
)
def test_broken_json_is_one_sentence(write, raw, said):
    path = write(raw, "a.json")
    if said is None:
        assert read_json(path)
        return
    with pytest.raises(LoadError, match=said):
        read_json(path)


def test_lines_know_their_numbers_and_break_alone(write):
    path = write('{"a": 1}\r\n\n{"a": 2}\n{"a":', "a.jsonl")
    lines = read_lines(path)
    assert [next(lines), next(lines)] == [(1, {"a": 1}), (3, {"a": 2})]
    with pytest.raises(LoadError, match=r"a\.jsonl: line 4: column 6: the JSON is cut off"):
        next(lines)
    with pytest.raises(LoadError, match="line 1: must be an object with named fields"):
        next(read_lines(write("[1]\n", "b.jsonl")))
    with pytest.raises(LoadError, match="empty"):
        next(read_lines(write("\n\n", "c.jsonl")))


def test_a_very_long_line_is_read(write):
    path = write(json.dumps({"a": "x" * 5_000_000}) + "\n{}\n", "a.jsonl")
    assert [len(record.get("a", "")) for _, record in read_lines(path)] == [5_000_000, 0]
