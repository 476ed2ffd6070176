"""`jdgnn sweep`: a grid of values, several seeds of each combination, one table and one plot."""

import argparse
import re
from pathlib import Path

import jax

from jdgnn.errors import InputError
from jdgnn.experiment.cli.console import lasting_console
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import add_data_root
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.schema import read_tables
from jdgnn.experiment.run.compilation_cache import keep_programs
from jdgnn.experiment.run.directory import CONFIG, next_free
from jdgnn.experiment.run.interrupts import remembered_interrupts
from jdgnn.experiment.run.seeds import seeds_from
from jdgnn.experiment.run.ways import FLAG
from jdgnn.experiment.sweep.grid import parse, resolved, variants
from jdgnn.experiment.sweep.plan import Plan, planned, resumed
from jdgnn.experiment.sweep.running import run_sweep

MOST_JOBS = 1_000

EXAMPLES = {
    "jdgnn sweep cora --set push.fanout=8,32 --seeds 3 --jobs 2": "two values with seeds 0 to 2: 6 runs, "
    "two at a time, in runs/cora-sweep-1 or the next number",
    "jdgnn sweep cora --set gossip.merge=average,adopt --set seed=7": "values may be words; one value is for all",
    "jdgnn sweep --resume runs/cora-sweep-1": "go on with it; so does the same command with --out, and one with more "
    "values or seeds adds them",
}
EPILOG = (
    "Commas inside of brackets, braces and quotes belong to a value, as in 'availability.presence=[],[{name = "
    '"crash", prob = 0.001}]\'. The directory gets one for each combination, as jdgnn run --seeds makes it, sweep.json '
    "(what was asked for, and what came of it), sweep.csv (a line for each run) and sweep.html (plot and table in one "
    "file). Figures are means and sds over seeds."
)


def add(commands: Commands) -> None:
    """Adds the command `sweep`."""
    sweep = add_command(
        commands,
        "sweep",
        help="run all combinations of several values",
        description="Runs a configuration with all combinations of some values, each with several seeds, and puts what "
        "was learned into one table and one plot. What is finished already is left as it is.",
        examples=EXAMPLES,
        epilog=EPILOG,
    )
    sweep.add_argument(
        "config",
        type=Path,
        metavar="CONFIG",
        nargs="?",
        help="a TOML file, or the name of one that jdgnn configs lists",
    )
    sweep.add_argument("--resume", type=Path, metavar="DIR", help="go on with the sweep in this directory")
    sweep.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE,VALUE",
        help="values of a key to be combined with those of others, or one value for all; may be repeated",
    )
    sweep.add_argument("--seeds", metavar="N", help="run each combination with N seeds (default: 1)")
    sweep.add_argument(
        "--jobs",
        default="1",
        metavar="N",
        help="runs at a time, each in a process with its share of cores (default: 1)",
    )
    sweep.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="directory of the sweep (default: runs/NAME-sweep-1, or the next)",
    )
    sweep.add_argument(
        "--compilation-cache", type=Path, metavar="DIR", help="keep compiled programs here, for all runs and later ones"
    )
    sweep.add_argument(
        FLAG,
        dest="accepts_other_way",
        action="store_true",
        help="go on, or add runs, also where compiled kernels were used and now are not, or the other way round",
    )
    add_data_root(sweep)
    sweep.set_defaults(command=_sweep)


def _sweep(arguments: argparse.Namespace) -> int:
    jobs = _jobs(arguments.jobs)
    if jobs > 1:
        jax.config.update("jax_platforms", "cpu")  # this process only checks: an accelerator is for those that compute
    plan = _plan(arguments)
    if arguments.compilation_cache is not None:
        keep_programs(arguments.compilation_cache)
    console = lasting_console()
    console.print(_in_words(plan), soft_wrap=True, markup=False, highlight=False)
    with remembered_interrupts() as interrupts:
        num_failed = run_sweep(
            plan,
            console,
            jobs=jobs,
            interrupts=interrupts,
            cache=arguments.compilation_cache,
            accepts_other_way=arguments.accepts_other_way,
        )
    return 1 if num_failed else 0


def _plan(arguments: argparse.Namespace) -> Plan:
    if arguments.resume is not None:
        for option in ("config", "set", "seeds", "out", "data_root"):
            if getattr(arguments, option):
                name = "CONFIG" if option == "config" else f"--{option.replace('_', '-')}"
                raise InputError(f"{name}: has no meaning together with --resume, which does what was asked for before")
        return resumed(arguments.resume)
    if arguments.config is None:
        raise InputError("CONFIG: is missing; give a TOML file, or --resume DIR to go on with a sweep")
    common, axes = parse(arguments.set)
    tables = with_overrides(read_tables(arguments.config), common)
    (first, *_) = variants(axes, 1)
    seeds = seeds_from(resolved(tables, first).seed, arguments.seeds or "1")
    name = (arguments.config.name == CONFIG and arguments.config.resolve().parent.name) or arguments.config.stem
    path = arguments.out or next_free(Path("runs"), f"{name}-sweep")
    return planned(path, tables, axes, seeds, arguments.data_root)


def _jobs(text: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,3}", text, re.ASCII) or int(text) > MOST_JOBS:
        raise InputError(f"--jobs: expected a whole number from 1 to {MOST_JOBS:,}, as in --jobs 2, got {text!r}")
    return int(text)


def _in_words(plan: Plan) -> str:
    """How much is to be done."""
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
