"""Let ``python -m emergekit`` do what the command does."""

from emergekit.cli import main

main()
