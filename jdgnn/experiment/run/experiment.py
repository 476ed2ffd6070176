"""One experiment, from its configuration to its run directory."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from jdgnn.emulation.node_table import node_table
from jdgnn.emulation.run import remarks
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.experiment.config.defaults import completed
from jdgnn.experiment.config.schema import Config, RecipeConfig, as_toml
from jdgnn.experiment.results.tables import print_result
from jdgnn.experiment.run.directory import EMBEDDINGS, NETWORK, NODES, RunDirectory
from jdgnn.experiment.run.evaluate import Scores, evaluation_notes, numbers_of, prepared_evaluation, result_of, together
from jdgnn.experiment.run.event_files import NO_EVENT_FILES, EventFiles
from jdgnn.experiment.run.horizons import horizon_remark
from jdgnn.experiment.run.interrupts import Interrupts
from jdgnn.experiment.run.loop import Setting, Stand, emulate
from jdgnn.experiment.run.memory import check_run_fits
from jdgnn.experiment.run.network_picture import picture_of
from jdgnn.experiment.run.preparing import PREPARING, Preparing
from jdgnn.experiment.run.progress import stage
from jdgnn.experiment.run.resume import begun, fresh, origin, take_up
from jdgnn.experiment.run.summary import Seconds, summarise
from jdgnn.experiment.run.ways import replayed_otherwise, tell_missing
from jdgnn.network.network import Network


def run_experiment(
    config: Config,
    directory: RunDirectory,
    console: Console,
    *,
    data_root: Path | None = None,
    files: EventFiles = NO_EVENT_FILES,
    interrupts: Interrupts | None = None,
    resume: bool = False,
    first: Config | None = None,
    report: Callable[[Path, Console], None] | None = None,
    preparing: Preparing = PREPARING,
    accepts_other_way: bool = False,
    cores: int | None = None,
) -> dict[str, Any]:
    """Emulates, evaluates and writes what came of it.

    Everything is checked, the network loaded and the baselines evaluated before the directory is made, or changed.

    Args:
      config: what to do.
      directory: where the files go; to resume, one that is open.
      console: where progress and the closing table are shown.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.
      files: where the events are recorded, or replayed from.
      interrupts: asked before the directory is made and about twice a second while the nodes run; if it says so, the
        run is saved and ends.
      resume: whether to resume from the newest checkpoint in the directory.
      first: what the run, or the first of its seeds, began with; its rate schedule stays.
      report: what writes a page about the run at the end, from its directory; None for none.
      preparing: what loads the network and evaluates embeddings, for runs that share some of it.
      accepts_other_way: whether a resumed or replayed run may be computed in another way than before.
      cores: for how many cores compiled kernels cut the work of a run that begins; those of the process if None.

    Returns:
      The summary, as written to `summary.json`.

    Raises:
      InputError: an argument is invalid, or the run diverged.
    """
    if not resume:
        directory.check()
    files.check(directory.path)
    started = time.perf_counter()
    if not isinstance(config, RecipeConfig):
        make_emulator(config)
    with stage(console, f"loading {config.network.name}"):
        network, has_own_splits, held_out = preparing.load(config, data_root)
    console.print(str(network), highlight=False, soft_wrap=True)
    config = completed(config, network.num_features, first)
    emulator = dataclasses.replace(make_emulator(config), cores=cores)
    check_run_fits(emulator, network)
    evaluation = prepared_evaluation(config, network, held_out, None, preparing.evaluate)
    for remark in remarks(emulator, config.emulation.ticks) if files.replay is None else ():
        console.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)
    for note in evaluation_notes(evaluation):
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    interrupts = interrupts or Interrupts()
    setting = Setting(config, emulator, network, evaluation, directory, console, interrupts, files, accepts_other_way)
    text = files.remark + as_toml(config, has_own_splits=has_own_splits)
    stand = _where_it_begins(setting, text, is_resumed=resume)
    evaluation = prepared_evaluation(config, network, held_out, stand.state.role, preparing.evaluate)
    emulator = dataclasses.replace(emulator, cores=stand.computed.way.cores)
    setting = setting._replace(evaluation=evaluation, emulator=emulator)
    loaded = time.perf_counter()
    baselines = _baselines(setting, stand.state.params if not resume else None)
    compared = time.perf_counter()
    setting.interrupts.check()
    if resume:
        take_up(setting, stand, text, origin(config, data_root, files, stand))
    else:
        directory.create(text, origin(config, data_root, files, stand))
        files.clear()
    with directory.writing("the network", stand.tick):
        directory.write_arrays(NETWORK, picture_of(network))
    stand = emulate(setting, stand, text, baselines)
    embeddings = emulator.embeddings(stand.state)
    emulated = time.perf_counter()
    scores = together(_learned(setting, embeddings), baselines)
    finished = time.perf_counter()
    evaluated = compared - loaded + finished - emulated
    seconds = _seconds(stand, wall=finished - started, load=loaded - started, evaluate=evaluated)
    summary = _written(setting, stand, embeddings, numbers_of(scores), seconds)
    if report is not None:
        report(directory.path, console)
    directory.close()
    print_result(console, summary, directory.path, directory.files())
    return summary


def _seconds(stand: Stand, *, wall: float, load: float, evaluate: float) -> Seconds:
    return Seconds(
        wall=wall + stand.earlier_seconds,
        load=load,
        compile=stand.compile_seconds,
        emulate=stand.seconds,
        evaluate=evaluate + stand.snapshot_seconds,
    )


def _where_it_begins(setting: Setting, text: str, *, is_resumed: bool) -> Stand:
    """The state to begin with; says what the first ticks should not be without a word about."""
    config, emulator, console = setting.config, setting.emulator, setting.console
    tell_missing(emulator.backend, console)
    stand = begun(setting, text) if is_resumed else fresh(setting)
    if remark := horizon_remark(config, emulator, is_resumed=is_resumed):
        console.print(f"note: {remark}", highlight=False, soft_wrap=True, markup=False)
    left = config.emulation.ticks - stand.tick
    other = setting.files.check_fit(emulator, setting.network, stand.state, left)
    if not stand.tick:  # a resumed run was asked when it began
        stand.changes += replayed_otherwise(other, is_accepted=setting.accepts_other_way)
    return stand


def _baselines(setting: Setting, params: Any) -> Scores:
    """Evaluates what took no training; `params` are those at the start, if they are still there."""
    config, emulator, network, evaluation = setting.config, setting.emulator, setting.network, setting.evaluation
    if not evaluation.tasks:
        return {}
    with stage(setting.console, "evaluating baselines"):
        params = emulator.init(jax.random.key(config.seed), network).params if params is None else params
        return evaluation.baselines(emulator.encode(params, network), config.seed)


def _learned(setting: Setting, embeddings: NDArray[Any]) -> Scores:
    """Evaluates what was learned."""
    if not setting.evaluation.tasks:
        return {}
    with stage(setting.console, "evaluating embeddings"):
        return setting.evaluation.learned(embeddings)


def _written(
    setting: Setting, stand: Stand, embeddings: NDArray[Any], tasks: dict[str, Any], seconds: Seconds
) -> dict[str, Any]:
    """Writes what came of a run, and gives its summary."""
    config, emulator, network, directory = setting.config, setting.emulator, setting.network, setting.directory
    nodes = node_table(stand.state, network)
    summary = summarise(setting, stand, nodes, tasks, seconds)
    with directory.writing("results", stand.tick):
        directory.write_arrays(EMBEDDINGS, _arrays(emulator, result_of(config, embeddings, network), network))
        directory.write_arrays(NODES, nodes)
        directory.write_summary(summary)
    return summary


def make_emulator(config: Config) -> Emulator:
    """Puts the parts of a configuration together.

    Raises:
      InputError: the parts do not go together.
    """
    objective = config.objective.make()
    if not config.push.enabled and not objective.is_defined(jnp.ones(1, bool), jnp.zeros(0, bool)):
        raise InputError(
            f"push.enabled: got false, and the objective {config.objective.name} learns nothing without the samples "
            "that are pushed; write true, or another objective"
        )
    return Emulator(
        layers=[layer.make() for layer in config.layers],
        objective=objective,
        optimizer=config.optimizer.make(),
        push=config.push.make() if config.push.enabled else None,
        gossip=config.gossip.make() if config.gossip.enabled else None,
        publish=config.publish.make(),
        availability=config.availability.make(),
        attackers=None if config.attackers is None else config.attackers.make(),
        num_positives=config.emulation.num_positives,
        initial=config.emulation.initial,
        active_fraction=config.emulation.active_fraction,
        param_dtype=config.emulation.param_dtype,
        backend=config.emulation.backend,
    )


def _arrays(emulator: Emulator, embeddings: np.ndarray, network: Network) -> dict[str, np.ndarray]:
    arrays = {"embeddings": embeddings, "layer_widths": np.array(emulator.units(network.num_features))}
    if network.labels is not None:
        arrays["labels"] = network.labels
    names = {"class_names": network.class_names, "node_names": network.node_names}
    return arrays | {field: np.array(texts) for field, texts in names.items() if texts}
