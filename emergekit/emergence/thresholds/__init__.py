"""Whether a score rises below some loss only, and below which."""
