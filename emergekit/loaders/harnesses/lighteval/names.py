"""Names of tasks in LightEval, which hold suite and shots, in another way in each version."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TaskName", "parted"]


@dataclass(frozen=True)
class TaskName:
    """What the name of a task says."""

    task: str
    n_shots: int | None = None
    suite: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it is an average over tasks."""
        return self.task == "all" or self.task.endswith((":_average", "_average"))


def parted(name: str) -> TaskName:
    """Return suite, task and shots of a name: suite|task|shots, with a flag after it, or less.

    Examples
    --------
    >>> parted("harness|arc:challenge|25")
    TaskName(task='arc:challenge', n_shots=25, suite='harness')
    >>> parted("lighteval|gsm8k|4|0").n_shots, parted("gsm8k|5"), parted("all").is_group
    (4, TaskName(task='gsm8k', n_shots=5, suite=None), True)
    """
    parts = name.split("|")
    digits = 0
    while digits < min(2, len(parts) - 1) and parts[-1 - digits].isdecimal():
        digits += 1
    words, numbers = parts[: len(parts) - digits], parts[len(parts) - digits :]
    n_shots = int(numbers[0][:9]) if numbers else None
    if len(words) > 1:
        return TaskName("|".join(words[1:]), n_shots, words[0])
    return TaskName(words[0] or name, n_shots)
