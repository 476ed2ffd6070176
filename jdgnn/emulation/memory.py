"""The memory of a run, estimated before any is allocated."""

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation import chunks
from jdgnn.emulation.sources import room
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.start import event_shapes, tree_bytes
from jdgnn.emulation.state import State
from jdgnn.emulation.ways import backend_of
from jdgnn.network.network import Network
from jdgnn.network.topology import topology


def state_bytes(state: State) -> dict[str, int]:
    """Bytes of a state (or of its shapes) by part; complete, without entries for missing buffers."""
    parts = {
        "parameters": state.params,
        "optimizer": state.opt_state,
        "embeddings": state.embeddings,
        "embeddings of the last ticks": state.history,
        "mailboxes": state.mailbox,
        "sample buffers": state.samples,
        "pushes in flight": state.pushes,
        "models in flight or waiting": state.models,
        "memories of contents": state.content,
    }
    sizes = {name: tree_bytes(part) for name, part in parts.items()}
    counters = tree_bytes(state) - sum(sizes.values())
    return {name: size for name, size in sizes.items() if size} | {"counters": counters}


def run_bytes(emulator: Spec, network: Network, state: State) -> dict[str, int]:
    """Bytes of a run by part: the network, the state (given as shapes), events, and working memory.

    The compiler tells the working memory, so the program of a tick is compiled.
    """
    links = topology(network, backend_of(emulator))
    features = jax.ShapeDtypeStruct(network.features.shape, jax.dtypes.canonicalize_dtype(network.features.dtype))
    one_tick = event_shapes(emulator, links, state)
    unrolled = links.backend.unrolled
    length = room(one_tick, unrolled)
    events = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((length, *leaf.shape), leaf.dtype), one_tick)
    arguments = emulator, links, features, state, events, jnp.int32(0), np.zeros(length, bool)
    analysis = chunks.advance.lower(*arguments, unrolled=unrolled).compile().memory_analysis()
    return {
        "network": tree_bytes((links, features)),
        **state_bytes(state),
        "events": tree_bytes(events),
        "working memory": 0 if analysis is None else analysis.temp_size_in_bytes,
    }
