"""What an answer owes to single rows, and to the choice of the penalty."""
