"""The ticks of one experiment: shown, measured, saved now and then, and ended when they have diverged."""

import contextlib
import json
import time
import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from jdgnn.emulation.node_table import node_table
from jdgnn.emulation.run import Progress, RemarkWarning, compile_ahead, run
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.run.checkpoints import Checkpoints
from jdgnn.experiment.run.directory import CHECKPOINTS, RunDirectory
from jdgnn.experiment.run.divergence import check_finite
from jdgnn.experiment.run.evaluate import Evaluation, Scores, next_to_best, together, values_of
from jdgnn.experiment.run.event_files import EventFiles
from jdgnn.experiment.run.interrupts import Interrupts
from jdgnn.experiment.run.progress import Display, display
from jdgnn.experiment.run.snapshots import nodes_kept, packed, ticks_due
from jdgnn.experiment.run.tensorboard import score_tags
from jdgnn.experiment.run.ways import Computed
from jdgnn.network.network import Network

FIGURES = ("age", "wakes", "staleness", "distance")
"""Of each node, in snapshots; see `jdgnn.node_table`."""


class Setting(NamedTuple):
    """The setting of a run."""

    config: Config
    emulator: Emulator
    network: Network
    evaluation: Evaluation
    directory: RunDirectory
    console: Console
    interrupts: Interrupts
    files: EventFiles
    accepts_other_way: bool = False  # a resumed run may be computed in another way


@dataclass
class Stand:
    """How far a run is.

    Attributes:
      state: all nodes.
      computed: in which way, and by which versions, ticks are computed.
      rows: what was recorded and is not on disk yet, and the last row that is.
      earlier_seconds: wall time of the ticks before the run was resumed.
      seconds: wall time of all ticks.
      compile_seconds: wall time before the first, since it was resumed.
      snapshot_seconds: wall time of snapshots, since it was resumed.
      resumed_at: ticks at which it was.
      changes: what has changed of the way and the versions since the first tick.
    """

    state: State
    computed: Computed
    rows: list[dict[str, Any]] = field(default_factory=list)
    earlier_seconds: float = 0.0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    snapshot_seconds: float = 0.0
    resumed_at: list[int] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Takes in rows that are on disk; a run of days would not have memory for all that stands in them."""
        self.rows = (self.rows + rows)[-1:]

    @property
    def tick(self) -> int:
        """Ticks done."""
        return int(self.state.tick)


def emulate(setting: Setting, stand: Stand, config: str, baselines: Scores) -> Stand:
    """Runs the ticks that are left.

    Args:
      setting: what to run.
      stand: where it stands; its state is consumed.
      config: the configuration as it is written, to be noted in checkpoints.
      baselines: what took no training, to be shown next to what is learned.

    Returns:
      Where it stands at the end.

    Raises:
      InputError: the run diverged.
      OSError: metrics or a checkpoint could not be written.
      Interrupted: it was asked to end, and has saved what there is.
    """
    left = setting.config.emulation.ticks - stand.tick
    if left <= 0:
        return stand
    with contextlib.ExitStack() as computing:
        with display(setting.console, left) as shown, warnings.catch_warnings():
            warnings.simplefilter("ignore", RemarkWarning)  # the runner has told them
            watch = _Watch(setting, stand, config, shown, baselines)
            started = time.perf_counter()
            stand.state = compile_ahead(setting.emulator, stand.state, setting.network, replay=setting.files.replay)
            compiled = time.perf_counter()
            setting.interrupts.check()
            computing.enter_context(setting.interrupts.deferred())  # from here on there is something to lose
            stand.state, history = run(
                setting.emulator,
                stand.state,
                setting.network,
                left,
                record_every=setting.config.emulation.record_every,
                on_progress=watch.look,
                progress_every=setting.config.checkpoints.ticks,
                progress_at=watch.snapshots_due,
                record=setting.files.record,
                replay=setting.files.replay,
                accept_other_way=True,  # or it would have been rejected before
            )
        stand.seconds = stand.earlier_seconds + history.seconds
        stand.compile_seconds = compiled - started + history.compile_seconds
        if setting.config.checkpoints.at_end or setting.interrupts.is_asked:
            watch.save()
        with setting.directory.writing("the summary", stand.tick):
            setting.directory.write_summary(partial(setting, stand))  # until all is evaluated
        setting.interrupts.check()
    return stand


class _Watch:
    """Looks at a run now and then."""

    def __init__(self, setting: Setting, stand: Stand, config: str, shown: Display, baselines: Scores) -> None:
        self._setting, self._stand, self._config, self._shown = setting, stand, config, shown
        self._baselines = baselines
        self._checkpoints = Checkpoints(setting.directory.path / CHECKPOINTS, setting.config.checkpoints)
        self.snapshots_due = set(ticks_due(setting.config.snapshots, setting.config.emulation.ticks))

    def look(self, progress: Progress) -> None:
        """Writes down and shows what is new; saves if that is due; ends the run if it should."""
        setting, stand = self._setting, self._stand
        with setting.directory.writing("metrics", progress.tick):
            setting.directory.add_metrics(progress.rows)
        stand.add(progress.rows)
        is_asked, is_last = setting.interrupts.is_asked, progress.tick == progress.end_tick
        is_due = is_asked or self._checkpoints.is_due(progress.tick)
        check_finite(progress, setting.directory.path, setting.network, thoroughly=is_due or is_last)
        stand.state = progress.state
        stand.seconds = stand.earlier_seconds + (progress.tick - progress.start_tick) / progress.ticks_per_second
        if progress.tick in self.snapshots_due:
            self.snapshot()
        if is_due and (is_asked or not is_last):
            self.save()
        if is_asked:
            with setting.directory.writing("the summary", progress.tick):
                setting.directory.write_summary(partial(setting, stand))
            setting.interrupts.check()
        self._shown.show(progress)

    def snapshot(self) -> None:
        """Keeps what nodes hold, and how it was evaluated.

        Raises:
          OSError: it cannot be written.
        """
        setting, stand, started = self._setting, self._stand, time.perf_counter()
        table, network = setting.config.snapshots, setting.network
        embeddings = setting.emulator.embeddings(stand.state)
        nodes = nodes_kept(network.num_nodes, table.nodes)
        figures = node_table(stand.state, network)
        arrays = packed(embeddings, nodes) | {name: figures[name][nodes] for name in FIGURES}
        scores: Scores = {}
        if table.num_splits and setting.evaluation.tasks:
            scores = setting.evaluation.learned(embeddings, most=table.num_splits)
            self._shown.evaluated(stand.tick, next_to_best(scores, self._baselines))
        arrays["scores"] = np.array(json.dumps(values_of(scores)))
        with setting.directory.writing("a snapshot", stand.tick):
            setting.directory.snapshots.write(stand.tick, arrays)
            setting.directory.add_scores(stand.tick, score_tags(values_of(together(scores, self._baselines))))
        stand.snapshot_seconds += time.perf_counter() - started

    def save(self) -> None:
        """Writes a checkpoint, from which `resume.take_up` resumes.

        Raises:
          OSError: it cannot be written; those before it are whole.
        """
        setting, stand = self._setting, self._stand
        with setting.directory.writing("a checkpoint", stand.tick):
            setting.directory.sync_metrics()
            notes = {
                "config": self._config,
                "seconds": stand.seconds,
                "resumed_at": stand.resumed_at,
                "way": stand.computed.way._asdict(),
                "versions": stand.computed.versions,
                "changes": stand.changes,
            }
            self._checkpoints.save(setting.emulator, stand.state, setting.network, notes)


def partial(setting: Setting, stand: Stand) -> dict[str, Any]:
    """What `summary.json` says of a run that was ended before its last tick."""
    return {
        "finished": False,
        "dataset": setting.network.name,
        "seed": setting.config.seed,
        "ticks": stand.tick,
        "ticks_asked_for": setting.config.emulation.ticks,
        "emulate_seconds": round(stand.seconds, 3),
        "way": stand.computed.way._asdict(),
        "last_record": stand.rows[-1] if stand.rows else None,
    }
