"""The readers there are: ours, and those of other packages (entry points "emergekit.loaders").

A reader is a module, or any object, with

- ``NAME``: what `load` calls it, in ``format=``;
- ``ABOUT``: one phrase that says which files it knows, and by what;
- ``can_read(path) -> float``: how sure it is of a file, from 0 to 1, from its name and its outline
  (`documents.outline`). 0.5 is "a table, as far as the name tells"; a reader that knows the fields
  of its format says 0.9; nothing below 0.5 is read from a folder;
- ``read(path, *, ...) -> Tables``: its options are options of `load`. `documents` reads safely,
  `assembling.assembled` makes the tables;
- ``stream(path, *, ...) -> iterator of Tables``, where a file may be too large to be held: what
  `read` gives, some rows at a time (`streaming.bundles`);
- ``beside(path)``, where a format spreads over several files: those that `read` takes in with this
  one. They are neither read alone nor called unread;
- ``gather(path) -> Gathered``, where files are small and many, and ``read`` has no options: their
  rows, of which `load` makes the tables of many files at once.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from emergekit.errors import LoadError, TableError
from emergekit.loaders import table, training_logs
from emergekit.loaders.assembling import Gathered
from emergekit.loaders.every_eval_ever import results as shared_results
from emergekit.loaders.every_eval_ever import samples as shared_samples
from emergekit.loaders.harnesses import dclm, olmes, openai_evals
from emergekit.loaders.harnesses.big_bench import scores as big_bench
from emergekit.loaders.harnesses.helm import runs as helm
from emergekit.loaders.harnesses.inspect_ai import logs as inspect_ai
from emergekit.loaders.harnesses.lighteval import details as lighteval_details
from emergekit.loaders.harnesses.lighteval import results as lighteval_results
from emergekit.loaders.harnesses.open_compass import outputs as open_compass
from emergekit.loaders.harnesses.open_compass import summaries as open_compass_summaries
from emergekit.loaders.leaderboards import epoch, hugging_face, open_llm
from emergekit.loaders.lm_eval import bigscience, early, results, samples
from emergekit.tables import Tables

__all__ = ["READERS", "Reader", "known_readers"]

GROUP = "emergekit.loaders"


class _Module(Protocol):
    """What a module of ours has."""

    NAME: str
    ABOUT: str

    @property
    def can_read(self) -> Callable[[Path], float]: ...
    @property
    def read(self) -> Callable[..., Tables]: ...


def _nothing_beside(path: Path) -> Iterable[Path]:
    return ()


@dataclass(frozen=True)
class Reader:
    """A reader of one format; that of a plug-in may break, and breaks nothing else.

    Parameters
    ----------
    name : str
        What `load` calls it.
    about : str
        Which files it knows, and by what.
    can_read : function
        Path to a number from 0 to 1.
    read : function
        Path and options to `Tables`.
    beside : function
        Path to the files that are read with it.
    package : str, optional
        Who wrote it, None for ours.
    gather : function, optional
        Path to the rows of a small file.
    stream : function, optional
        Path and options to `Tables`, some rows at a time.
    """

    name: str
    about: str
    can_read: Callable[[Path], float]
    read: Callable[..., Tables]
    beside: Callable[[Path], Iterable[Path]] = _nothing_beside
    package: str | None = None
    gather: Callable[[Path], Gathered] | None = None
    stream: Callable[..., Iterable[Tables]] | None = None

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that it takes."""
        taken = inspect.signature(self.read).parameters.values()
        return frozenset(p.name for p in taken if p.kind is p.KEYWORD_ONLY)

    def score(self, path: Path) -> float:
        """Return how sure it is of a file, 0 with a warning if it breaks."""
        if self.package is None:
            return self.can_read(path)
        try:
            return min(max(float(self.can_read(path)), 0.0), 1.0)
        except Exception as error:
            _warn(self.package, f"could not look at {path} ({type(error).__name__}: {error})")
            return 0.0

    def files_beside(self, path: Path) -> list[Path]:
        """Return the files that are read with this one, none with a warning if it breaks."""
        if self.package is None:
            return list(self.beside(path))
        try:
            return [Path(other) for other in self.beside(path)]
        except Exception as error:
            _warn(self.package, f"could not look beside {path} ({type(error).__name__}: {error})")
            return []

    def gathered(self, path: Path) -> Gathered | None:
        """Return the rows of a file, None if only its tables can be had.

        Raises
        ------
        LoadError
            If the file cannot be read.
        """
        return self.gather(path) if self.gather is not None else None

    def tables(self, path: Path, options: Mapping[str, Any]) -> Tables:
        """Return what a file holds, given those of the options that this reader takes.

        Raises
        ------
        LoadError
            Whatever goes wrong in a plug-in, naming it.
        """
        taken = self._taken(options)
        if self.package is None:
            return self.read(path, **taken)
        try:
            return self._checked(self.read(path, **taken), path)
        except Exception as error:
            raise self._failure(path, error) from error

    def parts(self, path: Path, options: Mapping[str, Any]) -> Iterator[Tables]:
        """Yield what a file holds, some rows at a time where the reader can.

        Raises
        ------
        LoadError
            As `tables` does; what was yielded before is then of no use.
        """
        if self.stream is None:
            yield self.tables(path, options)
            return
        if self.package is None:
            yield from self.stream(path, **self._taken(options))
            return
        try:
            for part in self.stream(path, **self._taken(options)):
                yield self._checked(part, path)
        except Exception as error:
            raise self._failure(path, error) from error

    def _taken(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name in self.options}

    def _failure(self, path: Path, error: Exception) -> LoadError:
        if isinstance(error, TableError):
            return LoadError(str(error))
        return LoadError(
            f"{path}: the reader '{self.name}' of {self.package} broke "
            f"({type(error).__name__}: {error}); tell its authors, or name another format."
        )

    def _checked(self, tables: object, path: Path) -> Tables:
        if not isinstance(tables, Tables):
            raise LoadError(
                f"{path}: the reader '{self.name}' of {self.package} gave "
                f"{type(tables).__name__}, not Tables; tell its authors, or name another format."
            )
        return tables


def _ours(module: _Module) -> Reader:
    beside = getattr(module, "beside", _nothing_beside)
    return Reader(
        module.NAME,
        module.ABOUT,
        module.can_read,
        module.read,
        beside,
        gather=getattr(module, "gather", None),
        stream=getattr(module, "stream", None),
    )


# A new format is a line here; of two that are equally sure of a file, the first reads it.
_MODULES: tuple[_Module, ...] = (
    table,
    results,
    early,
    bigscience,
    samples,
    lighteval_results,
    lighteval_details,
    olmes,
    dclm,
    open_llm,
    big_bench,
    helm,
    inspect_ai,
    openai_evals,
    open_compass,
    open_compass_summaries,
    hugging_face,
    epoch,
    training_logs,
    shared_results,
    shared_samples,
)

READERS: Mapping[str, Reader] = MappingProxyType(
    {module.NAME: _ours(module) for module in _MODULES}
)


def known_readers() -> dict[str, Reader]:
    """Return our readers by name, and after them those that installed packages register.

    A plug-in that cannot be imported, lacks something, or has the name of another is left out with
    a warning.
    """
    readers = dict(READERS)
    for entry in importlib.metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else entry.value
        try:
            reader = _theirs(entry.load(), package)
        except Exception as error:
            _warn(package, f"'{entry.name}' was left out ({type(error).__name__}: {error})")
            continue
        if reader.name in readers:
            _warn(package, f"'{entry.name}' was left out: there is a reader '{reader.name}'")
            continue
        readers[reader.name] = reader
    return readers


def _theirs(found: Any, package: str) -> Reader:
    about = getattr(found, "ABOUT", f"a plug-in of {package}")
    beside = getattr(found, "beside", _nothing_beside)
    if not isinstance(found.NAME, str) or not callable(found.can_read) or not callable(found.read):
        raise TypeError("NAME must be text, can_read and read functions")
    inspect.signature(found.read)
    stream = getattr(found, "stream", None)
    return Reader(found.NAME, str(about), found.can_read, found.read, beside, package, stream)


def _warn(package: str, what: str) -> None:
    warnings.warn(f"reader of {package}: {what}; its other files are as before.", stacklevel=3)
