"""What BIG-bench wrote: scores of a model on a task, and full logs with the queries behind them."""
