"""A model as it travels and is merged: parameters, age and, where a merge rule asks for one, a weight.

Axes: M models in an inbox.
"""

from typing import Any, NamedTuple

import jax


class Model(NamedTuple):
    """One node's model, or those of several nodes, node axis first."""

    params: Any  # of all layers
    age: jax.Array  # [] int32, updates inside it
    weight: jax.Array | None = None  # [], its share of a mean; None where the merge rule divides none


class Received(NamedTuple):
    """What one node finds in its inbox and merges at once, in inbox order."""

    params: Any  # [M, ...], the node's own numbers where nothing came; None for those who see inner products alone
    age: jax.Array  # [M] int32
    mask: jax.Array  # [M] bool, where a model is there to be merged
    staleness: jax.Array  # [M] int32, ticks since each was sent
    carried: Any = None  # [M, ...] bool as `params`: which numbers came; None for all
    weight: jax.Array | None = None  # [M]; None as in `Model`
