"""A network and its features as arrays of a program, checked against emulator and state.

Axes: N nodes, F0 features that a node measures.
"""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from jdgnn.emulation.check_parts import signature
from jdgnn.emulation.spec import PARTS, Spec, flattened, unflattened
from jdgnn.emulation.start import shapes_of
from jdgnn.emulation.state import State, check_alive, check_network_of
from jdgnn.emulation.ways import backend_of
from jdgnn.errors import InputError
from jdgnn.forked import check_not_forked
from jdgnn.network.conversion import as_network
from jdgnn.network.identifiers import Identifiers
from jdgnn.network.network import Network
from jdgnn.network.overflow import too_large
from jdgnn.network.topology import Topology, topology
from jdgnn.parts import bound

AnySpec = TypeVar("AnySpec", bound=Spec)


def features_of(network: Network) -> jax.Array:
    """Features on the accelerator [N, F0], in its precision; InputError if a number is too large for it."""
    check_not_forked()
    dtype = jax.dtypes.canonicalize_dtype(network.features.dtype)
    if dtype != network.features.dtype and (reason := too_large(network, dtype)) is not None:
        raise InputError(f"features: {reason}; scale them, or turn jax_enable_x64 on")
    return jnp.asarray(network.features.astype(dtype, copy=False))


def arrays_of(emulator: Spec, state: State, network: Any) -> tuple[Spec, Topology, jax.Array]:
    """The emulator bound to the network, links and features on the accelerator; InputError unless all fit the state."""
    if not isinstance(emulator, Spec):
        raise InputError(f"emulator: expected a jdgnn.Emulator, got {type(emulator).__name__}")
    check_alive(state)
    network = as_network(network)
    check_network_of(state, network)
    features, links = features_of(network), topology(network, backend_of(emulator))
    if signature(shapes_of(emulator, state.key, links, features)) != signature(state):
        raise InputError("state: expected the arrays of this emulator and network, got others; use emulator.init")
    return bound_to_network(emulator, network), links, features


def bound_to_network(spec: AnySpec, network: Network) -> AnySpec:
    """The parts with row numbers in place of the nodes they name; InputError if the network lacks one."""
    parts, structure = flattened(spec)
    nodes = Identifiers(network.node_names, network.num_nodes)
    found = bound(dict(zip(PARTS, parts, strict=True)), nodes)
    bound_spec: AnySpec = unflattened(type(spec), structure, tuple(found[name] for name in PARTS))
    return bound_spec
