"""Several processes that do the runs of a sweep, each on its share of the cores."""

import _thread
import contextlib
import itertools
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

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
    crew = _Crew(work, tasks, jobs, on_done)
    with contextlib.closing(crew), interrupts.deferred():
        crew.hire()
        while crew.is_at_work:
            crew.look()
            if interrupts.is_asked:
                crew.end()
    interrupts.check()


class _Member:
    """A process, and what it does."""

    def __init__(self, work: Work, cores: list[int], jobs: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        same_bits = work._replace(cores=num_cores())  # as one process that has all cores
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, same_bits), daemon=True)
        self.task: Task | None = None
        self.last: int | None = None
        self.cores = cores
        with _surroundings(cores, jobs):
            self.process.start()
        theirs.close()

    def give(self, task: Task | None) -> None:
        self.task = task
        with contextlib.suppress(OSError):  # it has died, which is seen when its answer is read
            self.connection.send(task)

    def answer(self) -> Done | None:
        """What it says; None if it has ended."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return None


class _Crew:
    def __init__(self, work: Work, tasks: Queue, jobs: int, on_done: Callable[[Done], None]) -> None:
        self._work, self._tasks, self._on_done = work, tasks, on_done
        self._jobs, self._is_ending = jobs, False
        self._members: list[_Member] = []

    @property
    def is_at_work(self) -> bool:
        """Whether there is anybody to wait for."""
        return bool(self._members)

    def hire(self) -> None:
        """Starts all processes."""
        for cores in shares(_cores(), self._jobs):
            self._hire(cores)

    def look(self) -> None:
        """Waits a little for answers, and gives out what is next."""
        by_connection = {member.connection: member for member in self._members}
        for connection in wait(list(by_connection), TELLING_SECONDS):
            member = by_connection[connection]  # type: ignore[index]
            done = member.answer()
            if done is not None:
                member.last = done.task.structure
                self._on_done(done)
                self._give(member)
            else:
                self._members.remove(member)
                self._bury(member)

    def end(self) -> None:
        """Has all of them save and end."""
        if not self._is_ending:
            self._is_ending = True
            for member in self._members:
                with contextlib.suppress(OSError):
                    member.connection.send(_End())

    def close(self) -> None:
        """Leaves none behind."""
        for member in self._members:
            member.process.kill()
            member.process.join()
            member.connection.close()

    def _hire(self, cores: list[int]) -> None:
        self._members.append(member := _Member(self._work, cores, self._jobs))
        self._give(member)

    def _give(self, member: _Member) -> None:
        member.give(None if self._is_ending else self._tasks.next(member.last))

    def _bury(self, member: _Member) -> None:
        """Notes what has become of a process that ended, and takes another if it should not have."""
        member.connection.close()
        if member.task is None or self._is_ending:
            return
        self._on_done(Done(member.task, _cause_of_death(member.process.exitcode), 0, 0.0))
        if len(self._tasks):
            self._hire(member.cores)


class _End:
    """Says that all should end."""


def _cause_of_death(status: int | None) -> str:
    if status is not None and status < 0:
        hint = " (no memory left?)" if -status == signal.SIGKILL else ""
        return f"its process was killed by {signal.Signals(-status).name}{hint}"
    return f"its process ended with status {status}"


def _serve(connection: Connection, work: Work) -> None:
    """Is a process: does what comes until nothing does."""
    tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    with contextlib.suppress(Interrupted), remembered_interrupts(is_quiet=True) as interrupts:
        threading.Thread(target=_listen, args=(connection, tasks), daemon=True).start()
        worker = Worker(work)
        while (task := tasks.get()) is not None:
            done = worker.do(task, interrupts)
            interrupts.check()
            connection.send(done)
    os._exit(0)  # threads that still compile do not survive an orderly exit


def _listen(connection: Connection, tasks: "queue.SimpleQueue[Task | None]") -> None:
    """Hands on tasks; when all should end, or whoever gave them has gone, it is as if SIGTERM had come."""
    while True:
        try:
            given: Any = connection.recv()
        except (EOFError, OSError):
            given = _End()
        if isinstance(given, _End):
            _thread.interrupt_main(signal.SIGTERM)
            tasks.put(None)
            return
        tasks.put(given)


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
