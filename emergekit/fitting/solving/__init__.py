"""A batched second-order search for the minimum of a robust objective, and its certificate."""
