"""What OpenCompass wrote: predictions and results of each model and dataset, and summaries."""
