"""What a layer is."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Layer(NamedTuple):
    """One GNN layer: what one node computes, and how it combines what its in-neighbours sent.

    Axes: N nodes, E directed edges, F features that come in, F' that go out.

    Members:
      init: `(key, num_features, dtype) -> params`, the parameters of one node as a tree of arrays.
      apply: `(params, own [F], aggregated [F]) -> [F']`, one node.
      aggregate: `(own [N, F], received [E, F], received_mask [E], topology, query) -> [N, ...]`, over the ragged edges;
        edges whose mask is False have delivered nothing yet and must not count. See `jdgnn.learning.aggregation`.
      query: `(params, own [F]) -> array`, one node, for attention: `aggregate` gets all nodes' queries [N, ...] and may
        weigh what was received by them, so that no edge is ever multiplied by a node's matrix. None if not needed.

      inputs: `(own [F], aggregated [F]) -> {name: [n]}`, one node, for layers that begin with linear maps: what each
        map is multiplied by. `params` are then a dict of the same names, each `{"kernel": [n, F'], "bias": [F']}` or
        without the bias, and nothing else. None for other layers.
      finish: `([F']) -> [F']`, one node: what such a layer makes of the sum of all maps and biases, so that
        `apply(params, own, aggregated)` is `finish` of that sum. The gradient of a kernel is then an outer product,
        and a step needs one pass over the parameters. None for other layers.

    What was received is a constant; parameters inside `query` and `apply` are trained.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]
    aggregate: Callable[..., Any]
    query: Callable[..., Any] | None = None
    inputs: Callable[..., dict[str, Any]] | None = None
    finish: Callable[..., Any] | None = None
