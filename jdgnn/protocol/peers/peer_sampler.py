"""What a peer sampler is."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
from jax.tree_util import Partial

from jdgnn.network.topology import Topology
from jdgnn.parts import ReadOff, as_partial, bound_to


class _Functions(NamedTuple):
    sample: Callable[..., jax.Array]


class PeerSampler(ReadOff, _Functions):
    """Who gets this tick's pushes or models.

    Members:
      sample: `(key, topology, joined_mask [N], num_slots) -> dst [N, num_slots]` int32, the receiver of each candidate
        message of each node; N stands for nobody, as does anything that is no other node. One by which two nodes
        usually send to each other is made by `jdgnn.peers.in_pairs`. One that names a further argument `link_up` is
        given by that keyword which links are up in this tick [E] bool; None stands for all.
    """

    __slots__ = ()
    facts: ClassVar = {"pairs": "jdgnn.peers.in_pairs(sample), by whose answers pairs are found"}

    def __new__(
        cls, sample: Callable[..., jax.Array], *, pairs: Callable[..., tuple[jax.Array, jax.Array]] | None = None
    ) -> "PeerSampler":
        """Makes a sampler; `pairs`, which once stood beside `sample`, is not used, and a warning says so."""
        sampler = super().__new__(cls, sample)
        sampler._tell_unused(pairs=pairs)
        return sampler

    @property
    def has_pairs(self) -> bool:
        """Whether two nodes usually send to each other, so that it is worth looking for pairs in each tick."""
        return bound_to(_sample, self.sample) is not None

    @property
    def draws_among_links(self) -> bool:
        """Whether `sample` names `link_up`, as one does that sends over links of the network."""
        paired = bound_to(_sample, self.sample)
        sample = self.sample if paired is None else paired["sample"]
        return "link_up" in inspect.signature(sample).parameters


def in_pairs(sample: Callable[..., jax.Array]) -> PeerSampler:
    """Makes a peer sampler by which two nodes usually send to each other.

    In ticks in which all models went to nodes that sent one back, they are merged pair by pair, in place; in others, as
    with any sampler, to the same result.

    Args:
      sample: as in `PeerSampler`.

    Returns:
      The sampler.

    Raises:
      InputError: `sample` is no function.

    Example:
      >>> import jax.numpy as jnp
      >>> across = in_pairs(lambda key, topology, joined_mask, num_slots: jnp.array([[1], [0], [3], [2]]))
      >>> across.has_pairs, across._replace(sample=lambda *arguments: across.sample(*arguments)).has_pairs
      (True, False)
    """
    return PeerSampler(sample=Partial(_sample, sample=as_partial("sample", sample)))


def _sample(
    key: jax.Array,
    topology: Topology,
    joined_mask: jax.Array,
    num_slots: int,
    *,
    sample: Callable[..., Any],
    **links: jax.Array | None,
) -> jax.Array:
    drawn: jax.Array = sample(key, topology, joined_mask, num_slots, **links)
    return drawn
