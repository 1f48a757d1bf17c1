"""Numbers that describe the shape of a curve over scale."""
