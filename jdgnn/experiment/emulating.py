"""The ticks of one experiment: shown, measured, saved now and then, and ended where they make no sense any more."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.console import Console

import jdgnn
from jdgnn import Emulator, Network, State
from jdgnn.experiment.checkpoints import Checkpoints
from jdgnn.experiment.config import Config
from jdgnn.experiment.event_files import EventFiles
from jdgnn.experiment.interrupts import Interrupts
from jdgnn.experiment.progress import display
from jdgnn.experiment.run_directory import CHECKPOINTS, RunDirectory
from jdgnn.experiment.soundness import check_finite


class Setting(NamedTuple):
    """What a run goes on in."""

    config: Config
    emulator: Emulator
    network: Network
    directory: RunDirectory
    console: Console
    interrupts: Interrupts
    files: EventFiles

    @property
    def checkpoints(self) -> Checkpoints:
        """Those of the run, of which none is due yet."""
        return Checkpoints(self.directory.path / CHECKPOINTS, self.config.checkpoints)


@dataclass
class Stand:
    """How far a run is.

    Attributes:
      state: all nodes.
      rows: what was recorded, from the first tick on.
      metrics_size: bytes of the metrics that are on disk.
      earlier_seconds: wall time of the ticks before the run was resumed.
      seconds: wall time of all ticks.
      compile_seconds: wall time before the first, since it was resumed.
      resumed_at: ticks at which it was.
    """

    state: State
    rows: list[dict[str, Any]] = field(default_factory=list)
    metrics_size: int = 0
    earlier_seconds: float = 0.0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    resumed_at: list[int] = field(default_factory=list)

    @property
    def tick(self) -> int:
        """Ticks done."""
        return int(self.state.tick)


def emulate(setting: Setting, stand: Stand, config: str) -> Stand:
    """Runs the ticks that are left.

    Args:
      setting: what to run.
      stand: where it stands; its state is consumed.
      config: the configuration as it is written, to be noted in checkpoints.

    Returns:
      Where it stands at the end.

    Raises:
      InputError: the run diverged.
      Interrupted: it was asked to end, and has saved what there is.
    """
    table, saved = setting.config.emulation, setting.config.checkpoints
    left = table.ticks - stand.tick
    checkpoints = setting.checkpoints
    if left > 0:
        with setting.interrupts.deferred(), display(setting.console, left) as shown:

            def on_progress(progress: jdgnn.Progress) -> None:
                stand.rows += progress.rows
                setting.directory.add_metrics(progress.rows)
                shown.show(progress)
                check_finite(progress, setting.directory.path)
                stand.state = progress.state
                stand.seconds = (
                    stand.earlier_seconds + (progress.tick - progress.start_tick) / progress.ticks_per_second
                )
                is_last = progress.tick == progress.end_tick
                if setting.interrupts.is_asked:
                    save(setting, stand, config, checkpoints)
                    setting.directory.write_summary(partial(setting, stand))
                    setting.interrupts.check()
                if checkpoints.is_due(progress.tick) and not is_last:
                    save(setting, stand, config, checkpoints)

            stand.state, history = jdgnn.run(
                setting.emulator,
                stand.state,
                setting.network,
                left,
                record_every=table.record_every,
                on_progress=on_progress,
                progress_every=saved.ticks,
                record=setting.files.record,
                replay=setting.files.replay,
            )
        stand.seconds, stand.compile_seconds = stand.earlier_seconds + history.seconds, history.compile_seconds
        if saved.at_end:
            save(setting, stand, config, checkpoints)
    return stand


def save(setting: Setting, stand: Stand, config: str, checkpoints: Checkpoints) -> None:
    """Writes a checkpoint, from which `take_up` goes on.

    Raises:
      OSError: it cannot be written; those before it are whole.
    """
    try:
        notes = {
            "config": config,
            "metrics_size": setting.directory.metrics_size(),
            "seconds": stand.seconds,
            "resumed_at": stand.resumed_at,
        }
        checkpoints.save(setting.emulator, stand.state, setting.network, notes)
    except OSError as error:
        path, reason = setting.directory.path, error.strerror or error
        raise OSError(
            f"no checkpoint could be written at tick {stand.tick} in {path} ({reason}); earlier ones are whole: mend "
            f"that, then jdgnn run --resume {path}"
        ) from error


def partial(setting: Setting, stand: Stand) -> dict[str, Any]:
    """What `summary.json` says of a run that was ended before its last tick."""
    return {
        "finished": False,
        "dataset": setting.network.name,
        "seed": setting.config.seed,
        "ticks": stand.tick,
        "ticks_asked_for": setting.config.emulation.ticks,
        "emulate_seconds": round(stand.seconds, 3),
        "last_record": stand.rows[-1] if stand.rows else None,
    }
