"""Starts and resumes runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from jdgnn.errors import InputError
from jdgnn.evaluation.tasks import HELD_OUT_FOR
from jdgnn.experiment.config.network_files import NETWORK_FILES, NODE_FILES, sums_of_files
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.results.read import Settings, differing, read_config, settings_of
from jdgnn.experiment.run.checkpoints import Checkpoints
from jdgnn.experiment.run.directory import CHECKPOINTS, REPORT, read_origin
from jdgnn.experiment.run.event_files import EventFiles
from jdgnn.experiment.run.loop import Setting, Stand, partial
from jdgnn.experiment.run.snapshots import ticks_due
from jdgnn.experiment.run.summary import versions
from jdgnn.experiment.run.ways import Computed, changed, cut_as, read_changes, read_computed, way_of
from jdgnn.protocol.replaying import Record

MOST_SECONDS = 1e12
CHANGEABLE = ("emulation.ticks", "emulation.backend", "checkpoints.", "snapshots.")
"""Keys, or how they begin, that may change when a run is resumed; the way that follows from `backend` may not."""
TASKS_KEY = "evaluation.tasks"
"""More tasks, or fewer, may evaluate what was learned, but for one that changes what nodes learn from."""
OF_THE_START = ("versions", "way")
"""What `run.json` says of the first tick; later changes of it have a list of their own."""


def fresh(setting: Setting) -> Stand:
    """Before the first tick."""
    computed = Computed(way_of(setting.emulator, setting.network), versions())
    return Stand(setting.emulator.init(jax.random.key(setting.config.seed), setting.network), computed)


def origin(config: Config, data_root: Path | None, files: EventFiles, stand: Stand) -> dict[str, Any]:
    """What `run.json` says: what is needed to resume a run, besides its configuration."""
    return {
        "data_root": data_root and str(data_root.absolute()),
        "recorded": files.record and str(files.record.absolute()),
        "replayed": files.replay and str(files.replay.absolute()),
        "traces": sums_of_files(config, NODE_FILES),
        "network_files": sums_of_files(config, NETWORK_FILES),
        "replayed_sums": files.replay and Record(files.replay).sums,
        "versions": stand.computed.versions,
        "way": stand.computed.way._asdict(),
        "changes": stand.changes,
    }


def check_files(config: Config, origin: Mapping[str, Any]) -> None:
    """Rejects traces, groups and files of the network that are no longer what they were."""
    for kind, keys in (("traces", NODE_FILES), ("network_files", NETWORK_FILES)):
        known = origin.get(kind)
        for path, one in sums_of_files(config, keys).items():
            if isinstance(known, dict) and known.get(path, one) != one:
                raise InputError(
                    f"--resume: {path} is not the file that the run began with; put that back, or start a new run"
                )


def begun(setting: Setting, config: str) -> Stand:
    """Where the newest checkpoint was, or before the first tick if there is none; nothing is changed.

    Args:
      setting: what is asked for.
      config: the configuration that is asked for, as TOML.

    Raises:
      InputError: another configuration is asked for than that of the run, or fewer ticks than it has done.
    """
    path, console = setting.directory.path, setting.console
    check_same(path, config, read_config(path))
    check_files(setting.config, read_origin(path))
    checkpoints = Checkpoints(path / CHECKPOINTS, setting.config.checkpoints)
    kept = checkpoints.newest(
        setting.emulator, setting.network, lambda text: console.print(f"warning: {text}", markup=False, soft_wrap=True)
    )
    if kept is None:
        console.print("no checkpoint: from the first tick")
        return fresh(setting)
    notes = checked_notes(path, kept.notes)
    check_same(path, config, notes["config"])
    computed, changes = _going_on(setting, notes, int(kept.state.tick))
    stand = Stand(
        kept.state,
        computed,
        earlier_seconds=notes["seconds"],
        seconds=notes["seconds"],
        resumed_at=[*notes["resumed_at"], int(kept.state.tick)],
        changes=changes,
    )
    asked = setting.config.emulation.ticks
    if stand.tick > asked:
        raise InputError(f"emulation.ticks: got {asked}, and {path} has done {stand.tick}; write more")
    stand.rows = setting.directory.metrics_until(stand.tick, setting.config.emulation.record_every, asked)
    console.print(f"from tick {stand.tick}")
    return stand


def _going_on(setting: Setting, notes: Mapping[str, Any], tick: int) -> tuple[Computed, list[dict[str, Any]]]:
    """How a resumed run is computed, and all that has changed of that since its first tick.

    Raises:
      InputError: it would be resumed in another way, which is not accepted.
    """
    now, before = Computed(way_of(setting.emulator, setting.network), versions()), read_computed(notes)
    changes = read_changes(notes.get("changes"))
    if before is None or tick >= setting.config.emulation.ticks:
        return now, changes
    now = now._replace(way=cut_as(before.way, now.way))
    new = changed(setting.directory.path, before, now, tick, is_accepted=setting.accepts_other_way)
    for difference in (difference for change in new for difference in change["differences"]):
        setting.console.print(f"warning: bits may differ from here on: {difference}", markup=False, soft_wrap=True)
    return now, [*changes, *new]


def take_up(setting: Setting, stand: Stand, config: str, origin: Mapping[str, Any]) -> None:
    """Puts the files of a run back to where it stands, with the configuration and the files that it now has."""
    directory = setting.directory
    with directory.writing("what the run resumes from", stand.tick):
        _put_back(setting, stand, config, origin)


def _put_back(setting: Setting, stand: Stand, config: str, origin: Mapping[str, Any]) -> None:
    directory = setting.directory
    directory.write_summary(partial(setting, stand))  # first, so that the run is no longer finished
    (directory.path / REPORT).unlink(missing_ok=True)
    directory.write_config(config)
    kept = OF_THE_START if stand.tick else ()
    moved = {key: value for key, value in origin.items() if key not in kept and value is not None}
    directory.write_origin({**read_origin(directory.path), **moved})
    directory.write_metrics(stand.rows, stand.tick)
    rows, stand.rows = stand.rows, []
    stand.add(rows)
    Checkpoints(directory.path / CHECKPOINTS, setting.config.checkpoints).tidy(stand.tick)
    directory.snapshots.keep(ticks_due(setting.config.snapshots, stand.tick))


def check_same(path: Path, asked: str, known: str) -> None:
    """Rejects another configuration, as TOML, than the `known` one of a run in `path`, and says what differs."""
    new, old = settings_of(path, asked), settings_of(path, known)
    changeable = CHANGEABLE if _holds_out(new) != _holds_out(old) else (*CHANGEABLE, TASKS_KEY)
    changed = [key for key in differing(new, old) if not key.startswith(changeable)]
    if changed:
        shown = "; ".join(f"{key} was {_shown(old, key)} and is {_shown(new, key)}" for key in changed)
        raise InputError(f"--resume: {path} has another configuration: {shown}. Leave it as it was, or start a new run")


def _holds_out(settings: Settings) -> bool:
    """Whether links are held out, so that nodes learn from the others alone."""
    return any(key.startswith(TASKS_KEY) and value == HELD_OUT_FOR for key, value in settings.items())


def _shown(settings: Settings, key: str) -> str:
    return repr(settings[key]) if key in settings else "not given"


def checked_notes(path: Path, notes: Any) -> Mapping[str, Any]:
    """The notes of a checkpoint that a run has written."""
    known = notes if isinstance(notes, dict) else {}
    seconds, resumed_at = known.get("seconds"), known.get("resumed_at")
    is_time = isinstance(seconds, int | float) and 0 <= seconds < MOST_SECONDS
    are_ticks = isinstance(resumed_at, list) and all(type(tick) is int and 0 <= tick < 2**31 for tick in resumed_at)
    if is_time and are_ticks and isinstance(known.get("config"), str):
        return known
    raise InputError(f"--resume: {path} has a checkpoint that jdgnn run has not written; remove it")
