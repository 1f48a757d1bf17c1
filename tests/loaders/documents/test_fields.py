import math
from pathlib import Path

import pytest

from emergekit.errors import LoadError
from emergekit.loaders.documents import Place, as_count, as_number, field, given

HERE = Place(Path("a.jsonl"), 3)


def test_fields_come_out_as_their_type():
    record = {"n": 5.0, "acc": 1, "name": "x", "none": None, "is_greedy": False}
    assert field(record, "n", int, HERE) == 5
    assert isinstance(field(record, "acc", float, HERE), float)
    assert field(record, "is_greedy", bool, HERE) is False
    assert given(record, "none", dict, HERE) is None
    assert given(record, "absent", str, HERE) is None


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("resulst", dict, "'resulst' is absent, and must be an object.*did you mean 'results'"),
        ("null", list, "'null' is null, and must be a list"),
        ("text", float, "'text' must be a number, but holds 'x'; mend the file"),
        ("flag", int, "'flag' must be a whole number, but holds True"),
        ("part", int, "'part' must be a whole number, but holds 0.5"),
        ("results", str, "'results' must be text, but holds"),
        ("huge", float, "'huge' is too large"),
    ],
)
def test_a_wrong_field_is_a_sentence_with_file_line_and_field(name, kind, said):
    record = {"results": {}, "null": None, "text": "x", "flag": True, "part": 0.5, "huge": 10**400}
    with pytest.raises(LoadError, match=rf"a\.jsonl: line 3: {said}"):
        field(record, name, kind, HERE)


def test_numbers_may_be_text_and_counts_are_none_below_zero():
    assert as_number("-25.625", HERE) == -25.625
    assert as_number("-inf", HERE) == -math.inf
    assert math.isnan(as_number(None, HERE))
    with pytest.raises(LoadError, match="must be a number, but holds 'N/A'"):
        as_number("N/A", HERE)
    with pytest.raises(LoadError, match="whole number from 0 on, but holds -1"):
        as_count(-1, HERE)
