"""The type of transports, which keep models from the wake that sends them to the wake that merges them.

Axes: N nodes, R models a node sends, M models in an inbox.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jdgnn.backend.backend import Backend
from jdgnn.protocol.accounts import Counts
from jdgnn.protocol.model import Model
from jdgnn.protocol.traffic import Gossip


class Waiting(NamedTuple):
    """The models in the inboxes of nodes that may merge now, oldest first."""

    row: jax.Array  # [N, M] int32, row of each among the models of `content`
    src: jax.Array  # [N, M] int32, sender; N for none
    is_there: jax.Array  # [N, M] bool
    tick_sent: jax.Array | None = None  # [N, M] int32; None for the tick before


class Dispatch(NamedTuple):
    """The messages that one tick sends, each [N, R]."""

    is_sent: jax.Array
    dst: jax.Array
    rank: jax.Array
    dropped: jax.Array | None
    delay: jax.Array | None


class Transport(NamedTuple):
    """A way to carry models. What it keeps, `models`, is part of the state.

    Members:
      is_own: whether the merged models are those that nodes hold at that moment, so that they can be merged in place.
      init: `(gossip, params, num_nodes) -> models`, before any was sent.
      own: `(models, params) -> params`, the model that each node holds [N, ...].
      store: `(models, params) -> (models, params)`, stores the models that nodes hold after their wake.
      receive: `(backend, models, tick, online) -> (models, counts)`, puts those that arrive into inboxes.
      entered: `(models, tick) -> [N] bool`, nodes at which one has entered the inbox in this tick; None if no node
        sleeps.
      hold: `(backend, gossip, models) -> (models, counts)`, lets those wait that would be merged in this tick.
      inbox: `(backend, gossip, models, active) -> (Waiting, counts)`, the inboxes of active nodes [N]; None for all.
      partners: `(models) -> ([N], [])`, the receiver of each node's one model, N for none, and whether all nodes that
        sent one were sent one back; None if the merged models are not those that nodes hold.
      content: `(models, own) -> Model`, the models that rows of inboxes refer to; `own` are those that nodes hold.
      release: `(models, active, is_rejected [N, M]) -> models`, empties the inboxes of active nodes.
      send: `(backend, gossip, models, tick, Dispatch, own, usual) -> (models, counts)`, sends the models of a tick, of
        which there are usually not more than `usual`; None if nothing is known of that.
    """

    is_own: bool
    init: Callable[[Gossip, Any, int], Any]
    own: Callable[[Any, Any], Any]
    store: Callable[[Any, Any], tuple[Any, Any]]
    receive: Callable[[Backend, Any, jax.Array, jax.Array | None], tuple[Any, Counts]]
    entered: Callable[[Any, jax.Array], jax.Array] | None
    hold: Callable[[Backend, Gossip, Any], tuple[Any, Counts]]
    inbox: Callable[[Backend, Gossip, Any, jax.Array | None], tuple[Waiting, Counts]]
    partners: Callable[[Any], tuple[jax.Array, jax.Array]] | None
    content: Callable[[Any, Model], Model]
    release: Callable[[Any, jax.Array | None, jax.Array], Any]
    send: Callable[[Backend, Gossip, Any, jax.Array, Dispatch, Model, int | None], tuple[Any, Counts]]


def own(models: Any, params: Any) -> Any:
    """The model that each node holds, where the state has it by node."""
    del models
    return params


def store(models: Any, params: Any) -> tuple[Any, Any]:
    """Stores the models that nodes hold after their wake, where the state has them by node."""
    return models, params
