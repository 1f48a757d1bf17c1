"""From a table to verdicts: which curves belong together, the rules, and their error rates."""
