"""What the tests of the loaders share."""

from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def written(text, name="table.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.fixture(scope="session")
def files():
    """Return the folder of small files of each format, written by hand from its schema."""
    return Path(__file__).parent.parent / "files"


@pytest.fixture(scope="session")
def formats(reference_files):
    """Return the folder of real files of each format."""
    return reference_files / "formats"
