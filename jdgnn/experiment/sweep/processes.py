"""The processes of a sweep, each with its share of the cores."""

import _thread
import atexit
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

import numpy as np

from jdgnn.backend.calls import num_cores
from jdgnn.experiment.run.interrupts import WAYS, Interrupted, Interrupts, remembered_interrupts
from jdgnn.experiment.sweep.plan import Task
from jdgnn.experiment.sweep.working import Done, Work, Worker

TELLING_SECONDS = 0.5
"""Time between checks for an interrupt."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Variables for numbers of threads, where cores cannot be assigned to a process."""


class Queue:
    """The rest of the tasks, in an order in which few programs are compiled.

    Example:
      >>> from pathlib import Path
      >>> from jdgnn.experiment.sweep.grid import Variant
      >>> queue = Queue(Task(Variant(()), seed, Path(), structure) for seed in range(2) for structure in (7, 8))
      >>> [queue.next(last).structure for last in (None, 7, None, 8)]
      [7, 7, 8, 8]
      >>> queue.next(8) is None
      True
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._left = list(tasks)
        self._touched: set[int] = set()

    def __len__(self) -> int:
        return len(self._left)

    def next(self, last: int | None) -> Task | None:
        """A task of the last structure of a process, else of a new one, else of the one with most tasks left."""
        if not self._left:
            return None
        counts = Counter(task.structure for task in self._left)
        chosen = last if last in counts else next((one for one in counts if one not in self._touched), None)
        if chosen is None:
            chosen = counts.most_common(1)[0][0]
        self._touched.add(chosen)
        return self._left.pop(next(place for place, task in enumerate(self._left) if task.structure == chosen))


def do_all(work: Work, tasks: Queue, jobs: int, interrupts: Interrupts, on_done: Callable[[Done], None]) -> None:
    """Does all tasks, in this process or in several new ones; hands each outcome to `on_done`.

    A process that dies takes down its task only. After an interrupt all runs save and end, and Interrupted is raised.
    """
    jobs = min(jobs, max(1, len(tasks)))
    if jobs == 1:
        worker, last = Worker(work), None
        while (task := tasks.next(last)) is not None:
            on_done(worker.do(task, interrupts))
            last = task.structure
        return
    with contextlib.closing(_Pool(work, tasks, jobs, on_done)) as pool, interrupts.deferred():
        while pool.running:
            if interrupts.is_asked:
                pool.end()
            pool.take_results()
    interrupts.check()


class _Process(ProcessPoolExecutor):
    """One process, with a share of the cores and its last task."""

    def __init__(self, work: Work, cores: list[int], jobs: int) -> None:
        context = multiprocessing.get_context("spawn")
        ended, self.ending = context.Pipe(duplex=False)  # closing it ends the process; so does the death of this one
        super().__init__(1, context, _begin, (work, ended))
        self.cores = cores
        self.task: Task | None = None
        with _environment(cores, jobs):
            self.submit(os.getpid)  # starts it
        ended.close()


class _Pool:
    """All processes, and their present tasks."""

    def __init__(self, work: Work, tasks: Queue, jobs: int, on_done: Callable[[Done], None]) -> None:
        self._work = work._replace(cores=num_cores())  # for the bits of one process with all cores
        self._tasks, self._jobs, self._on_done = tasks, jobs, on_done
        self._is_ending = False
        self.running: dict[Future[Done | None], _Process] = {}
        for cores in shares(_cores(), jobs):
            self._submit_next(_Process(self._work, cores, jobs))

    def _submit_next(self, process: _Process) -> None:
        last = None if process.task is None else process.task.structure
        process.task = None if self._is_ending else self._tasks.next(last)
        if process.task is None:
            process.shutdown(wait=False)
        else:
            self.running[process.submit(_do, process.task)] = process

    def take_results(self) -> None:
        """Waits for results, for a short time, and starts the next tasks."""
        for future in wait(self.running, TELLING_SECONDS, FIRST_COMPLETED).done:
            process = self.running.pop(future)
            try:
                if (done := future.result()) is None:  # it was interrupted, and has saved its run
                    continue
                self._on_done(done)
            except BrokenProcessPool:
                if self._is_ending:
                    continue
                assert process.task is not None
                self._on_done(Done(process.task, "its process died (killed, or no memory left)", 0, 0.0))
                if not len(self._tasks):
                    continue
                process = _Process(self._work, process.cores, self._jobs)
            self._submit_next(process)

    def end(self) -> None:
        """Makes all processes save and end."""
        self._is_ending = True
        for process in self.running.values():
            process.ending.close()

    def close(self) -> None:
        """Waits until all processes have saved and ended."""
        self.end()
        for process in self.running.values():
            process.shutdown(wait=True, cancel_futures=True)


class _State:
    """The globals of a process that does tasks."""

    worker: Worker
    interrupts: Interrupts
    until_the_end = contextlib.ExitStack()
    is_busy = False


def _begin(work: Work, ended: Connection) -> None:
    """Initialises a process."""
    _State.worker = Worker(work)
    _State.interrupts = _State.until_the_end.enter_context(remembered_interrupts(is_quiet=True))
    atexit.register(os._exit, 0)  # threads that still compile do not survive an orderly exit
    threading.Thread(target=_listen, args=(ended,), daemon=True).start()


def _do(task: Task) -> Done | None:
    """The outcome of a task; None if it was interrupted."""
    _State.is_busy = True
    try:
        return _State.worker.do(task, _State.interrupts)
    except Interrupted:
        return None
    finally:
        _State.is_busy = False


def _listen(ended: Connection) -> None:
    """Acts as on SIGTERM when all processes should end, or the main process is gone."""
    with contextlib.suppress(EOFError, OSError):
        ended.recv()
    if _State.is_busy:
        _thread.interrupt_main(signal.SIGTERM)
    while _State.is_busy:
        time.sleep(TELLING_SECONDS)
    os._exit(0)


def shares(cores: list[int], jobs: int) -> list[list[int]]:
    """Divides cores among processes as evenly as possible; each gets at least one."""
    if jobs >= len(cores):
        return [[cores[job % len(cores)]] for job in range(jobs)]
    return [share.tolist() for share in np.array_split(cores, jobs)]


def _cores() -> list[int]:
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return list(range(os.cpu_count() or 1))


@contextlib.contextmanager
def _environment(cores: list[int], jobs: int) -> Iterator[None]:
    """Gives a process that is started inside its share of the cores, and blocks signals that end runs.

    XLA and other libraries start as many threads as there are cores when they are loaded, so the process must have its
    share from the beginning. Terminals and schedulers send signals to all processes: only the main process handles
    them, and ends the others.
    """
    variables = dict.fromkeys(THREADS, str(len(cores)))
    if jobs > 1:
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # they may share one accelerator
    given = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(given)
    resource_tracker.ensure_running()  # its start would unblock the signals
    before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, WAYS) if hasattr(signal, "pthread_sigmask") else None
    try:
        if before is not None:
            os.sched_setaffinity(0, cores)
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
        if masked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        for name in given:
            del os.environ[name]
