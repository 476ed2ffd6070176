"""Who follows the protocol honestly, and who lies.

Axes: N nodes.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.errors import InputError
from jdgnn.network.identifiers import Identifiers, identifier
from jdgnn.parts import as_argument, unbound
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.attacks import Attack

HONEST, ATTACKER = 0, 1


class Selection(NamedTuple):
    """Which nodes have a role.

    Members:
      choose: `(key, num_nodes) -> mask [N]`.
      bind: for nodes by name, as in `jdgnn.Presence`; None if none is named.
    """

    choose: Callable[..., jax.Array]
    bind: Callable[[Identifiers], "Selection"] | None = None


@struct.dataclass(kw_only=True)
class Attackers:
    """Who attacks, and how. Made by `attackers`."""

    attack: Attack
    selection: Selection


def attackers(
    attack: Attack, *, share: float | jax.Array | None = None, nodes: Sequence[str] | None = None
) -> Attackers:
    """Says who lies about its model, and what it sends instead.

    An attacker follows the protocol: it wakes, merges, trains and sends when any other node would, and its embeddings
    are what its model gives. It lies in its model messages alone. Models that it passes on are those it received.
    Metrics and probes are over honest nodes.

    Args:
      attack: what is sent, as `jdgnn.attacks.sign_flip()`.
      share: of all nodes, from 0 to 1: round(share · N) of them are drawn from the run's key when a state is made;
        0.1 if neither a share nor nodes are given.
      nodes: the attackers by name, as the network calls them; in place of a share.

    Returns:
      The setting, for `Emulator(attackers=...)`.

    Raises:
      InputError: an argument makes no sense; in `Emulator.init` and `run`, if the network lacks nodes that are named.

    Example:
      >>> import jdgnn
      >>> chosen = attackers(jdgnn.attacks.sign_flip(), share=0.25).selection.choose(jax.random.key(0), 12)
      >>> int(chosen.sum())
      3
    """
    if not isinstance(attack, Attack):
        raise InputError(f"attack: expected an attack such as jdgnn.attacks.sign_flip(), got {attack!r}")
    if share is not None and nodes is not None:
        raise InputError(f"share: expected a share or names of nodes, got both {share} and {nodes}; leave one out")
    selection = _by_share(0.1 if share is None else share) if nodes is None else _named(nodes)
    return Attackers(attack=as_argument(attack), selection=selection)


def _by_share(share: Any) -> Selection:
    return Selection(choose=Partial(drawn, share=checked_prob("share", share)))


def drawn(key: jax.Array, num_nodes: int, *, share: ArrayLike) -> jax.Array:
    """A share of the nodes, as near as whole nodes come to it, all sets equally likely."""
    rank = jax.random.permutation(key, jnp.arange(num_nodes, dtype=jnp.int32))
    return rank < jnp.round(jnp.float32(share) * num_nodes).astype(jnp.int32)


def _named(nodes: Any) -> Selection:
    is_list = isinstance(nodes, list | tuple) and len(nodes) > 0
    if not is_list or not all(isinstance(name, str | int) and identifier(name) for name in nodes):
        raise InputError(f"nodes: expected a list of names of nodes, got {nodes!r}")

    def bind(identifiers: Identifiers) -> Selection:
        rows = identifiers.rows("nodes", nodes).astype("int32")
        return Selection(choose=Partial(given, rows=rows))

    return Selection(choose=unbound, bind=bind)


def given(key: jax.Array, num_nodes: int, *, rows: jax.Array) -> jax.Array:
    """The nodes in some rows."""
    del key
    return jnp.zeros(num_nodes, bool).at[rows].set(True)


def first_roles(attackers: Attackers, key: jax.Array, num_nodes: int) -> jax.Array:
    """The role of each node [N] int8; of nodes by name that no network has told yet, for the shape alone."""
    selection = attackers.selection
    is_told = selection.bind is None
    chosen = selection.choose(key, num_nodes) if is_told else jnp.zeros(num_nodes, bool)
    return jnp.where(chosen, ATTACKER, HONEST).astype(jnp.int8)
