"""`jdgnn sweep`: all combinations of several values, each with several seeds."""

from pathlib import Path
from typing import Annotated

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.options import (
    AcceptOtherWay,
    CompilationCache,
    Config,
    DataRoot,
    reject_with_resume,
    use_compilation_cache,
)


def sweep(
    config: Config = None,
    *,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="resume the sweep in DIR")] = None,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="KEY=V1,V2",
            help="KEY=V1,V2,... sweeps a key over all combinations; KEY=V fixes it for every run; repeatable",
        ),
    ] = [],  # noqa: B006  (nothing changes it)
    seeds: Annotated[str, typer.Option(metavar="N", help="seeds of each combination (default: 1)")] = "",
    jobs: Annotated[str, typer.Option(metavar="N", help="runs at a time, which share the cores")] = "1",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="new directory (default: runs/NAME-sweep-1, ...)")
    ] = None,
    compilation_cache: CompilationCache = None,
    accept_other_way: AcceptOtherWay = False,
    data_root: DataRoot = None,
) -> int:
    """Run all combinations of several values.

    Each combination is run with several seeds; one table and one plot show the
    results. Finished runs are skipped. The directory gets one directory for each
    combination, as jdgnn run --seeds writes it, sweep.json (what was asked for,
    and the results), sweep.csv (one line per run) and sweep.html (plot and
    table). Values are means and standard deviations over seeds.

    Commas inside brackets, braces and quotes belong to a value, as in
    --set 'availability.presence=[],[{name = "crash", prob = 0.001}]'.

    Examples:
      jdgnn sweep cora --set push.fanout=8,32 --seeds 3 --jobs 2
          two values with seeds 0 to 2: 6 runs, two at a time
      jdgnn sweep cora --set gossip.merge=average,adopt --set seed=7
          values may be words; seed=7 is the same for all runs
      jdgnn sweep --resume runs/cora-sweep-1
          resume it; to add values or seeds, repeat the first command with them
          and with --out runs/cora-sweep-1
    """
    from jdgnn.experiment.cli import sweeping

    num_jobs = sweeping.num_jobs(jobs)
    if resume is not None:
        reject_with_resume(
            {"CONFIG": config, "--set": overrides, "--seeds": seeds, "--out": out, "--data-root": data_root}
        )
        plan = sweeping.resumed(resume)
    elif config is None:
        raise InputError("CONFIG: is missing; give a TOML file, or --resume DIR to resume a sweep")
    else:
        plan = sweeping.plan(config, overrides, seeds, out, data_root)
    use_compilation_cache(compilation_cache)
    return sweeping.run(plan, num_jobs, compilation_cache, accepts_other_way=accept_other_way)
