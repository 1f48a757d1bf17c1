"""The same search as compiled code (extra `fast`): laws traced into programs, and run by numba."""
