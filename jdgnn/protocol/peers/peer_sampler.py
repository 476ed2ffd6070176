"""The type of peer samplers."""

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
    """Draws the receivers of this tick's pushes or models.

    Members:
      sample: `(key, topology, joined_mask [N], num_slots) -> dst [N, num_slots]` int32, the receiver of each candidate
        message of each node; any index that is not another valid node, such as N, means "no recipient". If two nodes
        usually send to each other, make the sampler by `jdgnn.peers.in_pairs`. A function with a further argument
        `link_up` gets by that keyword which links are up in this tick [E] bool; None stands for all.
    """

    __slots__ = ()
    facts: ClassVar = {"pairs": "jdgnn.peers.in_pairs(sample), by whose answers pairs are found"}

    def __new__(
        cls, sample: Callable[..., jax.Array], *, pairs: Callable[..., tuple[jax.Array, jax.Array]] | None = None
    ) -> "PeerSampler":
        """Makes a sampler; `pairs`, an argument of earlier versions, is ignored with a warning."""
        sampler = super().__new__(cls, sample)
        sampler._tell_unused(pairs=pairs)
        return sampler

    @property
    def has_pairs(self) -> bool:
        """Whether two nodes usually send to each other, so that it pays to look for pairs in each tick."""
        return bound_to(_sample, self.sample) is not None

    @property
    def draws_among_links(self) -> bool:
        """Whether `sample` has an argument `link_up`, since it sends over links of the network."""
        paired = bound_to(_sample, self.sample)
        sample = self.sample if paired is None else paired["sample"]
        return "link_up" in inspect.signature(sample).parameters


def in_pairs(sample: Callable[..., jax.Array]) -> PeerSampler:
    """Makes a peer sampler by which two nodes usually send to each other.

    In ticks in which all models go to nodes that send one back, they are merged pair by pair, in place; in other ticks
    as with any sampler, with the same result.

    Args:
      sample: as in `PeerSampler`.

    Returns:
      The sampler.

    Raises:
      InputError: `sample` is not a function.

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
