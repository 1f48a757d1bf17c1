import gzip
import zipfile

import pyarrow as pa
import pytest

from emergekit.errors import LoadError
from emergekit.loaders.documents import (
    check_members,
    head,
    lines_of,
    member_names,
    read_bytes,
    read_member,
    read_members,
)

TEXT = b'{"a": 1}\r\n\n{"b": 2}\n{"c": 3}'


def packed(how, raw=TEXT):
    if how == "gzip":
        return gzip.compress(raw)
    if how == "zstd":
        return pa.Codec("zstd").compress(raw, asbytes=True)
    return b"\xef\xbb\xbf" + raw if how == "bom" else raw


@pytest.mark.parametrize("how", ["plain", "bom", "gzip", "zstd"])
def test_lines_are_the_same_however_a_file_is_packed(write, how):
    path = write(packed(how), "a.jsonl")
    assert list(lines_of(path)) == [(1, b'{"a": 1}'), (3, b'{"b": 2}'), (4, b'{"c": 3}')]
    assert read_bytes(path) == TEXT
    assert head(path, 8) == TEXT[:8]


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_packed_file_that_is_cut_is_one_sentence(write, how):
    raw = packed(how, bytes(range(256)) * 64)
    path = write(raw[: len(raw) // 2], "a.json.gz")
    with pytest.raises(LoadError, match=r"a\.json\.gz: (the packed file is damaged|line)"):
        list(lines_of(path))
    with pytest.raises(LoadError, match="damaged"):
        read_bytes(path)
    assert isinstance(head(path), bytes)


def test_lines_and_documents_have_limits(write):
    path = write(b"short\n" + b"x" * 3_000_000, "a.jsonl")
    with pytest.raises(LoadError, match="line 2 is longer than 1 MiB"):
        list(lines_of(path, limit=1 << 20))
    bomb = write(gzip.compress(b"0" * 3_000_000), "b.json")
    with pytest.raises(LoadError, match="more than 1 MiB once unpacked"):
        read_bytes(bomb, limit=1 << 20)


def test_what_is_no_document_is_called_what_it_is(write, tmp_path):
    for raw, what in [
        (b"version https://git-lfs.github.com/spec/v1\noid", "pointer of Git LFS"),
        (b"<!DOCTYPE html>", "a web page"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b" \n ", "empty"),
    ]:
        with pytest.raises(LoadError, match=what):
            read_bytes(write(raw, "a.json"))
    with pytest.raises(LoadError, match=r"none\.json: cannot be read \(No such file"):
        read_bytes(tmp_path / "none.json")


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/"), content)
    return path


def test_members_of_archives_are_read_by_name(tmp_path):
    path = archive(tmp_path / "a.eval", **{"header.json": b"{}", "samples__1.json": b"[]"})
    assert member_names(path) == ["header.json", "samples/1.json"]
    assert read_member(path, "samples/1.json") == b"[]"
    with pytest.raises(LoadError, match=r"no member 'heade.json'; did you mean 'header.json'"):
        read_member(path, "heade.json")


def test_bombs_and_ways_out_of_an_archive_are_refused(tmp_path):
    bomb = archive(tmp_path / "b.eval", **{"big.json": b"0" * (40 << 20)})
    with pytest.raises(LoadError, match=r"'big\.json' unpacks to 41,943,040 bytes"):
        read_member(bomb, "big.json")
    for name in ("../x.json", "/etc/x", "..\\x", "C:/x"):
        out = archive(tmp_path / "c.eval", **{name: b"{}"})
        with pytest.raises(LoadError, match="leads out of the archive"):
            member_names(out)


def test_damaged_archives_are_one_sentence(tmp_path):
    path = archive(tmp_path / "a.eval", **{"header.json": b'{"a": "' + b"abcdefgh" * 99 + b'"}'})
    raw = bytearray(path.read_bytes())
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(LoadError, match="archive is damaged"):
        member_names(path)
    raw[45] ^= 255
    path.write_bytes(raw)
    with pytest.raises(LoadError, match=r"'header\.json' is damaged"):
        read_member(path, "header.json")


def test_members_that_are_a_bomb_together_are_refused(tmp_path):
    fifteen_mib = b"0" * (15 << 20)  # each below what is looked at alone
    bomb = archive(tmp_path / "b.eval", **{f"s__{n}.json": fifteen_mib for n in range(20)})
    names = member_names(bomb)
    for refused in (lambda: check_members(bomb), lambda: next(read_members(bomb, names))):
        with pytest.raises(LoadError, match=r"its 20 members unpack to 314,572,800 bytes from"):
            refused()
    assert next(read_members(bomb, names[:1]))[0] == "s/0.json"


def test_members_that_are_too_large_together_are_refused(tmp_path):
    path = archive(tmp_path / "a.eval", **{f"{n}.json": bytes(range(250)) * 4 for n in range(9)})
    check_members(path, total=9_000)
    with pytest.raises(LoadError, match=r"9,000 bytes from .* more than is read \(8,999, or 200"):
        check_members(path, total=8_999)
    with pytest.raises(LoadError, match="more than is read"):
        next(read_members(path, member_names(path), total=8_999))
