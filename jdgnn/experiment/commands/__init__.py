"""The commands of the command line, a file each: `add` puts one into the parser."""

import argparse
from collections.abc import Callable

from jdgnn.experiment.commands import compare, datasets, report, run, sweep

Commands = argparse._SubParsersAction
ADD: tuple[Callable[["Commands[argparse.ArgumentParser]"], None], ...] = (
    run.add,
    report.add,
    sweep.add,
    compare.add,
    datasets.add,
)
"""In the order in which `jdgnn --help` lists them."""
