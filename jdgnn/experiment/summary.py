"""The key figures of a run, as they stand in `summary.json`."""

import importlib.metadata
import platform
from typing import Any, NamedTuple

import jax

import jdgnn
from jdgnn import History, Network
from jdgnn.experiment.config import Config
from jdgnn.protocol.accounts import KINDS, OUTCOMES

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn")


class Seconds(NamedTuple):
    """Wall time of a run and of its stages."""

    wall: float
    load: float
    compile: float
    emulate: float
    evaluate: float


def summarise(
    config: Config, network: Network, history: History, probe: dict[str, Any], seconds: Seconds
) -> dict[str, Any]:
    """Puts together what `summary.json` says.

    Args:
      config: what was run.
      network: on which network.
      history: what was measured.
      probe: for each metric and each of what was probed `mean`, `sd`, `width` and `num_splits`; empty if the
        network has no labels.
      seconds: what it took.

    Returns:
      Plain numbers, texts, lists and dicts.
    """
    last = history.rows()[-1]
    return {
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
        "messages": {kind: {outcome: last[f"messages_{outcome}"][kind] for outcome in OUTCOMES} for kind in KINDS},
        "bytes_sent": last["bytes_sent"],
        "warnings": _warnings(network, last),
        "versions": versions(),
        "accelerator": {"kind": jax.devices()[0].device_kind, "count": jax.device_count()},
    }


def versions() -> dict[str, str]:
    """Versions of what computed the run."""
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "jdgnn": jdgnn.__version__, **libraries}


def _warnings(network: Network, last: dict[str, Any]) -> dict[str, Any]:
    """Counts of what could make the figures mean less than they seem to; zero where all is well.

    In the first tick nobody has received anything, so a wake without a step there counts for nothing.
    """
    return {
        "self_loops_removed": network.num_self_loops_removed,
        "duplicate_edges_merged": network.num_duplicates_merged,
        "isolated_nodes": int((network.in_degree == 0).sum()),
        "displaced_pushes": last["messages_displaced"]["push"],
        "displaced_models": last["messages_displaced"]["model"],
        "wakes_without_step": [max(0, count - network.num_nodes) for count in last["num_idle"]],
    }
