"""The runs of a sweep, one after another in one process."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
from rich.console import Console

from jdgnn.emulation import chunks
from jdgnn.errors import InputError, printable
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.schema import resolve
from jdgnn.experiment.config.toml import parsed_toml
from jdgnn.experiment.run.compilation_cache import keep_programs
from jdgnn.experiment.run.directory import CONFIG, ORIGIN, RunDirectory
from jdgnn.experiment.run.experiment import run_experiment
from jdgnn.experiment.run.interrupts import Interrupted, Interrupts
from jdgnn.experiment.sweep.plan import Task
from jdgnn.experiment.sweep.sharing import sharing

MOST_STRUCTURES = 50
"""With compiled programs: a process may have 65,530 memory mappings, and each program takes some."""

LONGEST_REASON = 500


class Work(NamedTuple):
    """The settings that all runs of a sweep share."""

    configuration: str  # as TOML, without the keys that take several values
    data_root: Path | None = None  # directory with a folder for each data set, or None
    compilation_cache: Path | None = None  # where compiled programs are kept, or None
    accepts_other_way: bool = False  # whether runs that have begun may resume in another way
    cores: int | None = None  # that compiled kernels divide the work of new runs among; by default those of the process


class Done(NamedTuple):
    """The outcome of a task."""

    task: Task  # the run
    reason: str | None  # of a failure; None if it is finished
    num_programs: int  # programs of a tick that were compiled for it
    seconds: float  # wall time


class Worker:
    """Does tasks; those of one structure share compiled programs, and those of one network its arrays."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._tables = parsed_toml(work.configuration)
        self._preparing = sharing()
        self._structures: set[int] = set()
        if work.compilation_cache is not None:
            keep_programs(work.compilation_cache)

    def do(self, task: Task, interrupts: Interrupts) -> Done:
        """Runs or resumes a task; a run that fails raises nothing, one that is interrupted raises Interrupted."""
        self._make_room(task.structure)
        before, started = num_programs(), time.perf_counter()
        reason = None
        try:
            self._run(task, interrupts)
        except Interrupted:
            raise
        except InputError as error:
            reason = str(error)
        except Exception as error:  # a failure of one run leaves the others alone
            interrupts.check()
            reason = f"{type(error).__name__}: {error}"
        reason = None if reason is None else printable(" ".join(reason.split()))[:LONGEST_REASON]
        return Done(task, reason, max(0, num_programs() - before), time.perf_counter() - started)

    def _run(self, task: Task, interrupts: Interrupts) -> None:
        config = resolve(with_overrides(self._tables, task.variant.overrides)).model_copy(update={"seed": task.seed})
        directory = RunDirectory(task.path, overwrite=True)
        is_begun = (task.path / CONFIG).is_file() and (task.path / ORIGIN).is_file()
        with contextlib.closing(directory), open(os.devnull, "w") as nowhere:
            if is_begun:
                directory.open()
            run_experiment(
                config,
                directory,
                Console(file=nowhere),
                data_root=self._work.data_root,
                interrupts=interrupts,
                resume=is_begun,
                preparing=self._preparing,
                accepts_other_way=self._work.accepts_other_way,
                cores=self._work.cores,
            )

    def _make_room(self, structure: int) -> None:
        if structure not in self._structures and len(self._structures) >= MOST_STRUCTURES:
            jax.clear_caches()
            self._structures.clear()
        self._structures.add(structure)


def num_programs() -> int:
    """Number of compiled programs of a tick in this process."""
    advance: Any = chunks.advance
    return int(advance._cache_size())
