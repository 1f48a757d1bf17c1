"""From a table to verdicts: which curves belong together, the questions asked, and the rules."""
