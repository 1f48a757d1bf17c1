from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.errors import LoadError
from emergekit.loaders.documents import Place, parse_yaml

PLACE = Place(Path("a.yaml"))


def laughs(levels):
    """Return YAML in which each list holds the one before nine times."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def test_plain_yaml_and_a_few_aliases_are_read():
    assert parse_yaml(b"a: [1, 2.5, text]\nb: {c: true}", PLACE) == {
        "a": [1, 2.5, "text"],
        "b": {"c": True},
    }
    assert parse_yaml(b"", PLACE) is None
    assert len(parse_yaml(laughs(3), PLACE)["a2"]) == 9


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (laughs(9), "aliases that stand for more than a million values"),
        (b"a: &a [*a]", "an alias that stands for itself"),
        (b"a: !!python/object/apply:os.system ['true']", "line 1, column 4: the YAML is broken"),
        (b"a: 1\nb: [1, 2", "line 2, column .*: the YAML is broken"),
        (b"[" * 5000, "nested too deep|broken"),
        (b"a: 2026-99-99", "holds a value that is none"),
        (b"a: \xff", "line 1 holds byte 0xff, which is not UTF-8"),
        (b"a: \x00", "the YAML is broken"),
        (b"? [a]\n: 1", "the YAML is broken"),
        (b"x" * (5 << 20), "more than is read"),
    ],
)
def test_what_is_no_plain_data_is_refused(raw, message):
    with pytest.raises(LoadError, match=message):
        parse_yaml(raw, PLACE)


@given(st.text(alphabet="ab:-[]{}&*!?|>'\"# \n\t0.", max_size=60))
def test_any_text_is_data_or_one_sentence(text):
    said = outcome(text.encode())
    assert said is None or (said.startswith("a.yaml") and "\n" not in said)


def outcome(raw):
    """Return None if data comes out, else what the error says."""
    try:
        parse_yaml(raw, PLACE)
    except LoadError as error:
        return str(error)
    return None
