"""The physical limit of a run: the bytes that its ticks must at least move through memory, and the memory's speed.

Whatever the arithmetic, each wake reads and writes the parameters and the optimiser state, and reads the models that
it merges and the embeddings that it learns from. An in-place scale of one array of the same size shows how fast that
can go.
"""

import functools
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.spec import Spec
from jdgnn.emulation.start import message_bytes, tree_bytes
from jdgnn.emulation.state import State
from jdgnn.network.network import Network
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole

MOST_BYTES = 2**28  # of the scaled array; larger than any cache


def roofline_bytes(emulator: Spec, state: State, network: Network) -> dict[str, int]:
    """Bytes by part that all ticks so far had to move, from the wakes and merges that took place.

    Returns:
      Bytes read and written: `parameters` and `optimizer` both, of every wake; `received models`, of those merged;
      `samples`, the positives and the sample buffer of every wake; `edges`, one row of each layer that every
      in-neighbour sent, read and written.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, ticks=1)
      >>> roofline_bytes(emulator, state, network)["parameters"] == 2 * 6 * 4 * (32 * 8 + 8)
      True
    """
    wakes = np.asarray(state.wakes).astype(np.int64)
    delivered = whole(state.accounts.words)[:, KINDS.index("model"), OUTCOMES.index("delivered")].sum()
    row, _, model = message_bytes(state)
    samples = emulator.num_positives + (emulator.push.capacity if emulator.push else 0)
    return {
        "parameters": 2 * int(wakes.sum()) * (tree_bytes(state.params) // state.num_nodes),
        "optimizer": 2 * int(wakes.sum()) * (tree_bytes(state.opt_state) // state.num_nodes),
        "received models": int(delivered) * model,
        "samples": int(wakes.sum()) * samples * row,
        "edges": 2 * int((wakes * network.in_degree).sum()) * row,
    }


@functools.partial(jax.jit, donate_argnames="array")
def scaled(array: jax.Array, factor: jax.Array, passes: jax.Array) -> jax.Array:
    """Multiplies the array in place `passes` times by a factor that the compiler does not know."""
    return jax.lax.fori_loop(0, passes, lambda _, held: held * factor, array)


def ceiling(num_bytes: int, calls: int = 5, passes: int = 4) -> float:
    """Bytes per second that an in-place scale of one array reads and writes: the median of some calls.

    Args:
      num_bytes: size of the array, cut to `MOST_BYTES`.
      calls: timed calls.
      passes: over the array in each call.
    """
    array = jnp.ones(max(1, min(num_bytes, MOST_BYTES) // 4), jnp.float32)
    moved, times = 2 * passes * array.nbytes, list[float]()
    for _ in range(calls + 1):
        started = time.perf_counter()
        array = scaled(array, jnp.float32(1), jnp.int32(passes)).block_until_ready()
        times.append(time.perf_counter() - started)
    return moved / statistics.median(times[1:])  # the first compiles
