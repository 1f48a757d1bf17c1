"""Safe reading for every reader: files that nobody vouches for, met with one sentence.

Nothing read is executed or fetched. Packed files are opened by their first bytes, never held whole
unless asked for; what is broken, cut, too deep, too long or of the wrong type is a `LoadError` that
names file, line and field.
"""

from __future__ import annotations

from emergekit.loaders.documents.archives import (
    check_members,
    member_names,
    read_member,
    read_members,
)
from emergekit.loaders.documents.fields import (
    Place,
    as_count,
    as_list,
    as_mapping,
    as_number,
    as_text,
    field,
    given,
)
from emergekit.loaders.documents.markup import parse_yaml
from emergekit.loaders.documents.opening import head, lines_of, read_bytes
from emergekit.loaders.documents.outlines import Outline, outline
from emergekit.loaders.documents.parsing import parse, read_json, read_lines

__all__ = [  # noqa: RUF022  from the bytes to the values in them
    "head",
    "read_bytes",
    "lines_of",
    "member_names",
    "check_members",
    "read_member",
    "read_members",
    "parse",
    "parse_yaml",
    "read_json",
    "read_lines",
    "Outline",
    "outline",
    "Place",
    "field",
    "given",
    "as_mapping",
    "as_list",
    "as_text",
    "as_number",
    "as_count",
]
