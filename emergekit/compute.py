"""Run one function over many items, with equal results on every engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Literal, get_args

from emergekit.errors import unknown

__all__ = ["Engine", "run"]

Engine = Literal["serial", "processes", "dask"]


def run(
    function: Callable[..., Any],
    items: Iterable[Any],
    *,
    engine: Engine = "serial",
    seed: int | None = None,
    n_workers: int | None = None,
    progress: str | None = None,
) -> list[Any]:
    """Return `function` of every item, in the order of the items.

    With `seed`, item number i is called as ``function(item, rng)`` where `rng` is a generator
    spawned for place i, so the numbers do not depend on the engine or the number of workers.

    Parameters
    ----------
    function : callable
        Takes one item (and a `numpy.random.Generator` if `seed` is given). The "processes"
        engine pickles it, so it lives at module level.
    items : iterable
        What to work on.
    engine : {"serial", "processes", "dask"}
        "processes" uses one worker process a core; "dask" the cluster of the `dask.distributed`
        client that is open now (extra `distributed`), whatever its size.
    seed : int, optional
        Root of the random numbers; None for functions that draw none.
    n_workers : int, optional
        Number of processes; all cores if None.
    progress : str, optional
        A label: a progress bar is shown on standard error, at a terminal only.

    Returns
    -------
    list
        One result per item.

    Raises
    ------
    ValueError
        If the engine is unknown, or no client is open for "dask". What `function` raises comes
        through, with a note that says which item it was working on.

    Examples
    --------
    >>> run(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    if engine not in get_args(Engine):
        raise ValueError(unknown("engine", engine, get_args(Engine)))
    items = list(items)
    calls = [
        _Call(function, place, item, rng) for place, (item, rng) in enumerate(_seeded(items, seed))
    ]
    with _progress(progress, len(calls)) as advance:
        return [advance(result) for result in _engines[engine](calls, n_workers)]


class _Call:
    """One call, picklable, that says on failure which item it was."""

    def __init__(self, function: Callable[..., Any], place: int, item: Any, rng: Any) -> None:
        self.function, self.place = function, place
        self.arguments = (item,) if rng is None else (item, rng)

    def __call__(self) -> Any:
        try:
            return self.function(*self.arguments)
        except Exception as error:
            error.add_note(f"while working on item {self.place}: {self.arguments[0]!r:.200}")
            raise


def _seeded(items: Sequence[Any], seed: int | None) -> Iterator[tuple[Any, Any]]:
    if seed is None:
        yield from ((item, None) for item in items)
        return
    import numpy as np

    for item, child in zip(items, np.random.SeedSequence(seed).spawn(len(items)), strict=True):
        yield item, np.random.default_rng(child)


def _serial(calls: Sequence[_Call], n_workers: int | None) -> Iterator[Any]:
    return (call() for call in calls)


def _processes(calls: Sequence[_Call], n_workers: int | None) -> Iterator[Any]:
    from joblib import Parallel, delayed

    workers = Parallel(n_jobs=n_workers or -1, return_as="generator")
    results: Iterator[Any] = workers(delayed(call)() for call in calls)
    return results


def _dask(calls: Sequence[_Call], n_workers: int | None) -> Iterator[Any]:
    try:
        from dask.distributed import get_client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "engine='dask' needs the extra 'distributed': pip install 'emergekit[distributed]'."
        ) from None
    try:
        client = get_client()
    except ValueError:
        raise ValueError(
            "engine='dask' found no client; open one first: client = dask.distributed.Client(...)."
        ) from None
    # Calls are pure or carry their own generator, but equal calls must still run once each.
    futures = client.map(_called, calls, pure=False)
    return (future.result() for future in futures)


def _called(call: _Call) -> Any:
    return call()


_engines = MappingProxyType({"serial": _serial, "processes": _processes, "dask": _dask})


@contextmanager
def _progress(label: str | None, total: int) -> Iterator[Callable[[Any], Any]]:
    """Yield a function that passes a result on and moves the bar by one."""
    if label is None or not sys.stderr.isatty():
        yield lambda result: result
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)

        def advance(result: Any) -> Any:
            bar.advance(task)
            return result

        yield advance
