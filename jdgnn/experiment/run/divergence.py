"""Whether the numbers of a run still make sense.

Axes: N nodes, F' units of a layer.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.run import Progress
from jdgnn.emulation.state import State
from jdgnn.errors import InputError
from jdgnn.network.network import Network
from jdgnn.network.overflow import too_large

SHOWN = 5
"""So many nodes are named."""


def check_finite(progress: Progress, directory: Path, network: Network, *, thoroughly: bool = False) -> None:
    """Ends a run in which something is no finite number any more.

    Embeddings are looked at after every chunk, losses and parameters at recorded ticks, and all that a checkpoint holds
    before it is written; a parameter that is not finite shows in its node's embeddings at its next wake.

    Args:
      progress: where the run stands.
      directory: of the run.
      network: its network; features that are too large to be squared are named.
      thoroughly: whether to look at all of the state.

    Raises:
      InputError: says in which layer, by which tick, and at how many nodes and which.
    """
    state = progress.state
    looked_at = _numbers(state if thoroughly else state.embeddings)
    if progress.tick_diverged is None and bool(_all_finite(list(looked_at.values()))):
        return
    tick = progress.tick if progress.tick_diverged is None else progress.tick_diverged
    where = "; ".join(_lost(state) or _too_large(state) or _losses_lost(progress))
    reason = too_large(network, state.embeddings[0].dtype, squared=True)
    cause = (
        "Usually optimizer.learning_rate is too large; try a smaller one"
        if reason is None
        else f"Of the features, {reason}: scale them (network.scale = true)"
    )
    raise InputError(
        f"the run has diverged by tick {tick}, as not all numbers are finite: {where}. {cause} (what was recorded, and "
        f"the last checkpoint before, are in {directory})"
    )


def _too_large(state: State) -> list[str]:
    """A clause for each layer with finite parameters or embeddings whose squares are not."""
    clauses = []
    for layer, (params, embeddings) in enumerate(zip(state.params, state.embeddings, strict=True)):
        for what, part in (("parameters", params), ("embeddings", embeddings)):
            nodes = np.flatnonzero(_nodes_lost(jax.tree.map(_sum_of_squares, part)))
            if len(nodes):
                clauses.append(f"layer {layer} has {what} whose squares are not at {_named(nodes)}")
    return clauses


def _sum_of_squares(leaf: jax.Array) -> NDArray[np.floating]:
    dtype = np.float64 if leaf.dtype == np.float64 else np.float32  # bfloat16 is for keeping
    with np.errstate(over="ignore"):
        return np.square(np.asarray(leaf, dtype).reshape(len(leaf), -1)).sum(axis=1)


def _losses_lost(progress: Progress) -> list[str]:
    """A clause about the layers whose losses are not finite, while all of the state is."""
    rows = [row for row in progress.rows if row["tick"] == progress.tick_diverged]
    layers = sorted({layer for row in rows for layer, loss in enumerate(row["loss"]) if not _is_finite(loss)})
    whose = f" of layer {', '.join(map(str, layers))}" if layers else ""
    return [f"losses{whose} are not, while parameters and embeddings are (jdgnn.debug_run tells at which nodes)"]


def _is_finite(loss: float | None) -> bool:
    return loss is not None and bool(np.isfinite(loss))


def _named(nodes: NDArray[np.intp]) -> str:
    names = ", ".join(map(str, nodes[:SHOWN].tolist())) + (", ..." if len(nodes) > SHOWN else "")
    return f"{len(nodes)} nodes ({names})"


def _lost(state: State) -> list[str]:
    """A clause for each layer that has parameters or embeddings that are not finite, or for what else is not."""
    clauses = []
    for layer, (params, embeddings) in enumerate(zip(state.params, state.embeddings, strict=True)):
        for what, part in (("parameters", params), ("embeddings", embeddings)):
            nodes = np.flatnonzero(_nodes_lost(part))
            if len(nodes):
                clauses.append(f"layer {layer} has {what} that are not at {_named(nodes)}")
    others = [name for name, leaf in _numbers(state).items() if not np.isfinite(np.asarray(leaf, np.float32)).all()]
    return clauses or [f"{name} has some that are not" for name in others[:1]]


def _numbers(tree: object) -> dict[str, jax.Array]:
    """Arrays of real numbers by name."""
    leaves = jax.tree.leaves_with_path(tree)
    named = {jax.tree_util.keystr(place, simple=True, separator="."): leaf for place, leaf in leaves}
    return {name: leaf for name, leaf in named.items() if jnp.issubdtype(leaf.dtype, jnp.inexact)}


@jax.jit
def _all_finite(leaves: list[jax.Array]) -> jax.Array:
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in leaves]).all()


def _nodes_lost(tree: object) -> NDArray[np.bool_]:
    """Nodes [N] with anything that is not finite."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return np.any(
        [~np.isfinite(np.asarray(leaf, np.float32)).reshape(len(leaf), -1).all(axis=1) for leaf in leaves], axis=0
    )
