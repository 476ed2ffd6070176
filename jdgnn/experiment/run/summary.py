"""The key figures of a run, as they stand in `summary.json`."""

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.backend.way import missing
from jdgnn.emulation.checkpoint import digest
from jdgnn.emulation.collapse import COLLAPSED
from jdgnn.emulation.memory import state_bytes
from jdgnn.emulation.metrics import QUANTILES
from jdgnn.emulation.roofline import ceiling, roofline_bytes
from jdgnn.emulation.run import remarks
from jdgnn.emulation.start import message_bytes, tree_bytes
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.experiment.config.networks import FILES
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.results.metrics_rows import SPREAD
from jdgnn.experiment.run.available_memory import peak_bytes
from jdgnn.experiment.run.evaluate import HELD_OUT_SHARE
from jdgnn.experiment.run.horizons import horizon_of_run
from jdgnn.experiment.run.loop import Setting, Stand
from jdgnn.experiment.run.without_effect import without_effect
from jdgnn.network.network import Network
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole
from jdgnn.protocol.roles import ATTACKER
from jdgnn.version import __version__

UNLIKE = 30.0
"""Features whose standard deviations differ by more are of different units, most likely."""

VANISHED = 0.1
"""A model whose norm is below so much of what it was at the start has vanished, as averages of unlike models do."""

ENDS = (*OUTCOMES, "in_flight")
LIBRARIES = ("jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn")


class Seconds(NamedTuple):
    """Wall time of a run and of its stages."""

    wall: float
    load: float
    compile: float
    emulate: float
    evaluate: float


def summarise(
    setting: Setting, stand: Stand, nodes: Mapping[str, NDArray[Any]], tasks: dict[str, Any], seconds: Seconds
) -> dict[str, Any]:
    """Puts together what `summary.json` says.

    Args:
      setting: what was run, on which network.
      stand: all nodes after the last tick, and what was recorded.
      nodes: the table of nodes, as `jdgnn.node_table` gives it.
      tasks: for each task, metric and evaluated embedding `mean`, `sd`, `width` and the `values` of each repeat.
      seconds: what it took.

    Returns:
      Plain numbers, texts, lists and dicts.
    """
    config, emulator, network, files = setting.config, setting.emulator, setting.network, setting.files
    held_out = setting.evaluation.held_out
    last, state = stand.rows[-1], stand.state
    return {
        "finished": True,
        "dataset": network.name,
        "nodes": network.num_nodes,
        "attackers": 0 if state.role is None else int((np.asarray(state.role) == ATTACKER).sum()),
        "directed_edges": network.num_edges,
        "features": network.num_features,
        "feature_names": list(network.feature_names),
        "network_notes": list(network.notes),
        "seed": config.seed,
        "ticks": last["tick"],
        "wall_seconds": round(seconds.wall, 3),
        **{f"{stage}_seconds": round(value, 3) for stage, value in seconds._asdict().items() if stage != "wall"},
        "tasks": tasks,
        "tasks_left_out": setting.evaluation.left_out,
        "held_out_links": None if held_out is None else {"share": HELD_OUT_SHARE, "pairs": len(held_out.linked)},
        "loss": last["loss"],
        "consensus_distance": last["consensus_distance"],
        "norm_ratio": last["norm_ratio"],
        "effective_rank": last["effective_rank"],
        **_presence(state),
        "quantiles": {name: dict(zip(map(str, QUANTILES), last["quantiles"][name], strict=True)) for name in SPREAD},
        "horizon": horizon_of_run(config, state),
        "wakes": int(np.asarray(state.wakes).sum(dtype=np.int64)),
        "messages": {kind: {outcome: last[f"messages_{outcome}"][kind] for outcome in ENDS} for kind in KINDS},
        "bytes_per_message": dict(zip(KINDS, message_bytes(state), strict=True)),
        "bytes_sent": last["bytes_sent"],
        "recorded": files.record and str(files.record),
        "replayed": files.replay and str(files.replay),
        "resumed_at": stand.resumed_at,
        "digest": digest(state),
        "memory": {**state_bytes(state), "peak": peak_bytes()},
        "speed": _speed(emulator, network, stand),
        "without_effect": without_effect(config, emulator, state, last),
        "warnings": {
            **_warnings(config, setting.evaluation.network, state, nodes, last),
            "missing_kernels": missing(emulator.backend),
            "changes": stand.changes,
        },
        "remarks": [] if files.replay else remarks(emulator, last["tick"]),
        "way": stand.computed.way._asdict(),
        "versions": stand.computed.versions,
        "accelerator": {"kind": jax.devices()[0].device_kind, "count": jax.device_count()},
    }


def _speed(emulator: Emulator, network: Network, stand: Stand) -> dict[str, Any]:
    """Rates, and the share of what memory can move that was reached: over all ticks, measurements among them."""
    needed, state = roofline_bytes(emulator, stand.state, network), stand.state
    speed, seconds = ceiling(tree_bytes((state.params, state.opt_state))), stand.seconds
    wakes = int(np.asarray(state.wakes).sum(dtype=np.int64))
    return {
        "ticks_per_second": int(state.tick) / seconds if seconds else None,
        "wakes_per_second": wakes / seconds if seconds else None,
        "roofline_bytes": needed,
        "ceiling_bytes_per_second": speed,
        "roofline_fraction": sum(needed.values()) / speed / seconds if seconds else None,
    }


def versions() -> dict[str, str]:
    """Versions of what computed the run."""
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "jdgnn": __version__, **libraries}


def _presence(state: State) -> dict[str, float | None]:
    """Shares of all ticks of nodes that had joined in which they were online, and awake; None if nobody ever had."""
    all_of_them = state.num_nodes * int(state.tick)
    joined, online = (all_of_them,) * 2 if state.attendance is None else whole(np.asarray(state.attendance)).tolist()
    wakes = int(np.asarray(state.wakes).sum(dtype=np.int64))
    return {"online": online / joined, "active": wakes / joined} if joined else {"online": None, "active": None}


def _num_untested(network: Network) -> int:
    """Classes of which no split has a node for the test."""
    if network.labels is None or network.splits is None:
        return 0
    tested = network.labels[np.asarray(network.splits.test).any(axis=0)]
    return len(np.setdiff1d(network.labels[network.labels >= 0], tested)) if len(tested) else 0


def _unlike(network: Network) -> list[float]:
    """The least and the greatest standard deviation of features that measure anything, if they are far apart."""
    sds = network.features.std(axis=0, dtype=np.float64)
    sds = sds[sds > 0]
    low, high = float(sds.min(initial=np.inf)), float(sds.max(initial=0.0))
    return [low, high] if high > UNLIKE * low else []


def _warnings(
    config: Config, network: Network, state: State, nodes: Mapping[str, NDArray[Any]], last: dict[str, Any]
) -> dict[str, Any]:
    """Counts of what could make the figures mean less than they seem to; zero where all is well.

    At its first wake a node may have received nothing yet, so one wake of each without a step counts for nothing.
    """
    has_woken = nodes["embedded_at"] >= 0
    num_woken = int(has_woken.sum())
    enabled = {"embedding": True, "push": config.push.enabled, "model": config.gossip.enabled}
    return {
        "self_loops_removed": network.num_self_loops_removed,
        "duplicate_edges_merged": network.num_duplicates_merged,
        "isolated_nodes": int((network.in_degree == 0).sum()),
        "evicted_pushes": last["messages_evicted"]["push"],
        "evicted_models": last["messages_evicted"]["model"],
        "undelivered_kinds": [kind for kind in KINDS if enabled[kind] and not last["messages_delivered"][kind]],
        "wakes_without_step": [max(0, count - num_woken) for count in last["num_idle"]],
        "never_trained": (has_woken[:, None] & (nodes["num_steps"] == 0)).sum(axis=0).tolist(),
        "collapsed_layers": sum(rank is not None and rank < COLLAPSED for rank in last["effective_rank"]),
        "zero_embeddings": int((has_woken & ~np.asarray(state.embeddings[-1]).any(axis=1)).sum()),
        "vanished_models": int((nodes["norm_ratio"] < VANISHED).sum()),
        "never_awake": network.num_nodes - num_woken,
        "excess_pushes": last["num_excess"]["push"],
        "excess_models": last["num_excess"]["model"],
        "unplaced_models": last["num_unplaced"],
        "crowded_ticks": last["num_crowded"],
        "untested_classes": _num_untested(network),
        "unlike_features": _unlike(network) if config.network.name == FILES else [],
    }
