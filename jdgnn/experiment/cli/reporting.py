"""The report at the end of a run, which must not take the run with it."""

from pathlib import Path

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.run.directory import REPORT
from jdgnn.experiment.run.progress import stage


def try_report(path: Path, console: Console) -> None:
    """Writes the report of a directory into it, or says why there is none.

    Args:
      path: a directory that `jdgnn run` has made, with or without `--seeds`.
      console: where that is said.
    """
    from jdgnn.experiment.report.making import write_report  # plotly takes its time

    try:
        with stage(console, "writing the report"):
            write_report([path], path / REPORT)
    except (InputError, OSError) as error:
        console.print(f"warning: no report was written ({error})", soft_wrap=True, markup=False)
