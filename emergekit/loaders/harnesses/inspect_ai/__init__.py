"""What Inspect AI wrote: logs of evaluations, as JSON or as an archive."""
