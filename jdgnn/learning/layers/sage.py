"""GraphSAGE with the mean or the max aggregator."""

from jdgnn.errors import InputError, suggestion
from jdgnn.learning.aggregation import maximum, mean
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import sum_of_maps

AGGREGATORS = {"mean": mean, "max": maximum}


def sage(units: int, activation: str = "leaky_relu", normalize: bool = True, aggregator: str = "mean") -> Layer:
    """GraphSAGE: one linear map of a node's own vector plus another of the mean, or largest, over its in-neighbours.

    The separate map of the own vector helps where neighbours mislead.
    Source: Hamilton, Ying & Leskovec, "Inductive Representation Learning on Large Graphs", arXiv 1706.02216.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.
      aggregator: `mean`, or `max` of each feature.

    Returns:
      The layer; its parameters are two kernels [F, F'] and a bias [F'].

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = sage(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    if aggregator not in AGGREGATORS:
        raise InputError(f"aggregator: got {aggregator!r}; {suggestion(str(aggregator), AGGREGATORS)}")
    maps = (("own", "own"), ("neighbours", "aggregated"))
    return sum_of_maps(units, activation, normalize, AGGREGATORS[aggregator], maps)
