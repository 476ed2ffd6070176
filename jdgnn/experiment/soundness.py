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

    Embeddings are looked at after every chunk, losses and parameters at recorded ticks, and all that a checkpoint holds
    before it is written; a parameter that is not finite shows in its node's embeddings at its next wake.

    Args:
      progress: where the run stands.
      directory: of the run.
      thoroughly: whether to look at all of the state.

    Raises:
      InputError: says in which layer, by which tick, and at how many nodes and which.
    """
    state = progress.state
    looked_at = _numbers(state if thoroughly else state.embeddings)
    if progress.tick_diverged is None and bool(_all_finite(list(looked_at.values()))):
        return
    tick = progress.tick if progress.tick_diverged is None else progress.tick_diverged
    where = "; ".join(_lost(state)) or "losses are not, while parameters and embeddings are"
    raise InputError(
        f"the run has diverged by tick {tick}, as not all numbers are finite: {where}. Usually optimizer.learning_rate "
        f"is too large; try a smaller one (what was recorded, and the last checkpoint before, are in {directory})"
    )


def _lost(state: State) -> list[str]:
    """A clause for each layer that has parameters or embeddings that are not finite, or for what else is not."""
    clauses = []
    for layer, (params, embeddings) in enumerate(zip(state.params, state.embeddings, strict=True)):
        for what, part in (("parameters", params), ("embeddings", embeddings)):
            nodes = np.flatnonzero(_nodes_lost(part))
            if len(nodes):
                names = ", ".join(map(str, nodes[:SHOWN].tolist())) + (", ..." if len(nodes) > SHOWN else "")
                clauses.append(f"layer {layer} has {what} that are not at {len(nodes)} nodes ({names})")
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
