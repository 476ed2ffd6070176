"""Several processes that do the runs of a sweep, each on its share of the cores."""

import _thread
import atexit
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from jdgnn.backend.calls import num_cores
from jdgnn.experiment.run.interrupts import WAYS, Interrupted, Interrupts, remembered_interrupts
from jdgnn.experiment.sweep.plan import Task
from jdgnn.experiment.sweep.queueing import Queue
from jdgnn.experiment.sweep.working import Done, Work, Worker

TELLING_SECONDS = 0.5
"""From one look for an interrupt to the next."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Variables that say how many threads libraries start, for where cores cannot be assigned."""


def do_all(work: Work, tasks: Queue, jobs: int, interrupts: Interrupts, on_done: Callable[[Done], None]) -> None:
    """Does tasks until none is left.

    One job is done in this process. Several are done in as many new ones, which have the cores of this one divided
    among them; a process that dies takes down its task only.

    Args:
      work: what all runs have in common.
      tasks: what is to be done.
      jobs: how many at a time.
      interrupts: if it says so, all runs are saved and end.
      on_done: called with what came of each.

    Raises:
      Interrupted: that was so.
    """
    jobs = min(jobs, max(1, len(tasks)))
    if jobs == 1:
        worker, last = Worker(work), None
        while (task := tasks.next(last)) is not None:
            on_done(worker.do(task, interrupts))
            last = task.structure
        return
    with contextlib.closing(_Crew(work, tasks, jobs, on_done)) as crew, interrupts.deferred():
        while crew.running:
            if interrupts.is_asked:
                crew.end()
            crew.take_answers()
    interrupts.check()


class _Member(ProcessPoolExecutor):
    """One process, with a share of the cores; the structure of its last task decides which one it gets next."""

    def __init__(self, work: Work, cores: list[int], jobs: int) -> None:
        context = multiprocessing.get_context("spawn")
        ended, self.ending = context.Pipe(duplex=False)  # is closed to say that all should end, or by our death
        super().__init__(1, context, _begin, (work, ended))
        self.cores = cores
        self.task: Task | None = None
        with _surroundings(cores, jobs):
            self.submit(os.getpid)  # starts it
        ended.close()


class _Crew:
    """All processes, and the tasks that they do now."""

    def __init__(self, work: Work, tasks: Queue, jobs: int, on_done: Callable[[Done], None]) -> None:
        self._work = work._replace(cores=num_cores())  # the bits of one process that has all cores
        self._tasks, self._jobs, self._on_done = tasks, jobs, on_done
        self._is_ending = False
        self.running: dict[Future[Done | None], _Member] = {}
        for cores in shares(_cores(), jobs):
            self._give(self._hired(cores))

    def _hired(self, cores: list[int]) -> _Member:
        return _Member(self._work, cores, self._jobs)

    def _give(self, member: _Member) -> None:
        last = None if member.task is None else member.task.structure
        member.task = None if self._is_ending else self._tasks.next(last)
        if member.task is None:
            member.shutdown(wait=False)
        else:
            self.running[member.submit(_do, member.task)] = member

    def take_answers(self) -> None:
        """Waits a little for answers, and gives out what is next."""
        for future in wait(self.running, TELLING_SECONDS, FIRST_COMPLETED).done:
            member = self.running.pop(future)
            try:
                if (done := future.result()) is None:  # it was asked to end, and has saved its run
                    continue
                self._on_done(done)
            except BrokenProcessPool:
                if self._is_ending:
                    continue
                assert member.task is not None
                self._on_done(Done(member.task, "its process died (killed, or no memory left)", 0, 0.0))
                if not len(self._tasks):
                    continue
                member = self._hired(member.cores)
            self._give(member)

    def end(self) -> None:
        """Has all of them save and end."""
        self._is_ending = True
        for member in self.running.values():
            member.ending.close()

    def close(self) -> None:
        """Leaves no process behind: those that still run end as soon as they have saved."""
        self.end()
        for member in self.running.values():
            member.shutdown(wait=True, cancel_futures=True)


class _State:
    """Of a process that does tasks."""

    worker: Worker
    interrupts: Interrupts
    until_the_end = contextlib.ExitStack()
    is_busy = False


def _begin(work: Work, ended: Connection) -> None:
    """Is done first in each process."""
    _State.worker = Worker(work)
    _State.interrupts = _State.until_the_end.enter_context(remembered_interrupts(is_quiet=True))
    atexit.register(os._exit, 0)  # threads that still compile do not survive an orderly exit
    threading.Thread(target=_listen, args=(ended,), daemon=True).start()


def _do(task: Task) -> Done | None:
    """What came of a task; None if all should end."""
    _State.is_busy = True
    try:
        return _State.worker.do(task, _State.interrupts)
    except Interrupted:
        return None
    finally:
        _State.is_busy = False


def _listen(ended: Connection) -> None:
    """When all should end, or whoever gives out tasks has gone, it is as if SIGTERM had come."""
    with contextlib.suppress(EOFError, OSError):
        ended.recv()
    if _State.is_busy:
        _thread.interrupt_main(signal.SIGTERM)
    while _State.is_busy:
        time.sleep(TELLING_SECONDS)
    os._exit(0)


def shares(cores: list[int], jobs: int) -> list[list[int]]:
    """Divides cores among processes, as evenly as can be; each gets one at least.

    >>> shares([0, 1, 2, 3, 4], 2), shares([0, 1], 3)
    ([[0, 1, 2], [3, 4]], [[0], [1], [0]])
    """
    if jobs >= len(cores):
        return [[cores[job % len(cores)]] for job in range(jobs)]
    size, rest = divmod(len(cores), jobs)
    starts = [job * size + min(job, rest) for job in range(jobs + 1)]
    return [cores[start:end] for start, end in itertools.pairwise(starts)]


def _cores() -> list[int]:
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return list(range(os.cpu_count() or 1))


@contextlib.contextmanager
def _surroundings(cores: list[int], jobs: int) -> Iterator[None]:
    """What a process that is started inside inherits: its cores, and no signal that ends runs.

    XLA and other libraries start as many threads as there are cores when they are loaded, so the process must have its
    share from the beginning. Signals reach all processes of a terminal, and some all of a job: they are for the one
    that gives out tasks, which has the others end by itself.
    """
    environment = dict(os.environ)
    variables = dict.fromkeys(THREADS, str(len(cores)))
    if jobs > 1:
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # they may share one accelerator
    given = {name: value for name, value in variables.items() if name not in environment}
    os.environ.update(given)
    resource_tracker.ensure_running()  # which lets signals through again when it starts, and then not again
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
