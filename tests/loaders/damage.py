"""Ways to damage a file: its bytes, or the values that it holds."""

import copy
import json
import math

from hypothesis import strategies as st

PIECES = [b"", b"\0", b'"', b",", b"\n", b"[", b"{", b"}", b"NaN", b"1e999", b"\xff", b"9" * 50]
PIECES += [b"\xef\xbb\xbf", b"\r\n", b"PK\x03\x04", b"\x1f\x8b", b"\\ud800", b"null", b":"]

DEEP = "[" * 2000 + "]" * 2000

VALUES = [None, True, False, 0, -1, 3, 0.5, 1e308, math.nan, math.inf, 10**30, -(2**63), "", "x"]
VALUES += ["N/A", "-1.5", "nan", "1e999", " ", "a,b", "\ud800", "../x", [], [[]], [1, "a"], {}]
VALUES += [{"": None}, {"a": {"b": []}}, ["x"] * 40, [None], [math.nan], [{}], "9" * 400]

places = st.integers(0, 1 << 20)
cuts = st.tuples(places, st.integers(0, 12), st.sampled_from(PIECES))
byte_damage = st.one_of(
    st.tuples(st.just("cut"), places),
    st.tuples(st.just("replace"), cuts),
    st.tuples(st.just("flip"), st.tuples(places, st.integers(0, 7))),
    st.tuples(st.just("repeat"), st.tuples(places, st.integers(1, 60))),
)
value_damage = st.tuples(
    st.just("value"),
    st.tuples(
        places,
        st.one_of(
            st.tuples(st.just("drop"), st.none()),
            st.tuples(st.just("set"), st.sampled_from(range(len(VALUES)))),
            st.tuples(st.just("nest"), st.none()),
            st.tuples(st.just("again"), st.none()),
            st.tuples(st.just("swap"), places),
            st.tuples(st.just("rename"), st.sampled_from(["", "x", "None", "acc,none", "5"])),
        ),
    ),
)
damages = st.lists(st.one_of(byte_damage, value_damage, value_damage), min_size=1, max_size=3)


def damaged(raw, damage):
    """Return the bytes of a file after one damage."""
    how, what = damage
    if how == "cut":
        return raw[: what % (len(raw) + 1)]
    if how == "replace":
        place, length, piece = what
        start = place % (len(raw) + 1)
        return raw[:start] + piece + raw[start + length :]
    if how == "flip":
        place, bit = what
        content = bytearray(raw)
        if content:
            content[place % len(content)] ^= 1 << bit
        return bytes(content)
    if how == "repeat":
        place, length = what
        start = place % (len(raw) + 1)
        return raw[: start + length] + raw[start:]
    return _with_values(raw, *what)


def _with_values(raw, place, change):
    """Return a JSON document, or one of its lines, with one value changed; else the bytes."""
    whole = _changed(raw, place, change)
    if whole is not None:
        return whole
    lines = raw.split(b"\n")
    number = place % len(lines)
    lines[number] = _changed(lines[number], place, change) or lines[number]
    return b"\n".join(lines)


def _changed(raw, place, change):
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    changed = json.dumps(_with_change(content, place, change))
    return changed.replace('"DEEP"', DEEP).encode()


def _with_change(content, place, change):
    nodes = list(_nodes(content))
    if not nodes:
        return content
    parent, key = nodes[place % len(nodes)]
    how, what = change
    if how == "drop":
        del parent[key]
    elif how == "set":
        parent[key] = VALUES[what]
    elif how == "nest":
        parent[key] = "DEEP" if place % 3 == 0 else [parent[key]]
    elif how == "rename":
        if isinstance(parent, dict):
            parent[what] = parent.pop(key)
    elif how == "again" and isinstance(parent, list):
        parent.append(parent[key])
    elif how == "again":
        parent[f"{key} "] = parent[key]
    else:
        other, at = nodes[what % len(nodes)]
        parent[key], other[at] = copy.deepcopy(other[at]), copy.deepcopy(parent[key])
    return content


def _nodes(content):
    """Yield the place of each value inside a document: what holds it, and under which name."""
    items = content.items() if isinstance(content, dict) else ()
    items = enumerate(content) if isinstance(content, list) else items
    for key, value in items:
        yield content, key
        yield from _nodes(value)
