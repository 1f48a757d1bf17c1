"""The three questions behind a verdict: a break, a link, and the resolution of the test."""
