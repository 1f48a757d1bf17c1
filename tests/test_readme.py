"""What README says works, word for word."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()
CI = (Path(__file__).parents[1] / ".ci" / "run").read_text()
COMMANDS = ("pip install . && emergekit report", 'pip install ".[test]" && pytest')


def test_the_two_commands_stand_in_the_readme_and_in_ci():
    for command in COMMANDS:
        assert f"\n{command}\n" in README
        assert f"\n{command}\n" in CI


def test_the_ten_lines_run():
    import warnings

    from emergekit.errors import FitWarning

    block = re.search(r"## Ten lines\n\n```python\n(.*?)```", README, re.DOTALL)[1]
    assert len([line for line in block.splitlines() if line.strip()]) <= 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        exec(block, {})
