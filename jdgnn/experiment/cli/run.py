"""`jdgnn run`: one configuration, with one seed or several."""

import itertools
from pathlib import Path
from typing import Annotated, Any

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Command
from jdgnn.experiment.cli.options import (
    AcceptOtherWay,
    CompilationCache,
    Config,
    DataRoot,
    Overwrite,
    reject_with_resume,
    use_compilation_cache,
)

BOARD = "--tensorboard"


class RunCommand(Command):
    """Lets `--tensorboard` stand without DIR: typer knows no options whose value may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Gives `--tensorboard` an empty value where none follows."""
        pairs = itertools.pairwise([*args, "-"])
        return super().parse_args(
            ctx, [f"{BOARD}=" if arg == BOARD and after.startswith("-") else arg for arg, after in pairs]
        )


def run(
    config: Config = None,
    *,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="resume the run in DIR; of its configuration, only emulation.ticks may differ"
        ),
    ] = None,
    overrides: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="change a key, as in --set emulation.ticks=50; repeatable"),
    ] = [],  # noqa: B006  (nothing changes it)
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="new directory (default: runs/NAME-1, ...)")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="N", help="run with N consecutive seeds")] = None,
    overwrite: Overwrite = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="do not write report.html at the end")] = False,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="write all random events to FILE")] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="replay the random events in FILE, so that another algorithm faces the same drops, delays and outages",
        ),
    ] = None,
    compilation_cache: CompilationCache = None,
    accept_other_way: AcceptOtherWay = False,
    tensorboard: Annotated[
        str | None,
        typer.Option(
            metavar="[DIR]",
            help="also write TensorBoard event files, to DIR or, if it is left out (then write --tensorboard after "
            "CONFIG), to the directory of the run",
        ),
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Run a configuration.

    Trains the nodes, evaluates the embeddings, and writes everything to a new
    directory: config.toml (fully resolved), metrics.jsonl (one line per recorded
    tick), summary.json, embeddings.npz, nodes.npz (statistics per node),
    network.npz, snapshots/ (embeddings over time), checkpoints/ (to resume from)
    and report.html (everything on one page). With --seeds, there is one such
    directory per seed (seed-0, ...), seeds.json (means, standard deviations, and
    gains over each baseline) and one report.

    Examples:
      jdgnn run quickstart
          train on handwritten digits, linked to their nearest neighbours
      jdgnn run cora --data-root data --out runs/cora
          train on a citation network, read from data/cora
      jdgnn run cora --set emulation.ticks=50 --set layers.0.units=32
          change keys; layers are counted from 0
      jdgnn run quickstart --seeds 5 --out runs/a
          five runs, with seeds 0 to 4
      jdgnn run runs/cora/config.toml
          repeat a run: its directory holds the full configuration
      jdgnn run --resume runs/cora
          resume an interrupted run; the result is bit-identical to an
          uninterrupted run
      jdgnn run --resume runs/cora --set emulation.ticks=500
          extend a finished run
      jdgnn run cora-async --record events.npz
          keep all random events
      jdgnn run cora-async --replay events.npz --set gossip.merge=adopt
          another algorithm faces the same drops, delays, outages and partners
    """
    from jdgnn.experiment.cli import resume as resuming
    from jdgnn.experiment.cli import running
    from jdgnn.experiment.run.event_files import EventFiles

    files, report = EventFiles(record, replay, overwrite), None if no_report else running.try_report
    settings = running.Settings(config, overrides, data_root, files, report, accept_other_way, tensorboard)
    if resume is not None:
        reject_with_resume({"--out": out, "--overwrite": overwrite, "--seeds": seeds, "--record": record})
    elif config is None:
        if tensorboard and Path(tensorboard).is_file():
            raise InputError(f"{BOARD}: expected a directory, got the file {tensorboard}; write {BOARD} after CONFIG")
        raise InputError("CONFIG: is missing; give a TOML file, or --resume DIR to resume a run")
    elif overwrite and out is None and record is None:
        raise InputError("--overwrite: expected --out DIR or --record FILE, got neither; a new directory is made")
    use_compilation_cache(compilation_cache)
    if resume is not None:
        resuming.resume(resume, settings)
    elif config is not None:
        running.start(config, out, seeds, settings)
