"""The key figures of a run, as they stand in `summary.json`."""

import importlib.metadata
import platform
from typing import Any, NamedTuple

import jax
import numpy as np

import jdgnn
from jdgnn import Network, State
from jdgnn.emulation.collapse import COLLAPSED
from jdgnn.emulation.metrics import QUANTILES
from jdgnn.emulation.start import message_bytes
from jdgnn.experiment.config import Config
from jdgnn.experiment.emulating import Stand
from jdgnn.experiment.event_files import EventFiles
from jdgnn.protocol.accounts import KINDS, OUTCOMES

SPREAD = ("staleness", "age", "wakes")
"""What is told of all nodes by its quantiles over them."""

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
    config: Config,
    network: Network,
    stand: Stand,
    probe: dict[str, Any],
    seconds: Seconds,
    files: EventFiles,
) -> dict[str, Any]:
    """Puts together what `summary.json` says.

    Args:
      config: what was run.
      network: on which network.
      stand: all nodes after the last tick, and what was recorded.
      probe: for each metric and each of what was probed `mean`, `sd`, `width`, `num_splits` and the `values` on
        each split; empty if the network has no labels.
      seconds: what it took.
      files: where the events were recorded, or replayed from.

    Returns:
      Plain numbers, texts, lists and dicts.
    """
    last, state = stand.rows[-1], stand.state
    return {
        "finished": True,
        "dataset": network.name,
        "nodes": network.num_nodes,
        "directed_edges": network.num_edges,
        "features": network.num_features,
        "seed": config.seed,
        "ticks": last["tick"],
        "wall_seconds": round(seconds.wall, 3),
        **{f"{stage}_seconds": round(value, 3) for stage, value in seconds._asdict().items() if stage != "wall"},
        "probe": probe,
        "loss": last["loss"],
        "consensus_distance": last["consensus_distance"],
        "norm_ratio": last["norm_ratio"],
        "effective_rank": last["effective_rank"],
        "online": _mean(stand.rows, "online"),
        "active": _mean(stand.rows, "active"),
        "quantiles": {name: dict(zip(map(str, QUANTILES), last["quantiles"][name], strict=True)) for name in SPREAD},
        "wakes": int(np.asarray(state.wakes).sum(dtype=np.int64)),
        "messages": {kind: {outcome: last[f"messages_{outcome}"][kind] for outcome in ENDS} for kind in KINDS},
        "bytes_per_message": dict(zip(KINDS, message_bytes(state), strict=True)),
        "bytes_sent": last["bytes_sent"],
        "recorded": files.record and str(files.record),
        "replayed": files.replay and str(files.replay),
        "resumed_at": stand.resumed_at,
        "digest": jdgnn.digest(state),
        "warnings": _warnings(network, state, last),
        "versions": versions(),
        "accelerator": {"kind": jax.devices()[0].device_kind, "count": jax.device_count()},
    }


def versions() -> dict[str, str]:
    """Versions of what computed the run."""
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "jdgnn": jdgnn.__version__, **libraries}


def _mean(rows: list[dict[str, Any]], name: str) -> float | None:
    """Over the recorded ticks in which anybody had joined."""
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) / len(known) if known else None


def _warnings(network: Network, state: State, last: dict[str, Any]) -> dict[str, Any]:
    """Counts of what could make the figures mean less than they seem to; zero where all is well.

    At its first wake a node may have received nothing yet, so one wake of each without a step counts for nothing.
    """
    num_woken = int((np.asarray(state.embedded_at) >= 0).sum())
    return {
        "self_loops_removed": network.num_self_loops_removed,
        "duplicate_edges_merged": network.num_duplicates_merged,
        "isolated_nodes": int((network.in_degree == 0).sum()),
        "displaced_pushes": last["messages_displaced"]["push"],
        "displaced_models": last["messages_displaced"]["model"],
        "wakes_without_step": [max(0, count - num_woken) for count in last["num_idle"]],
        "collapsed_layers": sum(rank is not None and rank < COLLAPSED for rank in last["effective_rank"]),
        "never_awake": network.num_nodes - num_woken,
        "excess_pushes": last["num_excess"]["push"],
        "excess_models": last["num_excess"]["model"],
        "unplaced_models": last["num_unplaced"],
        "crowded_ticks": last["num_crowded"],
    }
