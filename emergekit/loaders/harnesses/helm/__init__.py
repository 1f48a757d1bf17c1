"""What HELM wrote: a folder for each run."""
