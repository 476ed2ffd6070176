"""One configuration with several seeds, each a run of its own, and what all of them say together."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.results import scores
from jdgnn.experiment.results.comparison_tables import print_seeds
from jdgnn.experiment.results.formatting import seeds_in_words
from jdgnn.experiment.results.labels import repeats_of
from jdgnn.experiment.results.statistics import paired_difference, spread
from jdgnn.experiment.run.directory import ORIGIN, REPORT, RunDirectory, check_no_link, seed_folders
from jdgnn.experiment.run.experiment import run_experiment
from jdgnn.experiment.run.interrupts import Interrupts
from jdgnn.experiment.run.locks import LOCK, locked
from jdgnn.experiment.run.ways import mixed
from jdgnn.files import partial_name, write_json

SEEDS = "seeds.json"
FILES = (SEEDS, ORIGIN, REPORT)
OWN = (*FILES, *map(partial_name, FILES), LOCK)
"""What the directory holds besides runs."""
MOST = 2**32
"""Seeds are below this."""
MOST_RUNS = 10_000
"""At a time."""


class SeedsDirectory:
    """The directory of runs that differ in their seeds only: a run directory `seed-N` for each, and `seeds.json`.

    Example:
      >>> [run.path.name for run in SeedsDirectory(Path("nowhere"), range(3, 5)).runs.values()]
      ['seed-3', 'seed-4']
    """

    def __init__(
        self, path: Path, seeds: Sequence[int], *, overwrite: bool = False, tensorboard: Path | None = None
    ) -> None:
        self.path = path
        self.runs = {
            seed: _Run(
                self, path / f"seed-{seed}", overwrite=overwrite, tensorboard=_of_seed(tensorboard, f"seed-{seed}")
            )
            for seed in seeds
        }
        self.finished: list[int] = []
        self._overwrite = overwrite
        self._is_cleared = False
        self._lock = contextlib.ExitStack()

    def check(self) -> None:
        """Rejects a place that cannot take new runs, without touching it.

        Raises:
          InputError: there is a file of this name, a directory with something in it (for `overwrite`, something else
            than runs that differ in their seeds), or no right to write there.
        """
        check_no_link("--out", self.path)
        names = {path.name for path in self.path.iterdir()} if self.path.is_dir() else set()
        if names and not self._overwrite:
            raise InputError(
                f"--out: {self.path} exists and is not empty; give another directory, or add --overwrite to replace "
                "the runs in it"
            )
        others = sorted(names - {*OWN} - {path.name for path in seed_folders(self.path)})
        if names and (others or not (seed_folders(self.path) or ORIGIN in names)):
            reason = f"it holds {others[0]}" if others else "it holds no seed-0, or any other"
            raise InputError(
                f"--overwrite: {self.path} is not the directory of runs with several seeds, as {reason}; give another "
                "--out"
            )
        for run in (*self._earlier_runs(), *self.runs.values()):
            run.check()

    def clear(self) -> None:
        """Removes what earlier runs have left, and notes which seeds are asked for, once."""
        if self._is_cleared:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock.enter_context(locked(self.path))
        for name in OWN:
            if name != LOCK:
                (self.path / name).unlink(missing_ok=True)
        for run in self._earlier_runs():
            run.remove()
        write_json(self.path / ORIGIN, {"seeds": list(self.runs)})
        self._is_cleared = True

    def keep_earlier_runs(self) -> None:
        """Reports that runs are resumed.

        Raises:
          InputError: another process uses the directory.
        """
        check_no_link("--resume", self.path)
        self._lock.enter_context(locked(self.path))
        self._is_cleared = True

    def close(self) -> None:
        """Lets other processes use the directory."""
        self._lock.close()

    def kept(self) -> list[str]:
        """What to say of runs that end early: which are finished, and where those and the last one are."""
        begun = [run for seed, run in self.runs.items() if seed not in self.finished]
        lines = [line for run in begun for line in run.kept()[:1]]
        advice = [f"to resume them: jdgnn run --resume {self.path}"] if (self.path / ORIGIN).is_file() else []
        return [*self.kept_finished(), *lines, *advice]

    def kept_finished(self) -> list[str]:
        """What to say of those that are finished, if any is."""
        if not self.finished:
            return []
        verb = "are" if len(self.finished) > 1 else "is"
        return [f"{seeds_in_words(self.finished)} {verb} finished and kept in {self.path}"]

    def _earlier_runs(self) -> list[RunDirectory]:
        return [RunDirectory(path, overwrite=True) for path in seed_folders(self.path)]


class _Run(RunDirectory):
    """A run that clears what earlier ones have left before it writes anything."""

    def __init__(self, parent: SeedsDirectory, path: Path, *, overwrite: bool, tensorboard: Path | None) -> None:
        super().__init__(path, overwrite=overwrite, tensorboard=tensorboard)
        self._parent = parent

    def create(self, config: str, origin: Mapping[str, Any]) -> None:
        """Makes the directory, and writes the configuration."""
        self.check()
        self._parent.clear()
        super().create(config, origin)


def _of_seed(tensorboard: Path | None, name: str) -> Path | None:
    """Where the event files of one seed go: beside those of the others, where they are not in the runs' directories."""
    return tensorboard if tensorboard is None or not tensorboard.is_absolute() else tensorboard / name


def seeds_from(first: int, count: str) -> range:
    """The seeds of so many runs.

    Args:
      first: the configuration's seed.
      count: how many, as given on the command line.

    Raises:
      InputError: that is no whole number from 1, or there are not so many seeds from the first on.

    Example:
      >>> list(seeds_from(3, "2"))
      [3, 4]
    """
    if not re.fullmatch(r"0*[1-9]\d{0,9}", count, re.ASCII):
        raise InputError(f"--seeds: expected a whole number of at least 1, for example --seeds 5, got {count!r}")
    if int(count) > MOST_RUNS:
        raise InputError(f"--seeds: expected at most {MOST_RUNS} at a time, got {count}")
    if first + int(count) > MOST:
        raise InputError(
            f"--seeds: got {count} from seed {first} on, and the last seed is {MOST - 1}; write fewer, or --set seed=0"
        )
    return range(first, first + int(count))


def run_seeds(
    config: Config,
    directory: SeedsDirectory,
    console: Console,
    *,
    data_root: Path | None = None,
    interrupts: Interrupts | None = None,
    report: Callable[[Path, Console], None] | None = None,
) -> dict[str, Any]:
    """Runs a configuration with each seed of a directory, and says what they say together.

    `seeds.json` is written again after each run, so that it holds all that are finished.

    Args:
      config: what to do; its own seed is not looked at.
      directory: where the files go.
      console: where progress and the closing tables are shown.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.
      interrupts: asked before directories are made and about twice a second while nodes run; ends everything.
      report: what writes a page about all of them at the end, from their directory; None for none.

    Returns:
      What `seeds.json` says; see `together`.

    Raises:
      InputError: an argument is invalid, or a run diverged; those that finished before are kept.
    """
    directory.check()

    def one(seed: int, run: RunDirectory) -> dict[str, Any]:
        changed = config.model_copy(update={"seed": seed})
        return run_experiment(changed, run, console, data_root=data_root, interrupts=interrupts)

    return each_seed(directory, console, one, report=report)


def each_seed(
    directory: SeedsDirectory,
    console: Console,
    run_one: Callable[[int, RunDirectory], dict[str, Any]],
    *,
    report: Callable[[Path, Console], None] | None = None,
) -> dict[str, Any]:
    """Does something for each seed that gives a summary, and says what they say together.

    Args:
      directory: of the runs.
      console: where the closing tables are shown.
      run_one: called with each seed and the directory of its run.
      report: what writes a page about all of them at the end, from their directory; None for none.

    Returns:
      What `seeds.json` says; see `together`.

    Raises:
      InputError: one of them did; those that finished before are kept.
    """
    summaries: list[dict[str, Any]] = []
    for number, (seed, run) in enumerate(directory.runs.items(), start=1):
        console.print(f"\nseed {seed} ({number} of {len(directory.runs)})" if number > 1 else f"seed {seed}")
        try:
            with contextlib.closing(run):
                summaries.append(run_one(seed, run))
        except InputError as error:
            raise InputError("; ".join((str(error), *directory.kept_finished()))) from error
        directory.finished.append(seed)
        write_json(directory.path / SEEDS, together(summaries))
    result = together(summaries)
    if report is not None:
        report(directory.path, console)
    files = [name for name in (SEEDS, REPORT) if (directory.path / name).exists()]
    print_seeds(console, result, directory.path, [*files, *(run.path.name for run in directory.runs.values())])
    return result


def together(summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Puts together what `seeds.json` says.

    Args:
      summaries: of runs of one configuration that differ in their seeds only, at least one.

    Returns:
      `dataset`, `nodes`, `ticks`, `seeds`, `held_out_links`, `mixed_ways` (a clause if not all were computed in one
      way, else None), and in `tasks`, for each task: its `metric`; `num_repeats`; in `scores` the mean and sd of each
      embedding and its `values` for each seed; in `differences`, by name of a baseline, by how much what was learned
      exceeds it, as a `jdgnn.experiment.results.statistics.Difference`. Shares of 1, not percent.

    Example:
      >>> knn = {"accuracy": {"learned": {"values": [0.75, 0.75]}, "raw": {"values": [0.5, 0.5]}}}
      >>> run = {"dataset": "digits", "nodes": 1797, "ticks": 80, "seed": 0, "tasks": {"knn": knn}}
      >>> together([run, {**run, "seed": 1}])["tasks"]["knn"]["differences"]["raw"]["mean"]
      0.25
    """
    first = summaries[0]
    ticks = sorted({summary["ticks"] for summary in summaries})
    if len(ticks) > 1:
        raise InputError(
            f"seeds have run for {ticks[0]} and for {ticks[-1]} ticks; resume with --set emulation.ticks={ticks[-1]}"
        )
    return {
        **{key: first[key] for key in ("dataset", "nodes", "ticks")},
        "seeds": [summary["seed"] for summary in summaries],
        "held_out_links": first.get("held_out_links"),
        "mixed_ways": mixed((f"seed {summary['seed']}", summary.get("way")) for summary in summaries),
        "tasks": {task: _of_task(summaries, task) for task in scores.tasks_of(summaries)},
    }


def _of_task(summaries: Sequence[dict[str, Any]], task: str) -> dict[str, Any]:
    of_all = {name: scores.values_of(summaries, task, name) for name in scores.names_of(summaries, task)}
    learned, repeats = of_all["learned"], repeats_of(task)
    return {
        "metric": scores.metric_of(summaries[0], task),
        "num_repeats": learned.shape[1],
        "scores": {
            name: {**spread(values, repeats)._asdict(), "values": values.mean(axis=1).tolist()}
            for name, values in of_all.items()
        },
        "differences": {
            name: paired_difference(learned, values, repeats)._asdict()
            for name, values in of_all.items()
            if name != "learned"
        },
    }
