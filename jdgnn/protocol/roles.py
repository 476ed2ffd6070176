"""Roles of nodes: honest nodes and attackers.

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
    """Chooses the nodes with a role.

    Members:
      choose: `(key, num_nodes) -> mask [N]`.
      bind: as in `jdgnn.Presence`, for nodes by name; None if none is named.
    """

    choose: Callable[..., jax.Array]
    bind: Callable[[Identifiers], "Selection"] | None = None


@struct.dataclass(kw_only=True)
class Attackers:
    """The attack, and the nodes that make it. Made by `attackers`."""

    attack: Attack
    selection: Selection


def attackers(
    attack: Attack, *, share: float | jax.Array | None = None, nodes: Sequence[str] | None = None
) -> Attackers:
    """Sets which nodes attack, and the models that they send.

    An attacker follows the protocol: it wakes, merges, trains and sends like any other node, and its embeddings are
    those of its model. Only its own models are replaced in messages; models that it passes on are those it received.
    Metrics and probes are over honest nodes.

    Args:
      attack: the attack, such as `jdgnn.attacks.sign_flip()`.
      share: share of all nodes, from 0 to 1: round(share · N) of them are drawn from the run's key when a state is
        made; 0.1 if neither a share nor nodes are given.
      nodes: the names of the attackers in the network, in place of a share.

    Returns:
      The setting, for `Emulator(attackers=...)`.

    Raises:
      InputError: an argument is invalid; in `Emulator.init` and `run`, if named nodes are not in the network.

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
    """Draws round(share · N) of the nodes, all sets equally likely."""
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
    """The role of each node [N] int8; all honest, for the shape alone, if attackers are named and not bound yet."""
    selection = attackers.selection
    is_told = selection.bind is None
    chosen = selection.choose(key, num_nodes) if is_told else jnp.zeros(num_nodes, bool)
    return jnp.where(chosen, ATTACKER, HONEST).astype(jnp.int8)
