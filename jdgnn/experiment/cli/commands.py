"""The commands of the command line, a file each: `add` puts one into the parser."""

from collections.abc import Callable

from jdgnn.experiment.cli import compare, completion, configs, datasets, export, init, parts, report, run, sweep
from jdgnn.experiment.cli.help import Commands

ADD: tuple[Callable[[Commands], None], ...] = (
    init.add,
    run.add,
    sweep.add,
    report.add,
    compare.add,
    export.add,
    configs.add,
    datasets.add,
    parts.add,
    completion.add,
)
