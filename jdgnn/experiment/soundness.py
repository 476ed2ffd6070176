"""Whether the numbers of a run still make sense.

Axes: N nodes, F' units of a layer.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jdgnn
from jdgnn import State
from jdgnn.errors import InputError

SHOWN = 5
"""So many nodes are named."""


def check_finite(progress: jdgnn.Progress, directory: Path, *, thoroughly: bool = False) -> None:
    """Ends a run in which something is no finite number any more.

    Embeddings are looked at after every chunk, losses and parameters at recorded ticks; a parameter that is not finite
    shows in its node's embeddings at its next wake.

    Args:
      progress: where the run stands.
      directory: of the run.
      thoroughly: whether to look at parameters as well.

    Raises:
      InputError: says in which layer, by which tick, and at how many nodes and which.
    """
    state = progress.state
    looked_at = (state.embeddings, state.params) if thoroughly else state.embeddings
    if progress.tick_diverged is None and bool(_all_finite(looked_at)):
        return
    tick = progress.tick if progress.tick_diverged is None else progress.tick_diverged
    where = "; ".join(_lost(state)) or "losses are, while parameters and embeddings are finite"
    raise InputError(
        f"the run has diverged by tick {tick}, as not all numbers are finite: {where}. Usually optimizer.learning_rate "
        f"is too large; try a smaller one (what was recorded, and the last checkpoint before, are in {directory})"
    )


def _lost(state: State) -> list[str]:
    """A clause for each layer that has parameters or embeddings that are not finite."""
    clauses = []
    for layer, (params, embeddings) in enumerate(zip(state.params, state.embeddings, strict=True)):
        for what, part in (("parameters", params), ("embeddings", embeddings)):
            nodes = np.flatnonzero(_nodes_lost(part))
            if len(nodes):
                names = ", ".join(map(str, nodes[:SHOWN].tolist())) + (", ..." if len(nodes) > SHOWN else "")
                clauses.append(f"layer {layer} has {what} that are not at {len(nodes)} nodes ({names})")
    return clauses


@jax.jit
def _all_finite(tree: object) -> jax.Array:
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()


def _nodes_lost(tree: object) -> NDArray[np.bool_]:
    """Nodes [N] with anything that is not finite."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return np.any(
        [~np.isfinite(np.asarray(leaf, np.float32)).reshape(len(leaf), -1).all(axis=1) for leaf in leaves], axis=0
    )
