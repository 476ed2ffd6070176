"""Runs a sweep from its plan to its table and page."""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jdgnn.backend.way import warning
from jdgnn.emulation.progress_bar import duration
from jdgnn.experiment.results.formatting import points, print_facts
from jdgnn.experiment.run.interrupts import Interrupted, Interrupts
from jdgnn.experiment.run.locks import locked
from jdgnn.experiment.run.ways import missing_in
from jdgnn.experiment.sweep import record
from jdgnn.experiment.sweep.page import write_page
from jdgnn.experiment.sweep.plan import Plan, check_way
from jdgnn.experiment.sweep.processes import Queue, do_all
from jdgnn.experiment.sweep.record import SWEEP
from jdgnn.experiment.sweep.results import PLOT, TABLE, Results
from jdgnn.experiment.sweep.table import print_sweep
from jdgnn.experiment.sweep.working import Done, Work

WRITING_SECONDS = 2.0
"""Time between writes of `sweep.json`: that of a large sweep has some MB."""


def run_sweep(
    plan: Plan,
    console: Console,
    *,
    jobs: int = 1,
    interrupts: Interrupts | None = None,
    cache: Path | None = None,
    accepts_other_way: bool = False,
) -> int:
    """Runs the tasks of a plan, and writes the table and page of its sweep; returns the number of runs that failed.

    `cache` is a directory for compiled programs. After an interrupt, runs that had begun are saved, and Interrupted is
    raised.
    """
    check_way(plan, is_accepted=accepts_other_way)
    plan.path.mkdir(parents=True, exist_ok=True)
    with locked(plan.path):
        results = Results(plan.path, plan.asked)
        record.write(plan.path, plan.asked, results.outcome, {})
        results.make_folders()
        work = Work(plan.asked.configuration, plan.asked.data_root, cache, accepts_other_way)
        interrupts = interrupts or Interrupts()
        with _Log(plan, results, console) as log:
            interrupts.on_leaving = log.left
            try:
                do_all(work, Queue(plan.tasks), jobs, interrupts, log.take)
            except Interrupted as interrupt:
                raise Interrupted(interrupt.signum, *log.kept()) from interrupt
            finally:
                log.write()
                rows = list(results.rows.values())
                if any(row.summaries or row.failed for row in rows):
                    results.write_table()
                    write_page(results)
        print_sweep(console, rows)
        notes = [("note", results.mixed_ways)] if results.mixed_ways else []
        print_facts(console, [("runs", log.summary()), *notes, ("files", f"{SWEEP}, {TABLE}, {PLOT} in {plan.path}")])
    return log.num_failed


class _Log:
    """Shows and records the outcome of each run."""

    def __init__(self, plan: Plan, results: Results, console: Console) -> None:
        self._plan, self._results, self._console = plan, results, console
        self._started, self._written = time.monotonic(), time.monotonic()
        self._num_done = self.num_failed = self._num_programs = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, disable=not (console.is_terminal and plan.tasks))
        self._is_missing_told = False

    def __enter__(self) -> "_Log":
        self._bar.add_task("runs", total=len(self._plan.tasks))
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def take(self, done: Done) -> None:
        """Records and shows the outcome of a run."""
        task = done.task
        self._results.take(task.variant, task.seed, done.reason)
        self._num_done += 1
        self.num_failed += done.reason is not None
        self._num_programs += done.num_programs
        self._print_outcome(done)
        self._bar.advance(self._bar.task_ids[0])
        if time.monotonic() > self._written + WRITING_SECONDS:
            self.write()

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _print_outcome(self, done: Done) -> None:
        task, row = done.task, self._results.rows[done.task.variant]
        outcome = f"{done.seconds:.1f} s"
        if done.reason is not None:
            outcome = f"failed: {done.reason}"
        elif row.task:
            outcome = f"learned {points(float(row.values('learned', [task.seed]).mean()))}, {outcome}"
        self._print(f"{self._num_done}/{len(self._plan.tasks)} {task.variant.label}, seed {task.seed}: {outcome}")
        # once, as the output of single runs is not shown
        if not self._is_missing_told and (reason := missing_in(row.summaries.get(task.seed, {}))) is not None:
            self._is_missing_told = True
            self._print(f"warning: {warning(reason)}")

    def write(self) -> None:
        """Writes `sweep.json`."""
        told = {
            "programs_compiled": self._num_programs,
            "seconds": round(time.monotonic() - self._started, 3),
            "mixed_ways": self._results.mixed_ways,
        }
        record.write(self._plan.path, self._plan.asked, self._results.outcome, told)
        self._written = time.monotonic()

    def summary(self) -> str:
        """Numbers of runs, and the effort."""
        before = self._plan.num_runs - len(self._plan.tasks)
        words = [f"{self._num_done - self.num_failed} finished"]
        words += [f"{before} finished before"] if before else []
        words += [f"{self.num_failed} failed"] if self.num_failed else []
        programs = f"{self._num_programs} program{'' if self._num_programs == 1 else 's'} compiled"
        return f"{', '.join(words)}; {programs}; {duration(time.monotonic() - self._started)}"

    def left(self) -> list[str]:
        """Records the outcome of runs where the process is killed within one, and returns `kept`."""
        self.write()
        return self.kept()

    def kept(self) -> list[str]:
        """The closing words of a sweep that ends early."""
        finished = self._plan.num_runs - len(self._plan.tasks) + self._num_done - self.num_failed
        verb = "are" if finished != 1 else "is"
        return [
            f"{finished} of {self._plan.num_runs} runs {verb} finished and kept in {self._plan.path}",
            f"resume the others: jdgnn sweep --resume {self._plan.path}",
        ]
