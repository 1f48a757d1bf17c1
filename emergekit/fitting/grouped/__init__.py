"""One law fitted to every group of a table at once."""
