"""How sure an estimate is: bootstrap and profile."""
