"""Plans and runs the sweep that `jdgnn sweep` asks for."""

import re
from collections.abc import Sequence
from pathlib import Path

import jax

from jdgnn.errors import InputError
from jdgnn.experiment.cli.console import lasting_console
from jdgnn.experiment.cli.running import name_of
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.schema import read_tables
from jdgnn.experiment.run.directory import next_free
from jdgnn.experiment.run.interrupts import remembered_interrupts
from jdgnn.experiment.run.seeds import seeds_from
from jdgnn.experiment.sweep.grid import parse, resolved, variants
from jdgnn.experiment.sweep.plan import Plan, planned
from jdgnn.experiment.sweep.plan import resumed as resumed
from jdgnn.experiment.sweep.running import run_sweep

MOST_JOBS = 1_000


def num_jobs(text: str) -> int:
    """The number of runs at a time."""
    if not re.fullmatch(r"0*[1-9]\d{0,3}", text, re.ASCII) or int(text) > MOST_JOBS:
        raise InputError(f"--jobs: expected a whole number from 1 to {MOST_JOBS:,}, as in --jobs 2, got {text!r}")
    jobs = int(text)
    if jobs > 1:
        jax.config.update("jax_platforms", "cpu")  # this process only checks: an accelerator is for those that compute
    return jobs


def plan(config: Path, overrides: Sequence[str], seeds: str, out: Path | None, data_root: Path | None) -> Plan:
    """The runs of a new sweep, or of one that is to be extended."""
    common, axes = parse(overrides)
    tables = with_overrides(read_tables(config), common)
    (first, *_) = variants(axes, 1)
    all_seeds = seeds_from(resolved(tables, first).seed, seeds or "1")
    path = out or next_free(Path("runs"), f"{name_of(config)}-sweep")
    return planned(path, tables, axes, all_seeds, data_root)


def run(plan: Plan, jobs: int, cache: Path | None, *, accepts_other_way: bool) -> int:
    """Runs what is not finished; returns the exit status, 1 if runs failed."""
    console = lasting_console()
    console.print(_in_words(plan), soft_wrap=True, markup=False, highlight=False)
    with remembered_interrupts() as interrupts:
        num_failed = run_sweep(
            plan, console, jobs=jobs, interrupts=interrupts, cache=cache, accepts_other_way=accepts_other_way
        )
    return 1 if num_failed else 0


def _in_words(plan: Plan) -> str:
    combinations = len({task.variant for task in plan.tasks})
    structures = len({task.structure for task in plan.tasks})
    finished = plan.num_runs - len(plan.tasks)
    before = f" ({finished} are finished already)" if finished else ""
    if not plan.tasks:
        return f"all {plan.num_runs} runs are finished in {plan.path}"
    return (
        f"{len(plan.tasks)} runs of {combinations} combinations{before}, which need {structures} "
        f"program{'' if structures == 1 else 's'} or more, in {plan.path}"
    )
