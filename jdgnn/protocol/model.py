"""A model as it travels and is merged: parameters, age and, if the merge rule uses one, a weight.

Axes: M models in an inbox.
"""

from typing import Any, NamedTuple

import jax


class Model(NamedTuple):
    """The model of one node, or of several, node axis first."""

    params: Any  # of all layers
    age: jax.Array  # [] int32, number of updates in it
    weight: jax.Array | None = None  # [], its share of a mean; None where the merge rule divides none


class Received(NamedTuple):
    """The models that one node merges at once, in inbox order."""

    params: Any  # [M, ...], the node's own numbers where nothing came; None if only inner products are used
    age: jax.Array  # [M] int32
    mask: jax.Array  # [M] bool, True where there is a model to be merged
    staleness: jax.Array  # [M] int32, ticks since each was sent
    carried: Any = None  # [M, ...] bool as `params`: which numbers came; None for all
    weight: jax.Array | None = None  # [M]; None as in `Model`
